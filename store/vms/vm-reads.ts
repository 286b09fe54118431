import { type Connection, type Model, mongo } from 'mongoose';
import { z } from 'zod';
import type { Caller } from '../../domain/identity/caller.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { type Vm, VmState, vmFields } from '../../schemas/vms/vm.js';
import { pageOf, visibleTo } from '../mongo/paging.js';
import { newOwnerOf } from './new-owner.js';
import { waitingForCapacity } from './waiting-vms.js';
import { readAtOnce, type WorkVm, workFields } from './work-vms.js';

type VmListQuery = ListQuery & { state?: VmState; service_id?: number };

/** What VMs there are. */
export interface VmReads {
  /** One of a service that is being given away is the new owner's from the moment on at which the service is. */
  find(id: number): Promise<Vm | null>;
  byIds(ids: readonly number[]): Promise<WorkVm[]>;
  /**
   * What each of these VMs is made of: much, and needed by whoever makes it alone. It is read from its bytes when it is
   * asked for: of the largest that takes milliseconds, and fifty are read at once.
   */
  contentsOf(ids: readonly number[]): Promise<ReadonlyMap<number, () => Vm['template']>>;
  /** Whoever asks for no state is shown those that are not DONE. */
  list(caller: Caller, query: VmListQuery): Promise<Page<Vm>>;
  anyWaiting(): Promise<boolean>;
  /** Which of these VMs has this domain; null: none. */
  withDomain(ids: readonly number[], deploy_id: string): Promise<number | null>;
}

export const vmReads = (connection: Connection, vms: Model<Vm>): VmReads => ({
  async find(id) {
    const vm = await vms.findById(id).lean<Vm>().exec();
    return vm?.service ? { ...vm, ...(await newOwnerOf(connection, vm.service.id)) } : vm;
  },
  byIds: (ids) =>
    vms
      .find({ _id: { $in: ids } }, workFields)
      .sort({ _id: 1 })
      .batchSize(readAtOnce)
      .lean<WorkVm[]>()
      .exec(),
  contentsOf: (ids) => contentsOf(connection, ids),
  list: (caller, query) => listVms(vms, caller, query),
  anyWaiting: async () => (await vms.exists(waitingForCapacity)) !== null,
  async withDomain(ids, deploy_id) {
    const found = await vms
      .findOne({ _id: { $in: [...ids] }, deploy_id }, { _id: 1 })
      .lean<Pick<Vm, '_id'>>()
      .exec();
    return found?._id ?? null;
  },
});

/** VMs that come in one answer with all that they are made of, for the same reason as `readAtOnce`. */
const wholeAtOnce = 10;

/** Of a VM as bytes, its contents as bytes. */
const WithContents = z.object({ _id: z.int(), template: z.instanceof(Uint8Array) });

async function contentsOf(
  connection: Connection,
  ids: readonly number[],
): Promise<ReadonlyMap<number, () => Vm['template']>> {
  const found = await connection
    .collection('vms')
    .aggregate<Uint8Array>([{ $match: { _id: { $in: [...ids] } } }, { $project: { template: 1 } }], {
      raw: true,
      batchSize: wholeAtOnce,
    })
    .toArray();
  const { deserialize } = mongo.BSON;
  return new Map(
    found.map((bytes) => {
      const { _id, template } = WithContents.parse(deserialize(bytes, { raw: true }));
      return [_id, () => deserialize(template)];
    }),
  );
}

/** Named one by one: a page of several states is merged from the index of each, while all but one would be a scan. */
const presentStates = VmState.options.filter((state) => state !== 'DONE');

const asksForState = ({ state, filter = [] }: VmListQuery): boolean =>
  state !== undefined || filter.some(({ field }) => field === 'state');

/** What is much of a VM, and not always shown. */
const parts = {
  template: { neededBy: ['template'], empty: {} },
  user_template: { neededBy: ['user_template', 'ready'], empty: {} },
  history: { neededBy: ['history', 'host', 'debugging'], empty: [] },
  log: { neededBy: [], empty: [] },
} as const;

const listVms = (vms: Model<Vm>, caller: Caller, query: VmListQuery): Promise<Page<Vm>> =>
  pageOf(
    vms,
    {
      ...visibleTo(caller, 'vm'),
      ...(query.state !== undefined && { state: query.state }),
      ...(!asksForState(query) && { state: { $in: presentStates } }),
      ...(query.service_id !== undefined && { 'service.id': query.service_id }),
    },
    query,
    { ids: 'number', list: vmFields, parts },
  );
