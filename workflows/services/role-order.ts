import { settle } from '../operations/operation.js';

/**
 * Visits each role as soon as all those that it waits for were visited with success; the others never are. Ends when
 * everything that could be visited was. Roles wait for others by their place in the list; in the plans of an earlier version,
 * by name.
 */
export async function inOrder<R extends { name: string }>(
  roles: readonly R[],
  waitsFor: (role: R) => readonly (number | string)[],
  visit: (role: R) => Promise<boolean>,
): Promise<void> {
  const known = new Map<number | string, R>(
    roles.flatMap((role, at) => [[at, role] as const, [role.name, role] as const]),
  );
  const visits = new Map<R, Promise<boolean>>();
  const visited = (which: number | string): Promise<boolean> => {
    const role = known.get(which);
    const visiting = role && visits.get(role);
    if (visiting || !role) return visiting ?? Promise.resolve(true);
    const going = Promise.all(waitsFor(role).map(visited)).then((results) => results.every(Boolean) && visit(role));
    visits.set(role, going);
    return going;
  };
  await settle(roles.map((_, at) => visited(at)));
}
