import type { Act } from '../../domain/acts/acts.js';
import { staleAfter } from '../../domain/hosts/polls.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { repairable, rolesToRepair } from '../../domain/services/roles-to-repair.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { MonitoringResource } from '../../schemas/hosts/metrics.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type {
  Service,
  ServiceEdit,
  ServiceResource,
  ServiceState,
  ServiceSummary,
  UndeployService,
} from '../../schemas/services/service.js';
import type { ServiceNode } from '../../store/services/service-nodes.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import type { Edit } from '../edit.js';
import { objectsOf } from '../managed.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import { keptOfPolicies } from '../policy-resources.js';
import { monitoringResource, namesFor, serviceResource, serviceSummary } from '../resources.js';
import { whyNotWhole } from './template-use.js';

type Undeployment = OperationInputs['undeployService'];

export async function listServices(
  context: OperationsContext,
  caller: Caller,
  query: ListQuery & { state?: ServiceState },
): Promise<Page<ServiceSummary>> {
  const { store, directory } = context;
  const page = await store.services.list(caller, query);
  const names = await namesFor(directory, caller, page.items);
  return { ...page, items: page.items.map((service) => serviceSummary(service, names)) };
}

/** The same, whole: with their roles and nodes. */
export async function listWholeServices(
  context: OperationsContext,
  caller: Caller,
  query: ListQuery,
  told: Told = {},
): Promise<Page<ServiceResource>> {
  const { store, directory } = context;
  const { items, ...page } = await store.services.listWithNodes(caller, query);
  const services = items.map(({ service }) => service);
  const [names, policies, used] = await Promise.all([
    namesFor(directory, caller, services),
    keptOfPolicies(store, services),
    usedBy(
      context,
      items.flatMap(({ nodes }) => nodes),
      told,
    ),
  ]);
  return { ...page, items: items.map(({ service, nodes }) => serviceResource(service, nodes, names, policies, used)) };
}

export async function showService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  told: Told = {},
): Promise<ServiceResource> {
  const { store, directory } = context;
  const found = await store.services.findWithNodes(id);
  const service = authorised(caller, 'service', found?.service ?? null, 'use', id);
  const nodes = found?.nodes ?? [];
  const [names, policies, used] = await Promise.all([
    namesFor(directory, caller, [service]),
    keptOfPolicies(store, [service]),
    usedBy(context, nodes, told),
  ]);
  return serviceResource(service, nodes, names, policies, used);
}

/** What is told of services beside what they are: what their VMs use costs whoever looks again and again. */
type Told = { monitoring?: boolean };

async function usedBy(
  { store }: OperationsContext,
  nodes: readonly ServiceNode[],
  { monitoring = false }: Told,
): Promise<ReadonlyMap<number, MonitoringResource>> {
  if (!monitoring) return new Map();
  const running = nodes.filter(({ lcm_state }) => lcm_state === 'RUNNING').map(({ _id }) => _id);
  const rows = await store.metrics.latest(running, new Date(Date.now() - staleAfter));
  return new Map(rows.map(({ vm_id, ...row }) => [vm_id, monitoringResource(row)]));
}

/** Gives a service another name; VMs keep those that they have. */
export async function updateService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { revise, precondition }: Edit<ServiceEdit>,
): Promise<ServiceResource> {
  const { store, directory } = context;
  const { edit, shownOne } = objectsOf(context, 'service', {
    find: store.services.find,
    shown: async (asking, services) => {
      const names = await namesFor(directory, asking, services);
      const nodesOf = async (id: number) => (await store.services.findWithNodes(id))?.nodes ?? [];
      const policies = await keptOfPolicies(store, services);
      return Promise.all(services.map(async (one) => serviceResource(one, await nodesOf(one._id), names, policies)));
    },
  });
  const after = await edit(caller, id, precondition, ({ name: present }, transaction) => {
    const name = objectName(revise({ name: present }).wish.name, present);
    return store.services.rename(id, name, transaction);
  });
  return shownOne(caller, after);
}

/** Undeploys from any state but DONE; pre-empts whatever is going on. The document stays, DONE. */
export async function undeployService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  request: UndeployService,
  admission: Admission,
): Promise<OperationResource> {
  const { hard = null } = request;
  const asked = { request: { deed: 'undeploy', id, ...request }, admission };
  return once(context, caller, id, asked, () => preempt(context, caller, id, { do: 'undeploy', hard }, asked));
}

/** Deletes from any state: every VM is terminated hard, then the document goes. */
export async function removeService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  const asked = { request: { deed: 'delete', id }, admission };
  // A repeated request may find that it is gone.
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  return repeated ?? preempt(context, caller, id, { do: 'delete' }, asked);
}

