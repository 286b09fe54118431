import { targetOf } from '../../adapters/hypervisor/host-target.js';
import type { Evidence, Flaw } from '../../domain/consistency/evidence.js';
import { domainName } from '../../domain/operations/names.js';
import { Problem, problemOf } from '../../domain/problems.js';
import type { FindingCode, FindingOutcome } from '../../schemas/consistency/consistency.js';
import { repair as repairOperation } from '../supervision/supervision.js';
import type { LookPorts } from './consistency-looks.js';
import {
  forgetCopy,
  removeContext,
  removeCopy,
  removeDisk,
  removeOrphanedCopy,
  removeStaging,
} from './image-repairs.js';

/** Resolves to whether it has repaired anything: what it was to repair may be gone. May be done again. */
type Repair<E> = (seen: E, ports: LookPorts) => Promise<boolean>;

const found = 'found by a check of consistency';

/** Who carries out what `flaws` says of each repair; null where it says that there is none. */
const repairs: { readonly [C in FindingCode]: Repair<Evidence[C]> | null } = {
  service_abandoned: (seen, { store }) => store.consistency.repairs.abandonService(seen),
  service_operation_stale: (seen, { store }) => store.consistency.repairs.clearServiceName(seen, 'operation'),
  service_wanted_stale: (seen, { store }) => store.consistency.repairs.clearServiceName(seen, 'wanted'),
  service_hold_stale: (seen, { store }) => store.consistency.repairs.releaseRole(seen),
  service_done_with_vms: async (seen, { store }) => {
    const left = await store.vms.ofService(seen.service);
    return store.consistency.repairs.reviveService(
      seen,
      left.flatMap(({ service }) => service?.role ?? []),
    );
  },
  service_operation_owner_differs: (seen, { store }) =>
    store.consistency.repairs.giveOperations('service', seen.service, seen),
  service_network_missing: (seen, { store }) => store.consistency.repairs.forgetNetwork(seen),
  role_operation_stale: (seen, { store }) => store.consistency.repairs.clearRoleName(seen),
  role_state_wrong: (seen, { store }) =>
    store.consistency.repairs.correctRole(seen, seen.is, seen.becomes, `it was ${seen.is}`),
  role_incomplete: async (seen, { store }) => {
    await store.health.refresh([seen.service]);
    const service = await store.services.find(seen.service);
    return service?.roles.some(({ name, state }) => name === seen.role && state === 'WARNING') ?? false;
  },
  role_surplus: null,
  role_number_twice: null,
  vm_abandoned: (seen, { store }) => store.consistency.repairs.abandonVm(seen),
  vm_operation_stale: (seen, { store }) => store.consistency.repairs.clearVmName(seen, 'operation'),
  vm_wanted_stale: (seen, { store }) => store.consistency.repairs.clearVmName(seen, 'wanted'),
  vm_hold_stale: (seen, { store }) => store.consistency.repairs.releaseVm(seen),
  vm_waits_for_nothing: null,
  vm_without_service: null,
  vm_owner_differs: (seen, { store }) => store.consistency.repairs.giveNode(seen),
  vm_operation_owner_differs: (seen, { store }) => store.consistency.repairs.giveOperations('vm', seen.vm, seen),
  vm_without_host: null,
  vm_done_on_host: (seen, { store }) => store.consistency.repairs.endStay(seen),
  vm_not_reserved: (seen, { store }) => store.consistency.repairs.reserve(seen),
  vm_lease_stale: ({ lease, vm: id, nic }, { store }) =>
    store.consistency.repairs.giveBack({ lease, holder: { type: 'vm', id, nic } }),
  nic_lease_missing: (seen, { store }) => store.consistency.repairs.takeBack(seen),
  nic_lease_taken: null,
  reservation_orphaned: (seen, { store }) => store.consistency.repairs.unreserve(seen),
  reservation_differs: (seen, { store }) => store.consistency.repairs.resizeReservation(seen),
  host_operation_stale: (seen, { store }) => store.consistency.repairs.clearHostName(seen),
  host_sums_wrong: (seen, { store }) => store.consistency.repairs.addUp(seen),
  host_overcommitted: null,
  host_unreachable: null,
  domain_orphaned: (seen, ports) => destroy(seen, ports),
  domain_doubtful: null,
  domain_elsewhere: (seen, ports) => destroy(seen, ports),
  domain_missing: ({ host: _host, name, ...seen }, { store }) =>
    store.consistency.repairs.loseVm(seen, `${name} has no domain of it`),
  domain_stopped: ({ host: _host, name, domain, ...seen }, { store }) =>
    store.consistency.repairs.loseVm(seen, `its domain on ${name} has ${domain}`),
  domain_older: ({ host: _host, name, domain, ...seen }, { store }) =>
    store.consistency.repairs.loseVm(seen, `its domain on ${name} is of epoch ${domain}, an earlier one`),
  domain_newer: (seen, { store }) => store.consistency.repairs.raiseEpoch(seen),
  image_abandoned: (seen, { store }) => store.consistency.images.abandon(seen),
  image_operation_stale: (seen, { store }) => store.consistency.images.clearName(seen, 'operation'),
  image_wanted_stale: (seen, { store }) => store.consistency.images.clearName(seen, 'wanted'),
  image_clone_stale: (seen, { store }) => store.consistency.images.forgetClone(seen),
  image_state_wrong: (seen, { store }) => store.consistency.images.correctState(seen),
  image_use_stale: (seen, { store }) => store.consistency.images.forgetUser(seen),
  image_use_missing: (seen, { store }) => store.consistency.images.nameUser(seen),
  image_without_bytes: null,
  image_bytes_orphaned: null,
  staging_orphaned: removeStaging,
  staging_left: null,
  copy_missing: forgetCopy,
  copy_orphaned: removeOrphanedCopy,
  copy_left: removeCopy,
  disk_left: removeDisk,
  disk_orphaned: null,
  disk_missing: null,
  context_left: removeContext,
  context_orphaned: null,
  datastore_strange_names: null,
  datastore_unreachable: null,
  image_app_stale: (seen, { store }) => store.consistency.markets.forgetApp(seen),
  app_abandoned: (seen, { store }) => store.consistency.markets.abandon(seen),
  app_operation_stale: (seen, { store }) => store.consistency.markets.clearName(seen, 'operation'),
  app_wanted_stale: (seen, { store }) => store.consistency.markets.clearName(seen, 'wanted'),
  app_export_stale: (seen, { store }) => store.consistency.markets.forgetExport(seen),
  app_without_bytes: null,
  app_bytes_orphaned: null,
  market_unreachable: null,
  operation_without_run: async ({ op }, { store, engine }) => {
    const operation = await store.operations.find(op);
    return (
      operation !== null && !['leave', 'hand_over', 'cancel'].includes(await repairOperation(store, engine, operation))
    );
  },
  operation_forgotten: async ({ op, state, resource }, { store }) => {
    const ended = await store.endings.end(op, {
      state: 'failed',
      error: { code: 'run_lost', detail: `It was ${state}, and ${resource} did not know of it: ${found}.` },
    });
    return ended !== null;
  },
  run_without_operation: async ({ workflowId, firstRunId }, { engine }) => {
    await engine.terminate(workflowId, { firstRunId }, `No operation goes on in it: ${found}.`);
    return true;
  },
  counter_behind: (seen, { store }) => store.consistency.repairs.raiseCounter(seen),
  lease_orphaned: (seen, { store }) => store.consistency.repairs.giveBack(seen),
  network_without_service: (seen, { store }) => store.consistency.repairs.letGoOfNetwork(seen),
  owner_missing: null,
  quota_drift: (seen, { store }) => store.quotas.recount(seen),
};

