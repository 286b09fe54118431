import type { RoleTies } from '../schemas/placement.js';
import type { Refusal } from './placement-refusals.js';

/** A VM of a service that has rules about which hosts it shares with others. */
export type Tied = RoleTies & { service: number; role: string };

/** A VM of a service that has its place. */
export type Sibling = { service: number; role: string; host: number };

/** Where the VMs of services are, those of the plan so far included. */
export function createTies(siblings: readonly Sibling[]) {
  /** By service and role: VMs on each host. */
  const places = new Map<string, Map<number, number>>();
  const placesOf = (service: number, role: string): Map<number, number> => {
    const key = `${service}/${role}`;
    const known = places.get(key) ?? new Map<number, number>();
    places.set(key, known);
    return known;
  };
  const add = ({ service, role, host }: Sibling): void => {
    const its = placesOf(service, role);
    its.set(host, (its.get(host) ?? 0) + 1);
  };
  siblings.forEach(add);

  return {
    add,
    /** VMs of the same role on a host. */
    ofRole: ({ service, role }: Tied, host: number): number => placesOf(service, role).get(host) ?? 0,
    /** Whether none of those that it must be with has a place yet. */
    isFirst: ({ service, together }: Tied): boolean => together.every((role) => placesOf(service, role).size === 0),
    refuses({ service, role, together, apart }: Tied, host: number): Refusal | null {
      const other = apart.find((name) => placesOf(service, name).has(host));
      if (other !== undefined)
        return {
          text:
            other === role
              ? `VMs of role ${role} are apart, and one is there`
              : `role ${role} is apart from role ${other}, which has a VM there`,
          note: null,
        };
      const companions = together.filter((name) => placesOf(service, name).size > 0);
      const [first] = companions;
      if (first === undefined || companions.some((name) => placesOf(service, name).has(host))) return null;
      const [where] = placesOf(service, first).keys();
      return {
        text:
          first === role
            ? `VMs of role ${role} are together, on host ${where}`
            : `role ${role} is together with role ${first}, which is on host ${where}`,
        note: null,
      };
    },
  };
}
export type Ties = ReturnType<typeof createTies>;
