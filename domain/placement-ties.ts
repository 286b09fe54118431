import type { RoleTies } from '../schemas/placement.js';
import type { Refusal } from './placement-refusals.js';

/** A VM of a service that has rules about which hosts it shares with others. */
export type Tied = RoleTies & { service: number; role: string };

/** A VM of a service that has its place. */
export type Sibling = { service: number; role: string; host: number };

/**
 * Where the others are that the VMs of a role are bound to: by host, a role that is apart from it, and whether it is there
 * yet; the hosts of those that it is together with, and one of these.
 */
type Neighbours = {
  apart: ReadonlyMap<number, { role: string; isThere: boolean }>;
  companions: ReadonlySet<number>;
  first: { role: string; host: number } | undefined;
};

/** Where the VMs of services are, those of the plan so far included. */
export function createTies(siblings: readonly Sibling[]) {
  /** By service and role: VMs on each host; 0: it is kept for them. */
  const places = new Map<string, Map<number, number>>();
  const placesOf = (service: number, role: string): Map<number, number> => {
    const key = `${service}/${role}`;
    const its = places.get(key) ?? new Map<number, number>();
    places.set(key, its);
    return its;
  };
  /** By service, what is known of its roles as long as none of them comes to another host. */
  const known = new Map<number, Map<string, Neighbours>>();
  const add = ({ service, role, host }: Sibling): void => {
    const its = placesOf(service, role);
    if (!its.get(host)) known.delete(service);
    its.set(host, (its.get(host) ?? 0) + 1);
  };
  siblings.forEach(add);

  /** Worked out once for all VMs of a role, which carry the same rules: a role may be bound to a thousand others. */
  const neighboursOf = (tied: Tied): Neighbours => {
    const ofService = known.get(tied.service) ?? new Map<string, Neighbours>();
    known.set(tied.service, ofService);
    const before = ofService.get(tied.role);
    if (before) return before;
    const [apart, companions] = [new Map<number, { role: string; isThere: boolean }>(), new Set<number>()];
    let first: Neighbours['first'];
    for (const name of tied.apart)
      for (const [host, vms] of placesOf(tied.service, name))
        if (!apart.has(host) && (vms > 0 || name !== tied.role)) apart.set(host, { role: name, isThere: vms > 0 });
    for (const name of tied.together)
      for (const host of placesOf(tied.service, name).keys()) {
        first ??= { role: name, host };
        companions.add(host);
      }
    const found = { apart, companions, first };
    ofService.set(tied.role, found);
    return found;
  };

  return {
    add,
    /** A host is kept for the rest of those that are together: who is apart from one of them does not come in between. */
    expect(service: number, roles: Iterable<string>, host: number): void {
      for (const role of roles) {
        const its = placesOf(service, role);
        if (!its.has(host)) its.set(host, 0);
      }
      known.delete(service);
    },
    /** VMs of the same role on a host. */
    ofRole: ({ service, role }: Tied, host: number): number => placesOf(service, role).get(host) ?? 0,
    /** Whether none of those that it must be with has a place yet. */
    isFirst: (tied: Tied): boolean => neighboursOf(tied).first === undefined,
    refuses(tied: Tied, host: number): Refusal | null {
      const { role } = tied;
      const { apart, companions, first } = neighboursOf(tied);
      const other = apart.get(host);
      if (other !== undefined)
        return {
          text:
            other.role === role
              ? `VMs of role ${role} are apart, and one is there`
              : `role ${role} is apart from role ${other.role}, which ${other.isThere ? 'has' : 'is to have'} a VM there`,
          note: null,
        };
      if (first === undefined || companions.has(host)) return null;
      return {
        text:
          first.role === role
            ? `VMs of role ${role} are together, on host ${first.host}`
            : `role ${role} is together with role ${first.role}, which is on host ${first.host}`,
        note: null,
      };
    },
  };
}
export type Ties = ReturnType<typeof createTies>;
