import type { Caller } from '../../domain/identity/caller.js';
import { explainPlacement } from '../../domain/placement/placement.js';
import { recordFor } from '../../domain/placement/placement-demands.js';
import { placementText } from '../../domain/placement/placement-text.js';
import { wishOf } from '../../domain/vms/vm-wish.js';
import type { VmPlacement } from '../../schemas/placement/placement.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

/**
 * Why a VM is on its host, as it was written down; or why it has none, as hosts are now. Who may not USE a host is told of
 * it what he could ask for by a requirement, and no value of an attribute.
 */
export async function showVmPlacement(context: OperationsContext, caller: Caller, id: number): Promise<VmPlacement> {
  const { store } = context;
  const vm = authorised(caller, 'vm', await store.vms.find(id), 'use', id);
  const wish = wishOf(vm);
  const waits = vm.state === 'PENDING';
  const services = waits && wish.tied ? [wish.tied.service] : [];
  const [hosts, siblings, waiting, datastores] = await Promise.all([
    waits ? store.hosts.snapshot() : [],
    store.vms.siblings(services),
    store.vms.waitingTogether(services),
    waits && wish.storage ? store.vmDatastores.snapshot() : [],
  ]);
  const stay = waits ? undefined : vm.history.at(-1);
  const written = stay?.placed ?? null;
  const told = [...(stay ? [stay.hid] : []), ...(written?.others ?? []).map(({ host }) => host)];
  const seen = await store.hosts.seenBy(caller, waits ? hosts.map(({ id: one }) => one) : told);
  const sees = (one: number): boolean => seen.has(one);
  const now = explainPlacement(hosts, wish, { siblings, waiting, datastores }, sees);
  const record = written && recordFor(written, stay?.hid ?? null, sees);
  const isSought = vm.hold !== null || vm.operation !== null;
  const left = waits && !isSought ? (vm.reason ?? 'no operation is at work on it') : null;
  const host = stay ? { id: stay.hid, name: stay.hostname } : null;
  return {
    vm: id,
    text: placementText({ vm, host, left, record, isOver: vm.state === 'DONE', hosts: hosts.length, ...now }),
    host,
    placed_at: stay?.stime.toISOString() ?? null,
    requirements: wish.requirements ?? null,
    rank: wish.rank ?? null,
    record,
    ...now,
  };
}
