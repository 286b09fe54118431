import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import { argsOf } from '../../domain/scaling/performing.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { ActionArgs, VmAction } from '../../schemas/operations/vm-action.js';
import type { PerformAction } from '../../schemas/scaling/actions.js';
import type { PolicyPerforming } from '../../store/scaling/policy-scaling.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { asUser } from '../identity/as-user.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import { roleOf } from '../services/role-of.js';
import { askOfVm } from '../vms/ask-of-vm.js';
import { refuseUnable } from '../vms/refuse-unable.js';

const act: Act = { do: 'perform' };

/** In the transaction that admits it: whether it still may, and what is written with it. */
type Also = PolicyPerforming['claim'];
const nothingElse: Also = async () => true;

/** What decides it in the place of whoever asks. */
type Deciding = Pick<PolicyPerforming, 'by' | 'claim'>;

/** What was admitted, and on which VMs: those that there are now. */
export type Performing = { operation: OperationResource; vms: number[] };

/** Does something to every VM of a role, or of a service (null), some at a time; whatever else is at work there goes on. */
export async function performOnRole(
  context: OperationsContext,
  caller: Caller,
  id: number,
  role: string | null,
  { action, number, period, ...args }: PerformAction,
  admission: Admission,
  deciding?: Deciding,
): Promise<Performing> {
  const { store, settings } = context;
  const service = authorised(caller, 'service', await store.services.find(id), 'manage', id);
  const request = { deed: 'perform', id, role, action, ...args, number, period };
  const repeated = await repeatedRequest(context, caller, admission, request);
  if (repeated) return { operation: repeated, vms: vmsOf(await store.operations.find(repeated.id)) };
  if (role !== null) roleOf(service, role);
  const vms = (await store.vms.ofService(id, role === null ? undefined : [role])).map(({ _id }) => _id);
  // As OneFlow's configuration has it: who says one of the two has the other from there, and who says none has all at once.
  const isSliced = number !== undefined || period !== undefined;
  const input = {
    ...{ action, vms },
    ...argsOf(args),
    number: isSliced ? (number ?? settings.actionNumber ?? 1) : null,
    period: isSliced ? (period ?? settings.actionPeriod ?? 60) : 0,
    ...(deciding && { policy: { by: deciding.by } }),
  };
  const asked = { request, admission };
  return { operation: await admitted(context, caller, id, role, input, asked, deciding?.claim), vms };
}

/** Once more, of those of its VMs that have not taken it. */
export async function performAgain(
  context: OperationsContext,
  caller: Caller,
  { resource: { id }, role, input: { policy: _decided, ...input }, performed = {} }: Operation<'performOnRole'>,
  asked: Asked,
): Promise<OperationResource> {
  const vms = input.vms.filter((vm) => !performed[vm] || performed[vm].outcome === 'refused');
  return admitted(context, caller, id, role ?? null, { ...input, vms }, asked);
}

const vmsOf = (operation: Operation | null): number[] =>
  operation && 'vms' in operation.input ? (operation.input.vms ?? []) : [];

async function admitted(
  context: OperationsContext,
  caller: Caller,
  id: number,
  role: string | null,
  input: OperationInputs['performOnRole'],
  { request, retryOf, admission }: Asked,
  also: Also = nothingElse,
): Promise<OperationResource> {
  const { store } = context;
  const service = authorised(caller, 'service', await store.services.find(id), 'manage', id);
  await demandOn(store, act, { type: 'service', service });
  // Half of a role would take what the hosts of the other half cannot do.
  const vms = new Set(input.vms);
  for (const vm of await store.vms.ofService(id, role === null ? undefined : [role]))
    if (vms.has(vm._id)) refuseUnable(vm, input.action);
  return admit(context, caller, admission, {
    kind: 'performOnRole',
    resource: { type: 'service', id },
    ...(role !== null && { role }),
    name: service.name,
    owner: service,
    ...(retryOf !== undefined && { retryOf }),
    input,
    request,
    claim: async (op, transaction) =>
      (await also(op, transaction)) ? store.performances.admit(id, transaction) : null,
    refusal: () => whyLost(store, act, { type: 'service', id }),
  });
}

/**
 * The same as whoever owns the service, since a policy of a role of it is due. Returns the operation: the one that there is, when it
 * is asked for again under the same key.
 */
export async function performByPolicy(
  context: OperationsContext,
  { service: id, role, wish, key, ...deciding }: PolicyPerforming,
): Promise<string> {
  const found = await context.store.services.find(id);
  if (!found) throw new Problem('not_found', `There is no ${nameOf({ type: 'service', id })}.`);
  const owner = await asUser(context, found.uid, `who owns service ${id}`);
  const admission = { idempotencyKey: key, requestId: key };
  return (await performOnRole(context, owner, id, role, wish, admission, deciding)).operation.id;
}

/** An action at one of its VMs. */
export type DeedOnVm = { op: string; requester: number; action: VmAction; vm: number } & ActionArgs;

/**
 * Asks it of one VM, as whoever has asked for the action would ask it of that VM alone: with the rights that he has now, and once,
 * however often this is called. Returns the operation, null where it is so already; throws what he would be told.
 */
export async function performOnVm(
  context: OperationsContext,
  { op, requester, action, vm, ...args }: DeedOnVm,
): Promise<string | null> {
  const caller = await asUser(context, requester, 'who asked for it');
  const key = `perform ${op} ${vm}`;
  const admission = { idempotencyKey: key, requestId: key };
  return (await askOfVm(context, caller, vm, { action, ...args }, admission))?.id ?? null;
}
