import { settle } from './operation.js';

/**
 * Visits each role as soon as all those that it waits for were visited with success; the others never are. Ends when
 * everything that could be visited was.
 */
export async function inOrder<R extends { name: string }>(
  roles: readonly R[],
  waitsFor: (role: R) => readonly string[],
  visit: (role: R) => Promise<boolean>,
): Promise<void> {
  const named = new Map(roles.map((role) => [role.name, role]));
  const visits = new Map<string, Promise<boolean>>();
  const visited = (name: string): Promise<boolean> => {
    const role = named.get(name);
    const known = visits.get(name);
    if (known || !role) return known ?? Promise.resolve(true);
    const going = Promise.all(waitsFor(role).map(visited)).then((results) => results.every(Boolean) && visit(role));
    visits.set(name, going);
    return going;
  };
  await settle(roles.map((role) => visited(role.name)));
}
