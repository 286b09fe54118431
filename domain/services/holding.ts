import type { Role, ServiceState } from '../../schemas/services/service.js';
import { blockerPlaces, type Deployment, parentPlaces } from './role-graph.js';
import { isUp, stateOfRoles } from './service-states.js';

type Held = Pick<Role, 'name' | 'state' | 'parents'>;

/** Roles that are not deployed before somebody releases them: those on hold, and those that wait behind such. By name. */
export function heldBack(roles: readonly Held[], deployment: Deployment): ReadonlySet<string> {
  const held = new Set(roles.flatMap(({ state }, at) => (state === 'HOLD' ? [at] : [])));
  if (held.size === 0) return new Set();
  const children = blockerPlaces(roles, deployment);
  // A set is gone through to its end, however much is put behind it meanwhile.
  for (const at of held) for (const child of children[at] ?? []) if (roles[child]?.state === 'PENDING') held.add(child);
  return new Set([...held].flatMap((at) => roles[at]?.name ?? []));
}

/** Whether all of these places of a service are deployed that may be. */
export function areDeployed(
  roles: readonly Held[],
  deployment: Deployment,
  isAsked: (at: number) => boolean = () => true,
): boolean {
  const back = heldBack(roles, deployment);
  return roles.every(({ name, state }, at) => !isAsked(at) || isUp(state) || back.has(name));
}

/**
 * With roles that are to be deployed, those that wait behind them, and what these wait for besides: whoever deploys the ones has to
 * have the others, or they are left. Roles that were deployed once are waited for no more.
 */
export function withWaiting(
  roles: readonly Held[],
  deployment: Deployment,
  names: ReadonlySet<string>,
): ReadonlySet<string> {
  const back = heldBack(roles, deployment);
  const [parents, children] = [parentPlaces(roles, deployment), blockerPlaces(roles, deployment)];
  const waits = (at: number): boolean => roles[at]?.state === 'PENDING' && !back.has(roles[at]?.name ?? '');
  const places = new Set(roles.flatMap(({ name }, at) => (names.has(name) ? [at] : [])));
  for (const at of places) {
    for (const child of children[at] ?? []) if (waits(child)) places.add(child);
    if (!waits(at)) continue;
    for (const parent of parents[at] ?? []) if (undeployed.has(roles[parent]?.state ?? 'DONE')) places.add(parent);
  }
  return new Set([...places].flatMap((at) => roles[at]?.name ?? []));
}

/** States of roles that their deployment has not led to its end. */
const undeployed: ReadonlySet<ServiceState> = new Set(['PENDING', 'DEPLOYING', 'FAILED_DEPLOYING']);

/**
 * What a service is of which no operation has the whole. One whose deployment failed is that until every role was deployed that
 * may be, and DEPLOYING while an operation has one of those that were not.
 */
export function stateByRoles(
  state: ServiceState,
  roles: readonly (Held & Partial<Pick<Role, 'operation'>>)[],
  deployment: Deployment,
): ServiceState {
  if (state !== 'DEPLOYING' && state !== 'FAILED_DEPLOYING') return stateOfRoles(roles);
  const back = heldBack(roles, deployment);
  const left = roles.filter((role) => undeployed.has(role.state) && !back.has(role.name));
  if (left.length === 0) return stateOfRoles(roles);
  return left.some(({ operation }) => operation) ? 'DEPLOYING' : 'FAILED_DEPLOYING';
}
