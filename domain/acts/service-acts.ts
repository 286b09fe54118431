import type { OperationInputs } from '../../schemas/operations/inputs.js';
import { recoverable, releasable, repairable } from '../services/roles-to-repair.js';
import { isByScaling } from '../services/service-states.js';
import { few } from '../words.js';
import type { FactsOf, RoleFacts, Work } from './facts.js';
import { type MayRetryOn, whereThere } from './retrying.js';
import { inTheWay, type Refusal, type Verdict, wrongState } from './verdict.js';

type Service = FactsOf<'service'>;
type Undeployment = OperationInputs['undeployService'];

/**
 * Goes on with what failed, whichever way it was going: of roles whose scaling has failed, with one after the other. What is
 * in WARNING is repaired; a cooldown ends.
 */
export function mayRecover(service: Service): Verdict {
  const { state, work, roles } = service;
  if (work) return atWork(service, work);
  if (state === 'WARNING') return mayRepair(service);
  if (state === 'COOLDOWN' || (isByScaling(state) && roles.some(hasFailedScaling))) return 'may';
  return isByScaling(state) && roles.some(({ amiss }) => amiss) ? mayRepair(service) : mayRecoverFailed(service);
}

/** Whether there is a scaling that has failed, of which what runs may be enough. */
export function mayGiveUp(service: Service): Verdict {
  const { id, state, work, roles } = service;
  if (work) return atWork(service, work);
  return roles.some(hasFailedScaling)
    ? 'may'
    : wrongState(`Service ${id} is ${state}: no scaling of it has failed that could be given up.`);
}

/** The same of a deployment, which takes the roles that it needs, or these; and of an undeployment. */
export function mayRecoverFailed(service: Service, only?: readonly string[]): Verdict {
  const { id, state, work, roles } = service;
  if (work) return atWork(service, work);
  if (state === 'FAILED_UNDEPLOYING') return 'may';
  const needed = roles.filter(({ name, amiss }) => amiss && (only === undefined || only.includes(name)));
  // What failed a moment ago may be in other hands by now.
  const busy = rolesInTheWay(id, needed.length > 0 ? needed : roles);
  if (busy) return busy;
  if (recoverable.includes(state) && needed.length > 0) return 'may';
  return wrongState(
    `Service ${id} is ${state}: only FAILED_DEPLOYING, FAILED_UNDEPLOYING and FAILED_SCALING can be recovered${state === 'WARNING' ? '. Repair it' : ''}.`,
  );
}

/** Whether a role is one that a recovery goes on with. */
const hasFailedScaling = ({ state, work }: RoleFacts): boolean => state === 'FAILED_SCALING' && work === null;

/** Whether the scaling of this role may be tried again. */
export function mayScaleAgain(service: Service, name: string): Verdict {
  const { id, work, roles } = service;
  if (work) return atWork(service, work);
  const role = roles.find((one) => one.name === name);
  if (role?.work) return roleInTheWay(id, { ...role, work: role.work });
  return role?.state === 'FAILED_SCALING'
    ? 'may'
    : wrongState(`Role ${name} of service ${id} is not FAILED_SCALING: there is nothing to go on with.`);
}

/**
 * Whether what is on hold may be deployed, whatever is done to other roles: all of it, or the role that is named. `takes`: the roles
 * that it takes, with those that wait for it.
 */
export function mayRelease(
  service: Service,
  { role: name, roles: takes = [] }: { role?: string; roles?: readonly string[] } = {},
): Verdict {
  const { id, state, work, roles } = service;
  if (work) return atWork(service, work);
  const held = roles.filter((role) => role.state === 'HOLD' && (name === undefined || role.name === name));
  if (held.length === 0) {
    // Somebody may have released it.
    const busy = rolesInTheWay(
      id,
      roles.filter((role) => name === undefined || role.name === name),
    );
    if (busy) return busy;
    return wrongState(
      name === undefined
        ? `Service ${id} is ${state}: nothing of it is on hold.`
        : `Role ${name} of service ${id} is not on hold: there is nothing to release.`,
    );
  }
  const busy = rolesInTheWay(
    id,
    roles.filter((role) => takes.includes(role.name)),
  );
  if (busy) return busy;
  if (releasable.includes(state)) return 'may';
  const first = state === 'WARNING' ? 'Repair it first' : 'Recover it first';
  return wrongState(`Service ${id} is ${state}: what is on hold is released of one that is in HOLD. ${first}.`);
}

/** Operations that a refusal tells of, at most. */
const mostTold = 5;

