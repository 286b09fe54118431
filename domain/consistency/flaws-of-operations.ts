import { type Kinds, ofOperation } from './flaw-kinds.js';

/** What may be wrong between operations and their runs. */
export const operationFlaws = {
  operation_without_run: {
    ...ofOperation,
    what: 'An operation goes on, and no run of it is open in Temporal',
    detail: ({ state, reason }) => `It is ${state}, and ${reason}.`,
    repair: 'starts it again, or ends it as failed when its run has failed, was terminated or timed out',
    advice: null,
  },
  operation_forgotten: {
    ...ofOperation,
    what: 'An operation waits, and its resource does not know of it: nobody will wake it',
    detail: ({ state, resource }) => `It is ${state}, and ${resource} does not know of it.`,
    repair: 'ends it as failed',
    advice: null,
  },
  run_without_operation: {
    section: 'runs',
    of: (seen) => seen.workflowId,
    resource: (seen) => ({ type: 'run', id: seen.workflowId }),
    what: 'A run is open in Temporal, and its operation has ended or does not exist',
    detail: ({ op, state }) =>
      `The run is open, and ${op === null ? 'names no operation' : `operation ${op} ${state === null ? 'does not exist' : `is ${state}`}`}.`,
    repair: 'terminates that run and no later one',
    advice: null,
  },
} as const satisfies Kinds;
