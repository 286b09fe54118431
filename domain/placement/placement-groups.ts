import type { Capacity } from '../../schemas/common/capacity.js';
import type { createDemands, PlannedHost } from './placement-demands.js';
import { lacks, type Refusal } from './placement-refusals.js';
import type { Tied, Ties } from './placement-ties.js';

/** VMs of a service that are to be on one host, and wait for one: what they need together, whichever roles they are of. */
export type Group = {
  vms: number;
  capacity: Capacity;
  /** Their requirements, each once. */
  requirements: ReadonlySet<string>;
  roles: ReadonlySet<string>;
  /** The rules of all their roles, as if they were one. */
  tied: Tied;
};

/** What of a wish its group is made of. */
export type Member = { capacity: Capacity; requirements?: string | undefined; tied?: Tied | undefined };

/** Requirements beyond these are looked at when the VM is that has them: a hostile group would have a thousand. */
const mostRequirements = 10;

/** All VMs that are to be together, by their groups: whoever comes first looks for a host that will do for all of them. */
export function createGroups(members: Iterable<Member & { vms?: number }> = []) {
  const known = new Map<string, { group: Group; requirements: Set<string>; roles: Set<string> }>();
  const add = ({ tied, capacity: { cpu, memory }, requirements = '', vms = 1 }: Member & { vms?: number }): void => {
    if (!tied || tied.together.length === 0) return;
    const its = known.get(keyOf(tied)) ?? begun(tied);
    known.set(keyOf(tied), its);
    const { group } = its;
    group.vms += vms;
    group.capacity = { cpu: group.capacity.cpu + vms * cpu, memory: group.capacity.memory + vms * memory };
    if (its.requirements.size < mostRequirements) its.requirements.add(requirements);
    if (its.roles.has(tied.role)) return;
    its.roles.add(tied.role);
    group.tied = { ...group.tied, apart: [...new Set([...group.tied.apart, ...tied.apart])] };
  };
  for (const member of members) add(member);
  return {
    add,
    /** The group that a VM is of, if there are others in it. */
    of(tied: Tied | undefined): Group | undefined {
      if (!tied || tied.together.length === 0) return;
      const group = known.get(keyOf(tied))?.group;
      return group && group.vms > 1 ? group : undefined;
    },
  };
}
export type Groups = ReturnType<typeof createGroups>;

const keyOf = ({ service, together }: Tied): string => `${service}/${together.join()}`;

function begun(tied: Tied) {
  const requirements = new Set<string>();
  const roles = new Set<string>();
  // No role can have this name, by which its neighbours are remembered.
  const all: Tied = { ...tied, role: `\0${tied.role}`, apart: [] };
  const group: Group = { vms: 0, capacity: { cpu: 0, memory: 0 }, requirements, roles, tied: all };
  return { group, requirements, roles };
}

/** What a group asks of hosts. */
export type GroupDemand = {
  /** Why no VM of it may go there although this one could: others could not follow. For anything but room. */
  refuses(host: PlannedHost): Refusal | null;
  /** The same for room. */
  lacks(room: Capacity): Refusal | null;
};

/** Demands of groups for one plan: requirements are asked of a host once for all roles of a group. */
export function createGroupDemands(demands: ReturnType<typeof createDemands>, ties: Ties) {
  const known = new Map<Group, GroupDemand>();
  return {
    of(group: Group): GroupDemand {
      const demand = known.get(group) ?? demandOf(group, demands, ties);
      known.set(group, demand);
      return demand;
    },
  };
}

function demandOf(group: Group, demands: ReturnType<typeof createDemands>, ties: Ties): GroupDemand {
  const { vms, tied, capacity } = group;
  const together = `${vms} VMs that are to be together`;
  const fixed = [...group.requirements]
    .map((requirements) => demands.of({ requirements }))
    .filter(({ moves }) => !moves);
  const answers: (Refusal | null)[] = [];
  const unmet = (host: PlannedHost): Refusal | null => {
    const before = answers[host.at];
    if (before !== undefined) return before;
    const demand = fixed.find((one) => !one.meets(host));
    const refusal = demand?.refuses(host) ?? null;
    const answer = refusal && { ...refusal, text: `${refusal.text}, for one of ${together}` };
    answers[host.at] = answer;
    return answer;
  };
  return {
    refuses: (host) =>
      ties.refuses(tied, host.id)
        ? { text: `one of ${together} is apart from a role that has a VM there`, note: null }
        : unmet(host),
    lacks(room) {
      const lack = lacks(room, capacity);
      return lack && { ...lack, text: `${lack.text} by ${together}` };
    },
  };
}
