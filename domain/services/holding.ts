import type { Role } from '../../schemas/services/service.js';
import { type Deployment, parentPlaces } from './role-graph.js';
import { isUp } from './service-states.js';

type Held = Pick<Role, 'name' | 'state' | 'parents'>;

/** Roles that are not deployed before somebody releases them: those on hold, and those that wait behind such. By name. */
export function heldBack(roles: readonly Held[], deployment: Deployment): ReadonlySet<string> {
  const held = new Set(roles.flatMap(({ state }, at) => (state === 'HOLD' ? [at] : [])));
  if (held.size === 0) return new Set();
  const children: number[][] = roles.map(() => []);
  for (const [child, parents] of parentPlaces(roles, deployment).entries())
    for (const parent of parents) children[parent]?.push(child);
  // A set is gone through to its end, however much is put behind it meanwhile.
  for (const at of held) for (const child of children[at] ?? []) if (roles[child]?.state === 'PENDING') held.add(child);
  return new Set([...held].flatMap((at) => roles[at]?.name ?? []));
}

/** Whether all of a service is deployed that may be. */
export function isAllDeployed(roles: readonly Held[], deployment: Deployment): boolean {
  const back = heldBack(roles, deployment);
  return roles.every(({ name, state }) => isUp(state) || back.has(name));
}
