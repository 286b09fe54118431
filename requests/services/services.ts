import type { Act } from '../../domain/acts/acts.js';
import { staleAfter } from '../../domain/hosts/polls.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { askedText } from '../../domain/services/asked-text.js';
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
  wish: MonitoringWish = {},
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
      wish,
    ),
  ]);
  return { ...page, items: items.map(({ service, nodes }) => serviceResource(service, nodes, names, policies, used)) };
}

export async function showService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: MonitoringWish = {},
): Promise<ServiceResource> {
  const { store, directory } = context;
  const found = await store.services.findWithNodes(id);
  const service = authorised(caller, 'service', found?.service ?? null, 'use', id);
  const nodes = found?.nodes ?? [];
  const [names, policies, used] = await Promise.all([
    namesFor(directory, caller, [service]),
    keptOfPolicies(store, [service]),
    usedBy(context, nodes, wish),
  ]);
  return serviceResource(service, nodes, names, policies, used);
}

/** Whether what their VMs use is told of services, too: it costs whoever looks again and again. */
type MonitoringWish = { monitoring?: boolean };

async function usedBy(
  { store, settings }: OperationsContext,
  nodes: readonly ServiceNode[],
  { monitoring = false }: MonitoringWish,
): Promise<ReadonlyMap<number, MonitoringResource>> {
  if (!monitoring) return new Map();
  const running = nodes.filter(({ lcm_state }) => lcm_state === 'RUNNING').map(({ _id }) => _id);
  const rows = await store.metrics.latest(running, new Date(Date.now() - staleAfter(settings)));
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

export async function manageable(context: OperationsContext, caller: Caller, id: number): Promise<Service> {
  const { store } = context;
  return authorised(caller, 'service', await store.services.find(id), 'manage', id);
}

/** The answer that a request with this key was given before, or what it asks for. */
export async function once(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { request, admission }: Asked,
  act: () => Promise<OperationResource>,
): Promise<OperationResource> {
  await manageable(context, caller, id);
  return (await repeatedRequest(context, caller, admission, request)) ?? act();
}

async function preempt(
  context: OperationsContext,
  caller: Caller,
  id: number,
  act: Extract<Act, { do: 'undeploy' | 'delete' }>,
  asked: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const service = await manageable(context, caller, id);
  await demandOn(store, act, { type: 'service', service });
  const input = act.do === 'delete' ? { hard: true, remove: true } : { hard: act.hard, remove: false };
  const over = service.wanted === null ? [] : [service.wanted];
  const deed = act.do === 'delete' ? 'deletion' : act.hard ? 'hard undeployment' : 'undeployment';
  return undeployment(context, caller, service, { input, act, over, deed }, asked);
}

/** `over`: the undeployment that it outbids. `deed`: what the log of the service calls it. */
export function undeployment(
  context: OperationsContext,
  caller: Caller,
  service: Service,
  {
    input,
    act,
    over,
    deed,
  }: { input: Undeployment; act: Act; over: readonly string[]; deed: Parameters<typeof askedText>[0] },
  asked: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const { _id: id } = service;
  return admit(context, caller, asked.admission, {
    kind: 'undeployService',
    ...wishOn(service, asked),
    input,
    claim: (op, transaction) =>
      store.services.admitPreempting(id, op, { over, message: askedText(deed, caller.name) }, transaction),
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
