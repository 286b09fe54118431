import { type Kinds, ofService } from './flaw-kinds.js';
import { strayOperations, vms } from './flaw-words.js';

/** What may be wrong with services and their roles. */
export const serviceFlaws = {
  service_abandoned: {
    ...ofService,
    what: 'A service is in a state of work, and no operation is at work on it',
    detail: ({ state }) => `It is ${state}, and no operation is at work on it.`,
    repair:
      'calls it and its roles FAILED_DEPLOYING, FAILED_UNDEPLOYING or FAILED_SCALING, from where `recover` goes on',
    advice: null,
  },
  service_operation_stale: {
    ...ofService,
    what: 'A service names an operation as at work on it that has ended or does not exist',
    detail: ({ op }) => `It names operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  service_wanted_stale: {
    ...ofService,
    what: 'A service is kept for an operation that has ended or does not exist',
    detail: ({ op }) => `It is kept for operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  service_hold_stale: {
    ...ofService,
    part: ({ role }) => role,
    what: 'A role is held by an operation that has ended or does not exist',
    detail: ({ role, op }) => `Its role ${role} is held by operation ${op}, which has ended or does not exist.`,
    repair: 'lets go of the role',
    advice: null,
  },
  service_done_with_vms: {
    ...ofService,
    what: 'A service is DONE and has VMs that are not',
    detail: ({ vms: left }) => `It is DONE, and ${vms(left)} of it ${left === 1 ? 'is' : 'are'} not.`,
    repair: 'calls it and the roles that have VMs FAILED_UNDEPLOYING, from where `recover` goes on',
    advice: null,
  },
  service_operation_owner_differs: {
    ...ofService,
    what: 'Operations on a service have another owner, group or permissions than the service',
    detail: strayOperations,
    repair: 'gives them, those that have ended among them, what the service has',
    advice: null,
  },
  service_network_missing: {
    ...ofService,
    part: ({ network }) => network,
    what: 'A network that was made for a service is not there',
    detail: ({ network, name }) => `Virtual network ${network}, which was made for it as ${name}, is not there.`,
    repair: 'writes down that it is not there: a deployment makes it anew, and an undeployment does not look for it',
    advice: null,
  },
  role_operation_stale: {
    ...ofService,
    part: ({ role }) => role,
    what: 'A role names an operation as at work on it alone that has ended or does not exist',
    detail: ({ role, op }) => `Its role ${role} names operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  role_state_wrong: {
    ...ofService,
    part: ({ role }) => role,
    what: 'The state of a role does not go with that of its service, on which nobody is at work',
    detail: ({ role, is, state }) => `Its role ${role} is ${is}, which does not go with a service that is ${state}.`,
    repair:
      'gives the role the state that goes with it; a RUNNING service becomes FAILED_DEPLOYING or FAILED_SCALING, from where `recover` goes on',
    advice: null,
  },
  role_incomplete: {
    ...ofService,
    part: ({ role }) => role,
    what: 'A role is RUNNING with fewer running VMs than its cardinality',
    detail: ({ role, running, cardinality }) =>
      `Its role ${role} is RUNNING, and ${running} of ${vms(cardinality)} ${running === 1 ? 'runs' : 'run'}.`,
    repair: 'calls the role WARNING and, where it was deployed, its service: `repair` or `recover` goes on',
    advice: null,
  },
  role_surplus: {
    ...ofService,
    part: ({ role }) => role,
    what: 'A role is RUNNING with more VMs than its cardinality',
    detail: ({ role, present, cardinality }) =>
      `Its role ${role} has ${vms(present)}, and its cardinality is ${cardinality}.`,
    repair: null,
    advice: 'Choose which of them to end: arcus vm terminate <vm>',
  },
  role_number_twice: {
    ...ofService,
    part: ({ role }) => role,
    what: 'Two VMs of a role have the same number',
    detail: ({ role }) => `Two VMs of its role ${role} have the same number.`,
    repair: null,
    advice:
      'End one of the two (arcus vm terminate <vm>), and start the api again: the unique index of VMs is missing.',
  },
} as const satisfies Kinds;