/** Why nothing that needs these roles is done: who has which of them. null: nobody has any. */
function rolesInTheWay(service: number, roles: readonly RoleFacts[]): Refusal | null {
  const taken = new Map<string, { work: Work; names: string[] }>();
  for (const { name, work } of roles)
    if (work) taken.set(work.op, { work, names: [...(taken.get(work.op)?.names ?? []), name] });
  const [first, ...others] = [...taken.values()];
  if (!first) return null;
  const told = [first, ...others].slice(0, mostTold).map(({ work: { op, kind, by }, names }) => {
    const which = `${names.length === 1 ? 'role' : 'roles'} ${few(names)}`;
    return `peration ${op} (${kind ?? 'unknown'}) is at work on ${which} of service ${service}${by === undefined ? '' : `, for ${by}`}`;
  });
  const [them, preempted] = others.length === 0 ? ['it', 'it'] : ['them', 'all'];
  return inTheWay(
    first.work,
    `O${told.join('; o')}. Wait for ${them} or cancel ${them}, or undeploy or delete the service, which pre-empts ${preempted}.`,
  );
}

/** Why nothing else is done to a role. */
export const roleInTheWay = (service: number, { name, work }: { name: string; work: Work }): Refusal =>
  inTheWay(
    work,
    `Operation ${work.op} (${work.kind ?? 'unknown'}) is at work on role ${name} of service ${service}${work.by === undefined ? '' : `, for ${work.by}`}. Wait for it or cancel it, or undeploy or delete the service, which pre-empts it.`,
  );

/** Whether the roles that are amiss, or the one that is named, may be made whole, whatever is done to others. */
export function mayRepair(service: Service, only?: string): Verdict {
  const { id, state, work, roles } = service;
  if (work) return atWork(service, work);
  const amiss = roles.filter((role) => role.amiss && (only === undefined || role.name === only));
  // What was amiss a moment ago may be in other hands by now.
  const busy = rolesInTheWay(id, amiss.length > 0 ? amiss : roles);
  if (busy) return busy;
  if (repairable.includes(state) && amiss.length > 0) return 'may';
  return wrongState(
    state === 'RUNNING' || state === 'WARNING'
      ? `Service ${id} is ${state}, and nothing of it is amiss: there is nothing to repair.`
      : `Service ${id} is ${state}: only what is in WARNING is repaired${state.startsWith('FAILED') ? '. Recover it' : ''}.`,
  );
}

/** Something may be done to VMs whatever else is going on, but for their being removed: each of them says whether it lets it. */
export function mayPerform(service: Service): Verdict {
  const { id, state, work, going } = service;
  if (state === 'DONE') return wrongState(`Service ${id} is DONE: it has no VMs any more.`);
  return going && work ? atWork(service, work) : 'may';
}

/** Whatever is going on gives way to an undeployment, an undeployment to a harder one, and each to a deletion. */
export function mayUndeploy(service: Service, wish: Undeployment): Verdict {
  const { id, state, work, going } = service;
  if (state === 'DONE' && !wish.remove)
    return wrongState(`Service ${id} is DONE: it is undeployed already. DELETE removes its document.`);
  return going && work && strength(wish) <= strength(going) ? atWork(service, work) : 'may';
}

const strength = ({ hard, remove }: Undeployment): number => (remove ? 2 : 0) + (hard === true ? 1 : 0);

export function atWork({ id, going }: Pick<Service, 'id' | 'going'>, { op, kind, state }: Work): Refusal {
  const wait = state === 'waiting_for_you' ? 'Answer' : 'Wait for';
  const preempts = going
    ? [
        ...(strength(going) % 2 === 0 ? ['undeploy it with hard'] : []),
        ...(strength(going) < 3 ? ['delete the service'] : []),
      ]
    : ['undeploy or delete the service'];
  const instead = preempts.length > 0 ? `, or ${preempts.join(' or ')}, which pre-empts it` : '';
  return inTheWay(
    { op, kind, state },
    `Operation ${op} (${kind ?? 'unknown'}) is at work on service ${id}. ${wait} it${instead}.`,
  );
}

export const serviceRetries: MayRetryOn<'service'> = {
  deployService: whereThere('service', (service) => mayRecoverFailed(service)),
  undeployService: whereThere('service', (service) => mayRecoverFailed(service)),
  repairService: whereThere('service', (service) => mayRepair(service)),
  scaleRole: whereThere('service', (service, { role }) => mayScaleAgain(service, role ?? '')),
  performOnRole: whereThere('service', mayPerform),
};
