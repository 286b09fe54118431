import { atWork, mayScaleAgain, roleInTheWay } from '../../domain/acts/service-acts.js';
import { problemFor } from '../../domain/acts/verdict.js';
import type { Caller } from '../../domain/identity/caller.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import { removalOf } from '../../domain/scaling/role-change.js';
import { whyNoneGo } from '../../domain/scaling/scale-in.js';
import { type ScalingWish, scalingPlan } from '../../domain/scaling/scaling-plan.js';
import { recoverable, rolesToRecover, rolesToRepair } from '../../domain/services/roles-to-repair.js';
import { belongs } from '../../domain/services/service-health.js';
import { isByScaling } from '../../domain/services/service-states.js';
import { isVmHealthy } from '../../domain/vms/vm-states.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { RemoveRole, ScaleRole } from '../../schemas/scaling/scaling.js';
import type { RecoverService, Role, Service } from '../../schemas/services/service.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import type { PolicyScaling } from '../../store/scaling/policy-scaling.js';
import type { Store } from '../../store/store.js';
import { resourceFacts } from '../acts/action-facts.js';
import { demandOn } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { asUser } from '../identity/as-user.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import { roleOf } from '../services/role-of.js';
import { recoverServiceAgain, repairServiceAgain } from '../services/service-recovery.js';
import { whyNoneIsMade } from '../services/template-use.js';

/** Gives a role another number of VMs; other roles may be scaled meanwhile. */
export async function scaleRole(
  context: OperationsContext,
  caller: Caller,
  id: number,
  role: string,
  { cardinality, force = false, vms }: ScaleRole,
  admission: Admission,
): Promise<OperationResource> {
  const service = await find(context, caller, id);
  const asked = { request: { deed: 'scale', id, role, cardinality, force, vms }, admission };
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  if (repeated) return repeated;
  const wish = { cardinality, force, ...(vms && vms.length > 0 && { vms: [...new Set(vms)] }) };
  return admitted(context, caller, service, role, wish, asked);
}

/**
 * What a policy has decided, once for its key: with the rights and quotas of the owner of the service, whoever has written
 * the policy. Throws what the owner would be told.
 */
export async function scaleByPolicy(
  context: OperationsContext,
  { service: id, role, cardinality, policy: { rest, ...policy }, key, claim }: PolicyScaling,
): Promise<string> {
  const found = await context.store.services.find(id);
  if (!found) throw new Problem('not_found', `There is no ${nameOf({ type: 'service', id })}.`);
  const owner = await asUser(context, found.uid, `who owns service ${id}`);
  const service = await find(context, owner, id);
  const request = { deed: 'scale', id, role, cardinality, policy };
  const admission = { idempotencyKey: key, requestId: key };
  const repeated = await repeatedRequest(context, owner, admission, request);
  if (repeated) return repeated.id;
  const wish = { cardinality, force: false, policy, ...(rest !== undefined && { rest }) };
  return (await admitted(context, owner, service, role, wish, { request, admission }, claim)).id;
}

/**
 * Goes on with the role that is named, or with the first whose scaling has failed, or gives that up; ends the cooldown of one
 * that rests; makes one that is in WARNING whole. Without such a role it goes on with what else of the service has failed, or is in
 * WARNING.
 */
export async function recoverRoleOrService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: RecoverService,
  admission: Admission,
): Promise<OperationResource> {
  await find(context, caller, id);
  const asked = { request: { deed: 'recover', id, ...wish }, admission };
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  if (repeated) return repeated;
  // What failed may run again since a moment ago: then there is nothing to recover, and it is called what it is.
  await context.store.health.refresh([id]);
  const service = await find(context, caller, id);
  if (wish.role === undefined && wish.give_up)
    await demandOn(context.store, { do: 'giveUp' }, { type: 'service', service });
  const role = wish.role === undefined ? roleToRecover(service, wish) : roleOf(service, wish.role);
  if (role?.state === 'FAILED_SCALING') {
    if (wish.give_up) return giveUp(context, caller, service, role, asked);
    const last = await context.store.operations.lastOf({ type: 'service', id }, role.name);
    const retried = last?.kind === 'scaleRole' && last.state !== 'succeeded' ? { retryOf: last._id } : {};
    return scaleRoleAgain(context, caller, id, role.name, { ...asked, ...retried });
  }
  if (role?.state === 'COOLDOWN' && !wish.give_up) {
    const same = { cardinality: role.cardinality, force: true, rest: 0 };
    return admitted(context, caller, service, role.name, same, asked);
  }
  const isOfDeployment = recoverable.includes(service.state) && !wish.give_up;
  if (role && isOfDeployment && rolesToRecover(service, role.name).length > 0)
    return recoverServiceAgain(context, caller, id, asked, role.name);
  if (role?.state === 'WARNING' && !wish.give_up) return repairServiceAgain(context, caller, id, asked, role.name);
  if (role) {
    const why = wish.give_up
      ? 'no scaling of it has failed that could be given up'
      : 'neither has its scaling failed, nor is it in WARNING, nor does it rest';
    throw new Problem('wrong_state', `Role ${role.name} of service ${id} is ${role.state}: ${why}.`);
  }
  const repairs =
    service.state === 'WARNING' || (isByScaling(service.state) && rolesToRepair(service.roles).length > 0);
  return repairs ? repairServiceAgain(context, caller, id, asked) : recoverServiceAgain(context, caller, id, asked);
}

