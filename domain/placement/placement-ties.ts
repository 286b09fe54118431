import type { HostState } from '../../schemas/hosts/host.js';
import type { RoleTies } from '../../schemas/placement/placement.js';
import type { Refusal } from './placement-refusals.js';

/** A VM of a service that has rules about which hosts it shares with others. */
export type Tied = RoleTies & { service: number; role: string };

/**
 * A VM of a service that has its place. `isLost`: its host has failed, and it is replaced or counts as gone. Nobody has to
 * be where it was; but as long as nobody knows that it is gone, those that are apart from it keep away.
 */
export type Sibling = { service: number; role: string; host: number; isLost?: boolean };

/**
 * Where the others are that the VMs of a role are bound to: by host, a role that is apart from it, and whether it is there
 * yet; the hosts of those that it is together with, and one of these.
 */
type Neighbours = {
  apart: ReadonlyMap<number, { role: string; isThere: boolean }>;
  companions: ReadonlySet<number>;
  first: { role: string; host: number } | undefined;
};

/** VMs of a role on one host, 0 where it is kept for them; whether those that are together with the role have to be there. */
type Place = { vms: number; binds: boolean };

/** Where the VMs of services are, those of the plan so far included. `states`: of hosts, for whoever reads of a refusal. */
export function createTies(siblings: readonly Sibling[], states: ReadonlyMap<number, HostState> = new Map()) {
  /** By service and role, then by host. */
  const places = new Map<string, Map<number, Place>>();
  const placesOf = (service: number, role: string): Map<number, Place> => {
    const key = `${service}/${role}`;
    const its = places.get(key) ?? new Map<number, Place>();
    places.set(key, its);
    return its;
  };
  /** By service, what is known of its roles as long as none of them comes to another host. */
  const known = new Map<number, Map<string, Neighbours>>();
  const add = ({ service, role, host, isLost = false }: Sibling): void => {
    const its = placesOf(service, role);
    const place = its.get(host) ?? { vms: 0, binds: false };
    const binds = place.binds || !isLost;
    if (place.vms === 0 || binds !== place.binds) known.delete(service);
    its.set(host, { vms: place.vms + 1, binds });
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
      for (const [host, { vms }] of placesOf(tied.service, name))
        if (!apart.has(host) && (vms > 0 || name !== tied.role)) apart.set(host, { role: name, isThere: vms > 0 });
    for (const name of tied.together)
      for (const [host, { binds }] of placesOf(tied.service, name)) {
        if (!binds) continue;
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
        its.set(host, { vms: its.get(host)?.vms ?? 0, binds: true });
      }
      known.delete(service);
    },
    /** VMs of the same role on a host. */
    ofRole: ({ service, role }: Tied, host: number): number => placesOf(service, role).get(host)?.vms ?? 0,
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
      const where = `host ${first.host}${whyNotThere(first.host, states.get(first.host))}`;
      return {
        text:
          first.role === role
            ? `VMs of role ${role} are together, on ${where}`
            : `role ${role} is together with role ${first.role}, which is on ${where}`,
        note: null,
      };
    },
  };
}

/** Why a host takes none of those that have to be there, and what an administrator can do about it. */
function whyNotThere(host: number, state: HostState = 'MONITORED'): string {
  switch (state) {
    case 'MONITORED':
      return '';
    case 'INIT':
      return ' that takes no VMs before it has been looked at';
    case 'ERROR':
      return ` that does not answer and may still run it: arcus host offline ${host}, once that is gone for good`;
    case 'DISABLED':
    case 'OFFLINE':
      return ` that is ${state}: arcus host enable ${host}`;
  }
}

export type Ties = ReturnType<typeof createTies>;
