/** A value for each of these names. */
export function recordOf<K extends string, T>(names: readonly K[], of: (name: K) => T): Record<K, T> {
  const record: { [name: string]: T } = Object.fromEntries(names.map((name) => [name, of(name)]));
  if (!hasAll(record, names)) throw new Error('a name has no value');
  return record;
}

const hasAll = <K extends string, T>(record: { [name: string]: T }, names: readonly K[]): record is Record<K, T> =>
  names.every((name) => Object.hasOwn(record, name));
