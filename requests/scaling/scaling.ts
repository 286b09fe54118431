import { atWork, mayScaleAgain, roleInTheWay } from '../../domain/acts/service-acts.js';
import { problemFor } from '../../domain/acts/verdict.js';
import type { Caller } from '../../domain/identity/caller.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import { type ScalingWish, scalingPlan } from '../../domain/scaling/scaling-plan.js';
import { isByScaling } from '../../domain/services/service-states.js';
import { nearestName } from '../../schemas/common/nearest-name.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { ScaleRole } from '../../schemas/scaling/scaling.js';
import type { Role, Service } from '../../schemas/services/service.js';
import { resourceFacts } from '../acts/action-facts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import { recoverService } from '../services/services.js';

/** Gives a role another number of VMs; other roles may be scaled meanwhile. */
export async function scaleRole(
  context: OperationsContext,
  caller: Caller,
  id: number,
  role: string,
  { cardinality, force = false }: ScaleRole,
  admission: Admission,
): Promise<OperationResource> {
  const service = await find(context, caller, id);
  const asked = { request: { deed: 'scale', id, role, cardinality, force }, admission };
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  return repeated ?? admitted(context, caller, service, role, { cardinality, force }, asked);
}

/** Goes on with the first role whose scaling has failed; else with what else of the service has. */
export async function recoverRoleOrService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  const service = await find(context, caller, id);
  const failed = service.roles.find(({ state, operation }) => state === 'FAILED_SCALING' && !operation);
  const isAtWork = service.operation !== null || service.wanted !== null;
  if (!failed || isAtWork || !isByScaling(service.state)) return recoverService(context, caller, id, admission);
  const request = { deed: 'recover', id };
  const repeated = await repeatedRequest(context, caller, admission, request);
  if (repeated) return repeated;
  const last = await context.store.operations.lastOf({ type: 'service', id }, failed.name);
  const retried = last?.kind === 'scaleRole' && last.state !== 'succeeded' ? { retryOf: last._id } : {};
  return scaleRoleAgain(context, caller, id, failed.name, { request, admission, ...retried });
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
  const { cardinality } = roleOf(service, name);
  return admitted(context, caller, service, name, { cardinality, force: true }, asked);
}

async function find({ store }: OperationsContext, caller: Caller, id: number): Promise<Service> {
  return authorised(caller, 'service', await store.services.find(id), 'manage', id);
}

async function admitted(
  context: OperationsContext,
  caller: Caller,
  service: Service,
  name: string,
  wish: ScalingWish,
  { request, retryOf, admission }: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const { _id: id } = service;
  const refusal = await whyNot(context, service, name, wish);
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
    claim: (op, transaction) =>
      store.scalings.admit({ service: id, role: name, op }, wish, transaction, ({ uid }) =>
        uid === caller.id ? { uname: caller.name } : {},
      ),
    refusal: async () => {
      const now = await store.services.find(id);
      if (!now) return new Problem('not_found', `There is no ${nameOf({ type: 'service', id })}.`);
      const why = await whyNot(context, now, name, wish);
      return (
        why ?? new Problem('operation_in_progress', `Somebody else has changed service ${id} just now; try again.`)
      );
    },
  });
}

/** Who is in the way, or what of the wish cannot be. */
async function whyNot(
  { store }: OperationsContext,
  service: Service,
  name: string,
  wish: ScalingWish,
): Promise<Problem | null> {
  const role = roleOf(service, name);
  const facts = await resourceFacts(store, { type: 'service', service });
  if (facts.type === 'service') {
    if (facts.work) return problemFor(atWork(facts, facts.work));
    const work = facts.roles.find((one) => one.name === name)?.work;
    if (work) return problemFor(roleInTheWay(service._id, { name, work }));
  }
  const plan = scalingPlan(service, role, wish, new Date());
  return plan instanceof Problem ? plan : null;
}

function roleOf({ _id: id, roles }: Service, name: string): Role {
  const role = roles.find((one) => one.name === name);
  if (role) return role;
  const close = nearestName(
    name,
    roles.map((one) => one.name),
  );
  const hint = close === undefined ? '' : ` Did you mean "${close}"?`;
  throw new Problem('not_found', `Service ${id} has no role "${name}".${hint}`);
}
