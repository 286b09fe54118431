import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { planPlacement } from '../../domain/placement/placement.js';
import { Problem } from '../../domain/problems.js';
import { statesOf } from '../../domain/vms/vm-action-states.js';
import { wishOn } from '../../domain/vms/vm-wish.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { DeployVm, Vm, VmResource } from '../../schemas/vms/vm.js';
import type { ScheduleWrite } from '../../store/vms/vm-schedules.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { repeatedRequest } from '../operations/admit.js';
import type { Precondition } from '../precondition.js';
import { namesFor, vmResource } from '../resources.js';
import { beginOnVm, findVm } from './vm-recovery.js';

// VMs that no host has: whether one is looked for, and which it is to be.

/**
 * Looks for no host until it is released. What is on hold has no run: a deployment that waits for a host ends as cancelled. The
 * precondition is compared first; what happens after that, the guards of the write decide.
 */
export async function holdVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  precondition: Precondition,
  also?: ScheduleWrite,
): Promise<VmResource> {
  const { store, directory } = context;
  const act: Act = { do: 'hold' };
  const vm = await findVm(context, caller, id, act);
  await precondition.demand(async () => vmResource(vm, await namesFor(directory, caller, [vm])));
  await demandOn(store, act, { type: 'vm', vm, service: null });
  await waitsNoMore(context, vm);
  const held = vm.state === 'HOLD' ? vm : await store.vms.hold(id, also);
  if (!held) throw await whyLost(store, act, { type: 'vm', id });
  return vmResource(held, await namesFor(directory, caller, [held]));
}

/** Looks for a host, from now on as for any other. */
export async function releaseVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const act: Act = { do: 'releaseVm' };
  const vm = await findVm(context, caller, id, act);
  const request = { deed: 'release', id };
  const repeated = await repeatedRequest(context, caller, admission, request);
  if (repeated) return repeated;
  await demandOn(store, act, { type: 'vm', vm, service: null });
  return beginOnVm(context, 'deployVm', {}, act, ['HOLD'], caller, vm, { request, admission });
}

/**
 * Deploys a VM to the host that is named, whatever it requires of one. It needs the ADMIN right on the VM and MANAGE on the host, as in
 * OpenNebula. A host that does not take it now is said so before anything is changed.
 */
export async function deployVmOn(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { host }: DeployVm,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const act: Act = { do: 'deployOn', host };
  const vm = await findVm(context, caller, id, act);
  authorised(caller, 'host', await store.hosts.find(host), 'manage', host);
  const request = { deed: 'deploy', id, host };
  const repeated = await repeatedRequest(context, caller, admission, request);
  if (repeated) return repeated;
  await demandOn(store, act, { type: 'vm', vm, service: null });
  const hosts = (await store.hosts.snapshot()).filter((one) => one.id === host);
  const siblings = vm.service ? await store.vms.siblings([vm.service.id]) : [];
  const [refused] = planPlacement(hosts, [wishOn(vm)], undefined, {
    ...{ siblings, datastores: await store.vmDatastores.snapshot() },
  }).unplaced;
  if (refused) throw new Problem('wrong_state', `Host ${host} does not take VM ${id}: ${refused.reason}`);
  await waitsNoMore(context, vm);
  return beginOnVm(context, 'deployVm', { host }, act, statesOf('deploy'), caller, vm, { request, admission });
}

/** Ends a deployment that waits for a host, as it was seen: one that has found one meanwhile goes on. */
async function waitsNoMore({ store }: OperationsContext, { operation }: Vm): Promise<void> {
  const waiting = operation === null ? null : await store.operations.find(operation);
  if (waiting?.state === 'waiting') await store.endings.endCancelled(waiting);
}
