import type { RoleTies } from '../../schemas/placement/placement.js';
import type { RoleTemplate } from '../../schemas/services/service-template.js';
import type { Finding } from '../problems.js';

type Placed = Pick<RoleTemplate, 'name' | 'placement'>;

/**
 * By role, what its VMs carry of their service's rules, if there are any. Both rules hold both ways, whichever role names
 * the other; those that are together with the same role are together.
 */
export function tiesIn(roles: readonly Placed[]): (role: string) => RoleTies | undefined {
  const groups = groupsOf(roles);
  const hostsOf = new Map(roles.map(({ name, placement }) => [name, placement?.hosts]));
  const apartOf = new Map<string, Set<string>>();
  const part = (one: string, other: string): void => {
    const its = apartOf.get(one);
    if (its) its.add(other);
    else apartOf.set(one, new Set([other]));
  };
  for (const { name, placement } of roles)
    for (const other of placement?.anti_affinity ?? []) {
      part(name, other);
      part(other, name);
    }
  return (name) => {
    const hosts = hostsOf.get(name);
    const together = [...(groups.get(name) ?? [])].sort();
    const apart = [...(apartOf.get(name) ?? [])].sort();
    return hosts || together.length > 0 || apart.length > 0 ? { ...(hosts && { hosts }), together, apart } : undefined;
  };
}

/**
 * Roles by the group of those that are together with them; roles that no affinity names are in none. Of two groups that
 * become one the smaller joins the larger, so that a role moves a few times only, however many affinities there are.
 */
function groupsOf(roles: readonly Placed[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  const groupOf = (name: string): Set<string> => {
    const group = groups.get(name) ?? new Set([name]);
    groups.set(name, group);
    return group;
  };
  for (const { name, placement } of roles)
    for (const other of placement?.affinity ?? []) {
      const [one, two] = [groupOf(name), groupOf(other)];
      if (one === two) continue;
      const [smaller, larger] = one.size < two.size ? [one, two] : [two, one];
      for (const member of smaller) {
        larger.add(member);
        groups.set(member, larger);
      }
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
          detail: `${nameBoth(name, other)} to be apart, but affinity puts ${someOf(its)} on one host`,
        });
    if (placement?.hosts === 'spread' && its)
      contradictions.push({
        pointer: `${pointer}/hosts`,
        detail: `is spread, but affinity puts ${someOf(its)} on one host`,
      });
    if (placement?.hosts === 'pack' && placement.anti_affinity.includes(name))
      contradictions.push({
        pointer: `${pointer}/hosts`,
        detail: `is pack, but anti_affinity with itself puts each VM of ${name} on a host of its own`,
      });
  }
  return contradictions;
}

/** A group may be of a thousand roles. */
function someOf(group: ReadonlySet<string>): string {
  const names = [...group].sort();
  const more = names.length - 10;
  return more > 0 ? `${names.slice(0, 10).join(', ')} and ${more} more` : names.join(', ');
}

const nameBoth = (name: string, other: string): string =>
  name === other ? `VMs of ${name} are` : `${name} and ${other} are`;
