import type { RetriesOn } from '../operations/retrying.js';
import { flushHostAgain } from '../vms/host-flush.js';
import { failOverHostAgain } from './failover.js';
import { testFencingAgain } from './fencing-test.js';

/** Of hosts: what takes their VMs elsewhere. */
export const hostRetries: RetriesOn<'host'> = {
  flushHost: (context, caller, { resource: { id } }, asked) => flushHostAgain(context, caller, id, asked),
  failoverHost: (context, caller, { resource: { id }, input: { action, stopped } }, asked) =>
    failOverHostAgain(context, caller, id, { action, stopped }, asked),
  testFencing: (context, caller, { resource: { id } }, asked) => testFencingAgain(context, caller, id, asked),
};
