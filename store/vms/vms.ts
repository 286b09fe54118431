import type { Connection, Model } from 'mongoose';
import { amissStates, placedStates, storedVmState } from '../../domain/vms/vm-states.js';
import { type Vm, type VmEdit, vmFields } from '../../schemas/vms/vm.js';
import { chargeIndex, type QuotaStore } from '../identity/quotas.js';
import { modelOf, setWhole } from '../mongo/model.js';
import { pageIndexes, sortIndexes } from '../mongo/paging.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { createSiblings, type Siblings } from './siblings.js';
import { createVmAdmissions, type VmAdmissions } from './vm-admissions.js';
import { createVmDebugging, type VmDebugging } from './vm-debugging.js';
import { pushLine } from './vm-guards.js';
import type { VmHoldings } from './vm-holdings.js';
import { createVmHolds, type VmHolds } from './vm-holds.js';
import { type VmReads, vmReads } from './vm-reads.js';
import { createVmReasons, type VmReasons } from './vm-reasons.js';
import type { ScheduleWrite } from './vm-schedules.js';
import { createVmTransitions, type Departures, type VmTransitions } from './vm-transitions.js';
import { type VmsInTransit, vmsInTransit } from './vms-in-transit.js';
import { type VmsOfService, vmsOfService } from './vms-of-service.js';

export interface VmStore
  extends VmReads,
    VmsOfService,
    VmsInTransit,
    VmAdmissions,
    VmReasons,
    VmHolds,
    VmDebugging,
    VmTransitions {
  readonly model: Model<Vm>;
  readonly siblings: Siblings;
  /** One of its own, in the transaction that admits the operation which deploys it. */
  insert(vm: Vm, transaction: Transaction): Promise<void>;
  /** One that has no host, and for which nobody looks for one: from now on that is to be so. null: it is not like that any more. */
  hold(id: number, also?: ScheduleWrite): Promise<Vm | null>;
  setEdited(id: number, edited: VmEdit, transaction: Transaction): Promise<Vm | null>;
}

export function createVmStore(
  connection: Connection,
  charged: { quotas: QuotaStore; departures: Departures; holdings: VmHoldings },
): VmStore {
  const vms = modelOf<Vm>(connection, 'vms', Number, [
    {
      fields: { 'service.id': 1, 'service.role': 1, 'service.ordinal': 1 },
      options: { name: 'by_service', unique: true, partialFilterExpression: { 'service.id': { $exists: true } } },
    },
    { fields: { state: 1, _id: 1 } },
    ...pageIndexes('state'),
    ...sortIndexes(vmFields),
    {
      fields: { 'hold.op': 1 },
      options: { name: 'by_hold', partialFilterExpression: { 'hold.op': { $exists: true } } },
    },
    {
      fields: { lcm_state: 1, 'service.id': 1 },
      options: {
        name: 'amiss_or_unknown',
        partialFilterExpression: {
          lcm_state: { $in: [...amissStates] },
        },
      },
    },
    {
      // What monitoring asks of every host at each tick is answered from it: VMs on their way are not in it.
      fields: { 'history.hid': 1, state: 1, lcm_state: 1, 'sighting.missing': 1, _id: 1 },
      options: {
        name: 'by_place_and_state',
        partialFilterExpression: {
          state: { $in: [...placedStates] },
          lcm_state: { $in: ['RUNNING', 'UNKNOWN', 'BOOT_FAILURE', 'LCM_INIT'] },
        },
      },
    },
    { fields: { 'nics.security_groups': 1 }, options: { sparse: true } },
    {
      // What disks of VMs come to in each datastore is summed up from it.
      fields: { 'datastore.id': 1, 'datastore.at': 1, 'datastore.mb': 1 },
      options: { name: 'by_datastore', partialFilterExpression: { 'datastore.id': { $exists: true } } },
    },
    {
      fields: { 'schedule.due_at': 1 },
      options: { name: 'due', partialFilterExpression: { 'schedule.due_at': { $gt: new Date(0) } } },
    },
    {
      fields: { 'resched.next': 1 },
      options: { name: 'to_be_moved', partialFilterExpression: { 'resched.next': { $exists: true } } },
    },
    chargeIndex,
  ]);
  return {
    model: vms,
    siblings: createSiblings(connection, vms),
    insert: async (vm, transaction) => {
      await charged.holdings.take([vm], transaction);
      await vms.create([vm], within(transaction));
    },
    hold: (id, also) => held(vms, id, also),
    setEdited: (id, edited, transaction) => setWhole(vms, id, edited, transaction),
    ...vmReads(connection, vms),
    ...vmsOfService(connection, vms),
    ...vmsInTransit(vms),
    ...createVmAdmissions(connection, vms),
    ...createVmReasons(connection, vms),
    ...createVmHolds(connection, vms),
    ...createVmDebugging(connection, vms, charged.holdings),
    ...createVmTransitions(connection, vms, charged),
  };
}

const held = (vms: Model<Vm>, id: number, also?: ScheduleWrite): Promise<Vm | null> =>
  vms
    .findOneAndUpdate(
      { _id: id, state: 'PENDING', service: null, operation: null, wanted: null, hold: null, ...also?.guard },
      {
        $set: { ...storedVmState('HOLD'), reason: null, ...also?.set },
        ...pushLine({ at: new Date(), ...storedVmState('HOLD'), op: null, reason: null }),
      },
      { returnDocument: 'after' },
    )
    .lean<Vm>()
    .exec();
