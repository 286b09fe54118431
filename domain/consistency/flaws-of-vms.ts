import { type Kinds, ofVm } from './flaw-kinds.js';
import { capacity, strayOperations } from './flaw-words.js';

/** What may be wrong with VMs, by their documents. */
export const vmFlaws = {
  vm_abandoned: {
    ...ofVm,
    what: 'A VM is in the middle of a step, and no operation is at work on it',
    detail: ({ lcm_state }) => `It is ${lcm_state}, and no operation is at work on it.`,
    repair: 'calls it failed or UNKNOWN, and lets go of it; a recovery of its service replaces it',
    advice: null,
  },
  vm_operation_stale: {
    ...ofVm,
    what: 'A VM names an operation as at work on it that has ended or does not exist',
    detail: ({ op }) => `It names operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  vm_wanted_stale: {
    ...ofVm,
    what: 'A VM is kept for an operation that has ended or does not exist',
    detail: ({ op }) => `It is kept for operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  vm_hold_stale: {
    ...ofVm,
    what: 'A VM is held by an operation that has ended or does not exist',
    detail: ({ hold }) => `It is held by operation ${hold.op}, which has ended or does not exist.`,
    repair: 'lets go of the VM',
    advice: null,
  },
  vm_waits_for_nothing: {
    ...ofVm,
    what: 'A VM is PENDING, no operation will deploy it, and none has failed to or was cancelled',
    detail: () => 'It is PENDING, and no operation will deploy it.',
    repair: null,
    advice: 'End it: arcus vm terminate <vm>',
  },
  vm_without_service: {
    ...ofVm,
    what: 'A VM that is not DONE belongs to a service, or to a role of it, that does not exist',
    detail: ({ service: id, role, lacks }) =>
      lacks === 'service'
        ? `It belongs to service ${id}, which does not exist.`
        : `It belongs to role ${role} of service ${id}, which has no such role.`,
    repair: null,
    advice: 'See what runs in it, then end it: arcus vm terminate <vm>',
  },
  vm_owner_differs: {
    ...ofVm,
    what: 'A VM of a service has another owner or another group than the service',
    detail: ({ service: id, is, should }) =>
      `It is of user ${is.uid} and group ${is.gid}; service ${id} is of user ${should.uid} and group ${should.gid}.`,
    repair: 'gives the VM and its operations to the owner and the group of the service',
    advice: null,
  },
  vm_operation_owner_differs: {
    ...ofVm,
    what: 'Operations on a VM have another owner, group or permissions than the VM',
    detail: strayOperations,
    repair: 'gives them, those that have ended among them, what the VM has',
    advice: null,
  },
  vm_without_host: {
    ...ofVm,
    what: 'A VM is ACTIVE on no host, or on one that does not exist',
    detail: ({ host: id }) =>
      id === null ? 'It is ACTIVE, and on no host.' : `It is on host ${id}, which does not exist.`,
    repair: null,
    advice:
      'On no host: end it with arcus vm terminate <vm>. On one that does not exist: put its document back from a backup first.',
  },
  vm_done_on_host: {
    ...ofVm,
    what: 'A VM is DONE, and its stay on a host has not ended',
    detail: () => 'It is DONE, and its stay on a host has not ended.',
    repair: 'ends the stay',
    advice: null,
  },
  vm_not_reserved: {
    ...ofVm,
    what: 'A VM is on a host that has nothing reserved for it',
    detail: ({ host: id, capacity: size }) =>
      `It is on host ${id}, where nothing is reserved for it (${capacity(size)}).`,
    repair: 'reserves what the VM has, even where that overcommits the host',
    advice: null,
  },
} as const satisfies Kinds;