/**
 * Those whose repair is no guarded update of the very documents that were judged: they are looked at once more,
 * immediately before.
 */
export const looksFirst: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'domain_orphaned',
  'domain_elsewhere',
  'staging_orphaned',
  'copy_missing',
  'copy_orphaned',
  'disk_left',
  'context_left',
  'operation_forgotten',
  'run_without_operation',
]);

/** What became of a repair. What could not be reached is not tried again here: the next check finds it again. */
export async function repair<C extends FindingCode>(
  { code, seen }: Flaw<C>,
  ports: LookPorts,
): Promise<{ outcome: FindingOutcome; reason: string | null }> {
  const work: Repair<Evidence[C]> | null = repairs[code];
  if (work === null) return { outcome: 'found', reason: null };
  try {
    return { outcome: (await work(seen, ports)) ? 'repaired' : 'gone', reason: null };
  } catch (error) {
    ports.signal.throwIfAborted();
    const problem = problemOf(error);
    // A fault of ours, or MongoDB away: the step is tried again.
    if (!problem) throw error;
    return problem.code === 'stale_epoch'
      ? { outcome: 'gone', reason: problem.message }
      : { outcome: 'failed', reason: problem.message };
  }
}

/** A domain up to the epoch that was seen, and none that came after it. */
async function destroy(
  { host: id, vm, epoch }: Pick<Evidence['domain_orphaned'], 'host' | 'vm' | 'epoch'>,
  { store, hypervisors, signal }: LookPorts,
): Promise<boolean> {
  const host = await store.hosts.find(id);
  if (!host) throw new Problem('not_found', `Host ${id} does not exist any more.`);
  const target = targetOf(host);
  await hypervisors.of(target).destroy({ id: vm, domain: domainName(vm), host: target, epoch, hard: true }, signal);
  return true;
}