/** Makes a service whole that was deployed: looks for lost VMs, replaces failed ones, makes missing ones. */
export async function repairService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const asked = { request: { deed: 'repair', id }, admission };
  return once(context, caller, id, asked, async () => {
    // What is amiss may have come about a moment ago.
    await store.health.refresh([id]);
    return repairServiceAgain(context, caller, id, asked);
  });
}

async function find(context: OperationsContext, caller: Caller, id: number, right: 'use' | 'manage'): Promise<Service> {
  const { store } = context;
  return authorised(caller, 'service', await store.services.find(id), right, id);
}

/** The answer that a request with this key was given before, or what it asks for. */
export async function once(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { request, admission }: Asked,
  act: () => Promise<OperationResource>,
): Promise<OperationResource> {
  await find(context, caller, id, 'manage');
  return (await repeatedRequest(context, caller, admission, request)) ?? act();
}

/** Takes the roles that are amiss, all or none, or the one that is named; others may be scaled meanwhile, or are. */
export async function repairServiceAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  asked: Asked,
  only?: string,
): Promise<OperationResource> {
  const { store } = context;
  const act: Act = { do: 'repair', ...(only !== undefined && { role: only }) };
  const service = await find(context, caller, id, 'manage');
  await demandOn(store, act, { type: 'service', service });
  const names = rolesToRepair(service.roles, only);
  const roles = service.roles.filter(({ name }) => names.includes(name));
  const refusal = await whyNotWhole(store, caller, { ...service, roles });
  if (refusal) throw refusal;
  return admit(context, caller, asked.admission, {
    kind: 'repairService',
    ...wishOn(service, asked),
    input: { roles: names },
    claim: (op, transaction) => store.services.admitRoles(id, op, names, repairable, transaction),
    refusal: () => whyLost(store, { do: 'repair' }, { type: 'service', id }),
  });
}

/** Goes on with what failed: a new run of the same kind, which plans from what is and replaces failed VMs. */
export async function recoverServiceAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  asked: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const service = await find(context, caller, id, 'manage');
  await demandOn(store, { do: 'recover' }, { type: 'service', service });
  const last = await store.operations.lastOf({ type: 'service', id });
  const retried = last?.state === 'failed' || last?.state === 'cancelled' ? { retryOf: last._id } : {};
  if (service.state === 'FAILED_UNDEPLOYING') {
    // A recovery goes on with what was asked for.
    const input = (await store.operations.lastUndeployment(id)) ?? { hard: null, remove: false };
    return undeployment(context, caller, service, input, { do: 'recover' }, [], { ...asked, ...retried });
  }
  return exclusively(context, { do: 'recover' }, caller, service, { ...asked, ...retried });
}

/** A deployment that finds the service in nobody's hands, and goes on with what has failed of an earlier one. */
async function exclusively(
  context: OperationsContext,
  act: Act,
  caller: Caller,
  service: Service,
  asked: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const { _id: id } = service;
  const refusal = await whyNotWhole(store, caller, service);
  if (refusal) throw refusal;
  return admit(context, caller, asked.admission, {
    kind: 'deployService',
    ...wishOn(service, asked),
    input: {},
    claim: (op, transaction) => store.services.admitExclusive(id, op, ['FAILED_DEPLOYING'], transaction),
    refusal: () => whyLost(store, act, { type: 'service', id }),
  });
}

async function preempt(
  context: OperationsContext,
  caller: Caller,
  id: number,
  act: Extract<Act, { do: 'undeploy' | 'delete' }>,
  asked: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const service = await find(context, caller, id, 'manage');
  await demandOn(store, act, { type: 'service', service });
  const input = act.do === 'delete' ? { hard: true, remove: true } : { hard: act.hard, remove: false };
  return undeployment(context, caller, service, input, act, service.wanted === null ? [] : [service.wanted], asked);
}

/** `over`: the undeployment that it outbids. */
function undeployment(
  context: OperationsContext,
  caller: Caller,
  service: Service,
  input: Undeployment,
  act: Act,
  over: readonly string[],
  asked: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const { _id: id } = service;
  return admit(context, caller, asked.admission, {
    kind: 'undeployService',
    ...wishOn(service, asked),
    input,
    claim: (op, transaction) => store.services.admitPreempting(id, op, over, transaction),
    refusal: () => whyLost(store, act, { type: 'service', id }),
  });
}

/** What every operation on a service says of itself. */
export const wishOn = (service: Service, { request, retryOf }: Asked) => ({
  resource: { type: 'service', id: service._id } as const,
  name: service.name,
  owner: service,
  template: service.template_id,
  ...(retryOf !== undefined && { retryOf }),
  request,
});
