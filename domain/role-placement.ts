import type { RoleTies } from '../schemas/placement.js';
import type { RoleTemplate } from '../schemas/service-template.js';
import type { Finding } from './problems.js';

type Placed = Pick<RoleTemplate, 'name' | 'placement'>;

/**
 * What each role's VMs carry of their service's rules; roles without any are left out. Both rules hold both ways, whichever
 * role names the other; those that are together with the same role are together.
 */
export function roleTies(roles: readonly Placed[]): Map<string, RoleTies> {
  const groups = groupsOf(roles);
  const apart = new Map<string, Set<string>>();
  const add = (one: string, other: string) => apart.set(one, (apart.get(one) ?? new Set()).add(other));
  for (const { name, placement } of roles)
    for (const other of placement?.anti_affinity ?? []) {
      add(name, other);
      add(other, name);
    }
  return new Map(
    roles.flatMap(({ name, placement }): [string, RoleTies][] => {
      const ties: RoleTies = {
        ...(placement?.hosts && { hosts: placement.hosts }),
        together: [...(groups.get(name) ?? [])].sort(),
        apart: [...(apart.get(name) ?? [])].sort(),
      };
      return ties.hosts || ties.together.length > 0 || ties.apart.length > 0 ? [[name, ties]] : [];
    }),
  );
}

/** Roles by the group of those that are together with them; roles that no affinity names are in none. */
function groupsOf(roles: readonly Placed[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const { name, placement } of roles)
    for (const other of placement?.affinity ?? []) {
      const joined = new Set([name, other, ...(groups.get(name) ?? []), ...(groups.get(other) ?? [])]);
      for (const member of joined) groups.set(member, joined);
    }
  return groups;
}

/** Findings beyond these are left out: a hostile template would have millions. */
const mostFindings = 20;

/** Roles that do not exist, and rules that contradict each other. */
export function checkRolePlacement(roles: readonly Placed[]): Finding[] {
  const names = new Set(roles.map(({ name }) => name));
  const unknown = roles.flatMap(({ placement }, at): Finding[] =>
    (['affinity', 'anti_affinity'] as const).flatMap((rule) =>
      (placement?.[rule] ?? []).flatMap((other, nth): Finding[] =>
        names.has(other)
          ? []
          : [{ pointer: `/roles/${at}/placement/${rule}/${nth}`, detail: `no role is called "${other}"` }],
      ),
    ),
  );
  if (unknown.length > 0) return unknown.slice(0, mostFindings);
  const groups = groupsOf(roles);
  const contradictions: Finding[] = [];
  for (const [at, { name, placement }] of roles.entries()) {
    if (contradictions.length >= mostFindings) break;
    const pointer = `/roles/${at}/placement`;
    const its = groups.get(name);
    for (const [nth, other] of (placement?.anti_affinity ?? []).entries())
      if (its?.has(other))
        contradictions.push({
          pointer: `${pointer}/anti_affinity/${nth}`,
          detail: `${nameBoth(name, other)} to be apart, but affinity puts ${[...its].sort().join(', ')} on one host`,
        });
    if (placement?.hosts === 'spread' && its)
      contradictions.push({
        pointer: `${pointer}/hosts`,
        detail: `is spread, but affinity puts ${[...its].sort().join(', ')} on one host`,
      });
    if (placement?.hosts === 'pack' && placement.anti_affinity.includes(name))
      contradictions.push({
        pointer: `${pointer}/hosts`,
        detail: `is pack, but anti_affinity with itself puts each VM of ${name} on a host of its own`,
      });
  }
  return contradictions;
}

const nameBoth = (name: string, other: string): string =>
  name === other ? `VMs of ${name} are` : `${name} and ${other} are`;
