type Members = Readonly<Record<string, unknown>>;

/** How a merge template goes over a template: member by member, or at every level, as OneFlow since 6.10. */
export type MergeWay = 'shallow' | 'deep';

/** A template with another over it. `deep`: roles are matched by their names, objects by their members; other lists are replaced. */
export function mergedTemplate(body: Members, merge: Members, way: MergeWay): Record<string, unknown> {
  if (way === 'shallow') return { ...body, ...merge };
  const { roles, networks_values, ...rest } = merge;
  return {
    ...merged(body, rest),
    ...(roles !== undefined && { roles: byKey(body.roles, roles, (role) => role.name) }),
    ...(networks_values !== undefined && {
      networks_values: byKey(body.networks_values, networks_values, (network) => Object.keys(network)[0]),
    }),
  };
}

function merged(before: Members, after: Members): Record<string, unknown> {
  const both: Record<string, unknown> = { ...before, ...after };
  for (const [name, value] of Object.entries(after)) {
    const was = Object.hasOwn(before, name) ? before[name] : undefined;
    if (isRecord(was) && isRecord(value)) both[name] = merged(was, value);
  }
  return both;
}

/** Items of the second list over those of the first that have the same key; those that are new come behind. */
function byKey(before: unknown, after: unknown, keyOf: (item: Members) => unknown): unknown {
  if (!Array.isArray(before) || !Array.isArray(after)) return after;
  const keyed = new Map<unknown, Members>(after.filter(isRecord).map((item) => [keyOf(item), item]));
  const known = new Set<unknown>();
  const kept = before.map((item: unknown) => {
    if (!isRecord(item)) return item;
    const over = keyed.get(keyOf(item));
    known.add(keyOf(item));
    return over === undefined ? item : merged(item, over);
  });
  const added: unknown[] = after.filter((item: unknown) => !isRecord(item) || !known.has(keyOf(item)));
  return [...kept, ...added];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
