import type { ServiceState } from '../../schemas/services/service.js';

// State → event → next state, in the order of OneFlow's numbers; an absent pair is illegal. A state in -ING accepts its
// own event again: a new run means that the old one ended, and holds fence the old one off. Undeploying pre-empts, so it
// is legal wherever something could still be left.

export type ServiceEvent =
  | 'deploy'
  | 'deployed'
  | 'fail_deploy'
  | 'undeploy'
  | 'undeployed'
  | 'fail_undeploy'
  /** VMs of what was deployed have failed, are lost or missing; all is well again. */
  | 'warn'
  | 'well'
  /** A repair, which deploys roles again, could not end well. */
  | 'fail_repair'
  /** A role is made larger or smaller; it is as wished, at once free for the next scaling or after a rest, or is not. */
  | 'scale'
  | 'scaled'
  | 'cool'
  | 'fail_scale'
  | 'cooled'
  /** What is left of it to be deployed waits until somebody releases it; somebody has. */
  | 'hold'
  | 'release';

type StateTable = Record<ServiceState, Partial<Record<ServiceEvent, ServiceState>>>;

/** The same of roles and of services: while operations are at work on roles alone, `stateOfRoles` says what a service is. */
const scaling = {
  SCALING: {
    scale: 'SCALING',
    scaled: 'RUNNING',
    cool: 'COOLDOWN',
    fail_scale: 'FAILED_SCALING',
    undeploy: 'UNDEPLOYING',
  },
  FAILED_SCALING: { scale: 'SCALING', undeploy: 'UNDEPLOYING' },
  COOLDOWN: { scale: 'SCALING', cooled: 'RUNNING', warn: 'WARNING', undeploy: 'UNDEPLOYING' },
} as const satisfies Partial<StateTable>;

export const serviceStates = {
  // A deployment that was admitted but whose run never began fails from here.
  PENDING: { deploy: 'DEPLOYING', fail_deploy: 'FAILED_DEPLOYING', undeploy: 'UNDEPLOYING' },
  DEPLOYING: {
    deploy: 'DEPLOYING',
    deployed: 'RUNNING',
    hold: 'HOLD',
    fail_deploy: 'FAILED_DEPLOYING',
    undeploy: 'UNDEPLOYING',
  },
  RUNNING: { warn: 'WARNING', scale: 'SCALING', undeploy: 'UNDEPLOYING' },
  UNDEPLOYING: { undeploy: 'UNDEPLOYING', undeployed: 'DONE', fail_undeploy: 'FAILED_UNDEPLOYING' },
  WARNING: {
    warn: 'WARNING',
    well: 'RUNNING',
    fail_repair: 'WARNING',
    scale: 'SCALING',
    cool: 'COOLDOWN',
    undeploy: 'UNDEPLOYING',
  },
  DONE: {},
  FAILED_UNDEPLOYING: { undeploy: 'UNDEPLOYING' },
  // Once what failed of it is gone or runs after all, it may be that every role was deployed.
  FAILED_DEPLOYING: { deploy: 'DEPLOYING', well: 'RUNNING', warn: 'WARNING', undeploy: 'UNDEPLOYING' },
  ...scaling,
  // Roles of it may run: what becomes of them is told as of a service that has none on hold.
  HOLD: {
    deploy: 'DEPLOYING',
    fail_deploy: 'FAILED_DEPLOYING',
    warn: 'WARNING',
    scale: 'SCALING',
    undeploy: 'UNDEPLOYING',
  },
} as const satisfies StateTable;

export const roleStates = {
  PENDING: { deploy: 'DEPLOYING', undeploy: 'UNDEPLOYING' },
  DEPLOYING: {
    deploy: 'DEPLOYING',
    deployed: 'RUNNING',
    fail_deploy: 'FAILED_DEPLOYING',
    fail_repair: 'WARNING',
    undeploy: 'UNDEPLOYING',
  },
  // A role of a service that is repaired is deployed again.
  RUNNING: { warn: 'WARNING', deploy: 'DEPLOYING', scale: 'SCALING', undeploy: 'UNDEPLOYING' },
  UNDEPLOYING: { undeploy: 'UNDEPLOYING', undeployed: 'DONE', fail_undeploy: 'FAILED_UNDEPLOYING' },
  WARNING: {
    warn: 'WARNING',
    well: 'RUNNING',
    deploy: 'DEPLOYING',
    scale: 'SCALING',
    cool: 'COOLDOWN',
    undeploy: 'UNDEPLOYING',
  },
  DONE: {},
  FAILED_UNDEPLOYING: { undeploy: 'UNDEPLOYING' },
  FAILED_DEPLOYING: { deploy: 'DEPLOYING', well: 'RUNNING', fail_repair: 'WARNING', undeploy: 'UNDEPLOYING' },
  ...scaling,
  HOLD: { undeploy: 'UNDEPLOYING', release: 'PENDING' },
} as const satisfies StateTable;

const next = (table: StateTable, state: ServiceState, event: ServiceEvent): ServiceState | undefined =>
  table[state][event];

/** The state of a service after an event, or undefined where the event is illegal. */
export const nextServiceState = (state: ServiceState, event: ServiceEvent): ServiceState | undefined =>
  next(serviceStates, state, event);

/** The state of a role after an event, or undefined where the event is illegal. */
export const nextRoleState = (state: ServiceState, event: ServiceEvent): ServiceState | undefined =>
  next(roleStates, state, event);

/**
 * What a service is of which no operation has the whole: SCALING before FAILED_SCALING, as any of its roles is; in WARNING when
 * one is not as it should be, for a repair does not wait for the cooldown of another; in HOLD while a role waits to be released,
 * and others behind it; else in COOLDOWN, or RUNNING.
 */
export function stateOfRoles(roles: readonly { state: ServiceState }[]): ServiceState {
  const states = new Set(roles.map(({ state }) => state));
  for (const state of ['SCALING', 'FAILED_SCALING'] as const) if (states.has(state)) return state;
  const isHeld = states.has('HOLD');
  const mayWait = (state: ServiceState): boolean => isHeld && (state === 'HOLD' || state === 'PENDING');
  if ([...states].some((state) => !isUp(state) && !mayWait(state))) return 'WARNING';
  if (isHeld) return 'HOLD';
  return states.has('COOLDOWN') ? 'COOLDOWN' : 'RUNNING';
}

/** Whether a service is called by roles that are scaled, or could not be: then what fails of it is theirs. */
export const isByScaling = (state: ServiceState): boolean => state === 'SCALING' || state === 'FAILED_SCALING';

/** Whether all of it runs; after a scaling it may rest from the next one. */
export const isUp = (state: ServiceState): boolean => state === 'RUNNING' || state === 'COOLDOWN';
