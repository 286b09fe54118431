import { attributeNameFault, pointerStep } from '../schemas/common/attribute-name.js';
import type { Finding } from './problems.js';

/**
 * The names that a change gives to attributes and that are none, on the two levels that template text has. `before`: what
 * is there, which may be called otherwise and stays so. `under`: where the attributes are in the request.
 */
export function wrongNames(
  after: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, unknown>>,
  under: string,
): Finding[] {
  const there = new Map(Object.entries(before).map(([name, value]) => [inUpperCase(name), value]));
  const names = new Set(there.keys());
  return Object.entries(after).flatMap(([name, value]) => {
    const pointer = `${under}/${pointerStep(name)}`;
    const known = new Set(membersOf(there.get(inUpperCase(name))).flatMap(({ members }) => members.map(inUpperCase)));
    return [
      ...faultsOf([name], names, under),
      ...membersOf(value).flatMap(({ members, at }) => faultsOf(members, known, pointer + at)),
    ];
  });
}

/** Attributes as they are kept after a change of them: in upper case, without those that it takes away. */
export const keptAttributes = <V>(changes: Readonly<Record<string, V | null>>): Record<string, V> =>
  Object.fromEntries(
    Object.entries(changes).flatMap(([name, value]) => (value === null ? [] : [[inUpperCase(name), value] as const])),
  );

const inUpperCase = (name: string): string => name.toUpperCase();

const faultsOf = (names: readonly string[], known: ReadonlySet<string>, under: string): Finding[] =>
  names.flatMap((name) => {
    const detail = known.has(inUpperCase(name)) ? undefined : attributeNameFault(name);
    return detail === undefined ? [] : [{ pointer: `${under}/${pointerStep(name)}`, detail }];
  });

/** The names in the brackets of an attribute, or of each of several. */
function membersOf(value: unknown): { members: string[]; at: string }[] {
  if (Array.isArray(value))
    return value.flatMap((item: unknown, at) =>
      Array.isArray(item) ? [] : membersOf(item).map(({ members }) => ({ members, at: `/${at}` })),
    );
  return typeof value === 'object' && value !== null ? [{ members: Object.keys(value), at: '' }] : [];
}