/** The role that a recovery is about when it names none; undefined: it is about all of the service. */
function roleToRecover({ state, operation, wanted, roles }: Service, { give_up }: RecoverService): Role | undefined {
  if (operation !== null || wanted !== null) return undefined;
  const isFree = (role: Role): boolean => !role.operation;
  if (isByScaling(state) || give_up) return roles.find((role) => role.state === 'FAILED_SCALING' && isFree(role));
  return state === 'COOLDOWN' ? roles.find((role) => role.state === 'COOLDOWN' && isFree(role)) : undefined;
}

/** What runs of the role is what it is to have; the rest of it goes. */
async function giveUp(
  context: OperationsContext,
  caller: Caller,
  service: Service,
  { name }: Role,
  asked: Asked,
): Promise<OperationResource> {
  const vms = await context.store.vms.ofService(service._id, [name]);
  const cardinality = vms.filter((vm) => belongs(vm) && isVmHealthy(vm)).length;
  return admitted(context, caller, service, name, { cardinality, force: true, give_up: true }, asked);
}

/** Goes on with what a scaling of the role has left undone: the cardinality is what was wished for. */
export async function scaleRoleAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  name: string,
  asked: Asked,
): Promise<OperationResource> {
  const service = await find(context, caller, id);
  const facts = await resourceFacts(context.store, { type: 'service', service });
  const verdict = facts.type === 'service' ? mayScaleAgain(facts, name) : 'may';
  if (typeof verdict !== 'string') throw problemFor(verdict);
  const { cardinality, removing } = roleOf(service, name);
  const wish = { cardinality, force: true, ...(removing && { removes: removing }) };
  return admitted(context, caller, service, name, wish, asked);
}

/** Ends the VMs of a role; then it is no more. Other roles must not depend on it. */
export async function removeRole(
  context: OperationsContext,
  caller: Caller,
  id: number,
  name: string,
  { force = false }: RemoveRole,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const asked = { request: { deed: 'removeRole', id, role: name, force }, admission };
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  // It may be gone with its role, or its service.
  if (repeated) return repeated;
  const service = await find(context, caller, id);
  const removes = removalOf(service, roleOf(service, name), await store.vms.ofService(id, [name]), force);
  if (removes instanceof Problem) throw removes;
  return admitted(context, caller, service, name, { cardinality: 0, force: true, removes }, asked);
}

async function find({ store }: OperationsContext, caller: Caller, id: number): Promise<Service> {
  return authorised(caller, 'service', await store.services.find(id), 'manage', id);
}

/** `also`: what else has to hold in the transaction that admits it. */
async function admitted(
  context: OperationsContext,
  caller: Caller,
  service: Service,
  name: string,
  asked: ScalingWish,
  { request, retryOf, admission }: Asked,
  also: (op: string, transaction: Transaction) => Promise<boolean> = async () => true,
): Promise<OperationResource> {
  const { store } = context;
  const { _id: id } = service;
  const over = await waitingScaling(context, service, name);
  const wish = { ...asked, ...(over !== null && { over }) };
  const refusal = await whyNot(context, caller, service, name, wish);
  if (refusal) throw refusal;
  return admit(context, caller, admission, {
    kind: 'scaleRole',
    resource: { type: 'service', id },
    role: name,
    name: service.name,
    owner: service,
    template: service.template_id,
    ...(retryOf !== undefined && { retryOf }),
    input: { from: roleOf(service, name).cardinality, ...wish },
    request,
    claim: async (op, transaction) => {
      if (!(await also(op, transaction))) return null;
      return store.scalings.admit({ service: id, role: name, op, by: caller.name }, wish, transaction, ({ uid }) =>
        uid === caller.id ? { uname: caller.name } : {},
      );
    },
    refusal: async () => {
      const now = await store.services.find(id);
      if (!now) return new Problem('not_found', `There is no ${nameOf({ type: 'service', id })}.`);
      const why = await whyNot(context, caller, now, name, wish);
      return (
        why ?? new Problem('operation_in_progress', `Somebody else has changed service ${id} just now; try again.`)
      );
    },
  });
}

/** Who has all of the service, or the role that is named but for `over`; null: nobody. */
export async function whyBusy(
  store: Store,
  service: Service,
  { name, over }: { name?: string; over?: string } = {},
): Promise<Problem | null> {
  const facts = await resourceFacts(store, { type: 'service', service });
  if (facts.type !== 'service') return null;
  if (facts.work) return problemFor(atWork(facts, facts.work));
  const role = facts.roles.find((one) => one.name === name);
  return role?.work && role.work.op !== over
    ? problemFor(roleInTheWay(service._id, { name: role.name, work: role.work }))
    : null;
}

/** The scaling of a role that has got all that it can, and only waits: the next one takes its place. */
async function waitingScaling({ store }: OperationsContext, service: Service, name: string): Promise<string | null> {
  const op = roleOf(service, name).operation ?? null;
  const operation = op === null ? null : await store.operations.find(op);
  const waits = operation?.kind === 'scaleRole' && operation.state === 'running' && operation.waiting_for !== null;
  return waits ? op : null;
}

/** Who is in the way, or what of the wish cannot be. */
async function whyNot(
  { store }: OperationsContext,
  caller: Caller,
  service: Service,
  name: string,
  wish: ScalingWish,
): Promise<Problem | null> {
  const role = roleOf(service, name);
  const busy = await whyBusy(store, service, { name, ...wish });
  if (busy) return busy;
  const plan = scalingPlan(service, role, wish, new Date());
  if (plan instanceof Problem) return plan;
  if (wish.removes) {
    const removal = removalOf(service, role, await store.vms.ofService(service._id, [name]), true);
    return removal instanceof Problem ? removal : null;
  }
  if (plan.to < plan.from || wish.vms) return whyNoneGo(role, await store.vms.ofService(service._id, [name]), wish);
  return wish.rest === 0 ? null : whyNoneIsMade(store, caller, [role]);
}
