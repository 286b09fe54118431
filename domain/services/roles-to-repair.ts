import type { Role, Service, ServiceState } from '../../schemas/services/service.js';
import { heldBack, withWaiting } from './holding.js';
import { tiesIn } from './role-placement.js';

/** States of a service in which a repair may begin: also while roles of it are scaled, or could not be. */
export const repairable: readonly ServiceState[] = ['WARNING', 'SCALING', 'FAILED_SCALING'];

/** Of roles that were deployed, those that are not as they should be; of one that a repair has, what it says meanwhile. */
const amiss: readonly ServiceState[] = ['WARNING', 'DEPLOYING', 'FAILED_DEPLOYING'];

/**
 * The roles that a repair takes: those that are amiss, and those whose VMs have to be on one host with theirs, for they may all
 * have to leave it. `only`: the one that is asked for; absent: all.
 */
export function rolesToRepair(roles: readonly Pick<Role, 'name' | 'state' | 'placement'>[], only?: string): string[] {
  const ties = tiesIn(roles);
  const its = new Set<string>();
  for (const { name, state } of roles) {
    if (its.has(name) || !amiss.includes(state) || (only !== undefined && name !== only)) continue;
    for (const one of [name, ...(ties(name)?.together ?? [])]) its.add(one);
  }
  return roles.flatMap(({ name, state }) => (its.has(name) && state !== 'HOLD' ? [name] : []));
}

type Deployed = Pick<Service, 'roles'> & { body: Pick<Service['body'], 'deployment'> };

/** States of a service in which what failed of its deployment may be gone on with, also while others do so with other roles. */
export const recoverable: readonly ServiceState[] = ['FAILED_DEPLOYING', 'DEPLOYING'];

/**
 * The roles that a recovery of a deployment takes: those that are amiss, with those whose VMs have to be on one host with theirs;
 * and those that wait, but for what is on hold. `only`: the one that is asked for, and what waits behind it; absent: all.
 */
export function rolesToRecover({ roles, body: { deployment } }: Deployed, only?: string): string[] {
  const amiss = rolesToRepair(roles, only);
  const back = heldBack(roles, deployment);
  const waiting = roles.filter(
    ({ name, state }) => state === 'PENDING' && !back.has(name) && (only === undefined || only === name),
  );
  return inOrder(roles, withWaiting(roles, deployment, new Set([...amiss, ...waiting.map(({ name }) => name)])));
}

/** States of a service in which what is on hold may be released: where something is amiss, that is mended first. */
export const releasable: readonly ServiceState[] = ['HOLD', 'SCALING', 'FAILED_SCALING', 'DEPLOYING'];

/**
 * The roles that a release takes: those on hold, or the one of them that is named, and those that waited for these alone. `held`: of
 * them, those that are on hold.
 */
export function rolesToRelease(
  { roles, body: { deployment } }: Deployed,
  only?: string,
): { held: string[]; takes: string[] } {
  const held = roles.flatMap(({ name, state }) =>
    state === 'HOLD' && (only === undefined || name === only) ? [name] : [],
  );
  const released = new Set(held);
  const after = roles.map((role) => (released.has(role.name) ? { ...role, state: 'PENDING' as const } : role));
  return { held, takes: inOrder(roles, withWaiting(after, deployment, released)) };
}

const inOrder = (roles: readonly Pick<Role, 'name'>[], names: ReadonlySet<string>): string[] =>
  roles.flatMap(({ name }) => (names.has(name) ? [name] : []));
