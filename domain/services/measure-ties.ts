import type { RoleTemplate } from '../../schemas/services/service-template.js';

/** Of a name in a list: its characters, quotes and a comma. */
const bytesOf = (name: string): number => name.length + 3;

/**
 * Bytes of the names of roles that all VMs of a service carry: each has those of its group, and of the roles that it is
 * apart from, so that a thousand roles that name one each may make every VM as large as a template.
 */
export function tiesBytes(roles: readonly Pick<RoleTemplate, 'name' | 'cardinality' | 'placement'>[]): number {
  const first = new Map<string, string>();
  const groupOf = (name: string): string => {
    let at = name;
    for (let next = first.get(at); next !== undefined && next !== at; next = first.get(at)) at = next;
    first.set(name, at);
    return at;
  };
  const apart = new Map<string, Set<string>>();
  const part = (one: string, other: string) => apart.set(one, (apart.get(one) ?? new Set()).add(other));
  for (const { name, placement } of roles) {
    for (const other of placement?.affinity ?? []) {
      const [mine, theirs] = [groupOf(name), groupOf(other)];
      first.set(mine, theirs);
    }
    for (const other of placement?.anti_affinity ?? []) {
      part(name, other);
      part(other, name);
    }
  }
  const together = new Map<string, number>();
  for (const name of first.keys()) {
    const group = groupOf(name);
    together.set(group, (together.get(group) ?? 0) + bytesOf(name));
  }
  return roles.reduce((sum, { name, cardinality }) => {
    const others = [...(apart.get(name) ?? [])].reduce((names, other) => names + bytesOf(other), 0);
    return sum + cardinality * ((first.has(name) ? (together.get(groupOf(name)) ?? 0) : 0) + others);
  }, 0);
}
