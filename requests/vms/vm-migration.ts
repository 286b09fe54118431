import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { placeOf } from '../../domain/vms/stays.js';
import { migratable } from '../../domain/vms/vm-moves.js';
import { movesWithout } from '../../domain/vms/vm-snapshots.js';
import { isVmRunning } from '../../domain/vms/vm-states.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { MigrateVm } from '../../schemas/vms/vm.js';
import { demandOn } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, repeatedRequest } from '../operations/admit.js';
import { refuseUnable } from './refuse-unable.js';
import { beginOnVm, findVm } from './vm-recovery.js';

/**
 * Takes a VM to another host of its cluster: to the one that is named, or where it fits. What it does there is what it did. It needs
 * the ADMIN right on the VM, and MANAGE on a host that is named, as in OpenNebula.
 */
export async function migrateVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { host, live }: MigrateVm,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const act: Act = { do: 'migrate', host: host ?? null, live };
  const vm = await findVm(context, caller, id, act);
  if (host !== undefined) authorised(caller, 'host', await store.hosts.find(host), 'manage', host);
  const request = { deed: 'migrate', id, host: host ?? null, live };
  const repeated = await repeatedRequest(context, caller, admission, request);
  if (repeated) return repeated;
  await demandOn(store, act, { type: 'vm', vm, service: null });
  const from = placeOf(vm)?.hid;
  if (from === undefined) throw new Problem('wrong_state', `VM ${id} has no host.`);
  if (from === host && !vm.moving) throw new Problem('wrong_state', `VM ${id} is on host ${host} already.`);
  return migrateVmAgain(context, caller, id, { from, host: host ?? null, live }, { request, admission });
}

export async function migrateVmAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  input: OperationInputs['migrateVm'],
  asked: Asked,
): Promise<OperationResource> {
  const { host, live } = input;
  const act: Act = { do: 'migrate', host, live };
  const vm = await findVm(context, caller, id, act);
  // One that does not run is carried over, however it is asked for.
  if (!live || !isVmRunning(vm)) refuseUnable(vm, 'migrate');
  return beginOnVm(context, 'migrateVm', input, act, migratable, caller, vm, asked, movesWithout([vm]));
}
