import type { Caller } from '../domain/caller.js';
import { Problem } from '../domain/problems.js';
import type { Page } from '../schemas/common.js';
import type { ListQuery } from '../schemas/list.js';
import { isUndeployment, type Operation, type OperationResource } from '../schemas/operation.js';
import type { Service, ServiceResource, ServiceState, ServiceSummary, UndeployService } from '../schemas/service.js';
import { admit, repeatedRequest } from './admit.js';
import { authorised } from './authorise.js';
import type { Admission, OperationsContext } from './context.js';
import { namesFor, serviceResource, serviceSummary } from './resources.js';

type Undeployment = { hard: boolean | null; remove: boolean };

export const serviceOperations = (context: OperationsContext) => {
  const { store, directory } = context;
  const find = async (caller: Caller, id: number, right: 'use' | 'manage'): Promise<Service> =>
    authorised(caller, 'DOCUMENT', await store.services.find(id), right, `service ${id}`);

  return {
    async list(caller: Caller, query: ListQuery & { state?: ServiceState }): Promise<Page<ServiceSummary>> {
      const page = await store.services.list(caller, query);
      const names = await namesFor(directory, caller, page.items);
      return { ...page, items: page.items.map((service) => serviceSummary(service, names)) };
    },

    async show(caller: Caller, id: number): Promise<ServiceResource> {
      const found = await store.services.findWithNodes(id);
      const service = authorised(caller, 'DOCUMENT', found?.service ?? null, 'use', `service ${id}`);
      return serviceResource(service, found?.nodes ?? [], await namesFor(directory, caller, [service]));
    },

    /** Undeploys from any state but DONE; pre-empts whatever is going on. The document stays, DONE. */
    async undeploy(
      caller: Caller,
      id: number,
      request: UndeployService,
      admission: Admission,
    ): Promise<OperationResource> {
      const service = await find(caller, id, 'manage');
      const asked = { deed: 'undeploy', id, ...request };
      const repeated = await repeatedRequest(context, caller, admission, asked);
      if (repeated) return repeated;
      if (service.state === 'DONE')
        throw new Problem(
          'wrong_state',
          `Service ${id} is DONE: it is undeployed already. DELETE removes its document.`,
        );
      return preempt(caller, service, { hard: request.hard ?? null, remove: false }, asked, admission);
    },

    /** Deletes from any state: every VM is terminated hard, then the document goes. */
    async remove(caller: Caller, id: number, admission: Admission): Promise<OperationResource> {
      const asked = { deed: 'delete', id };
      const repeated = await repeatedRequest(context, caller, admission, asked);
      if (repeated) return repeated;
      const service = await find(caller, id, 'manage');
      return preempt(caller, service, { hard: true, remove: true }, asked, admission);
    },

    /** Goes on with what failed: a new run of the same kind, which plans from what is and replaces failed VMs. */
    async recover(caller: Caller, id: number, admission: Admission): Promise<OperationResource> {
      await find(caller, id, 'manage');
      const asked = { deed: 'recover', id };
      return (await repeatedRequest(context, caller, admission, asked)) ?? goOn(caller, id, asked, admission);
    },

    goOn,

    /** Makes a service whole that was deployed: looks for lost VMs, replaces failed ones, makes missing ones. */
    async repair(caller: Caller, id: number, admission: Admission): Promise<OperationResource> {
      await find(caller, id, 'manage');
      const asked = { deed: 'repair', id };
      const repeated = await repeatedRequest(context, caller, admission, asked);
      // What is amiss may have come about a moment ago.
      if (!repeated) await store.health.refresh([id]);
      return repeated ?? repairAgain(caller, id, { request: asked }, admission);
    },

    repairAgain,
  };

  async function repairAgain(
    caller: Caller,
    id: number,
    { retryOf, request }: { retryOf?: string; request: unknown },
    admission: Admission,
  ): Promise<OperationResource> {
    const service = await find(caller, id, 'manage');
    return admit(context, caller, admission, {
      kind: 'repairService',
      resource: { type: 'service', id },
      name: service.name,
      owner: service,
      template: service.template_id,
      ...(retryOf !== undefined && { retryOf }),
      input: {},
      request,
      claim: (op, session) => store.services.admitExclusive(id, op, ['WARNING'], session),
      refusal: () => busyOr(id, notRepairable),
    });
  }

  /** `request`: what the client has asked for, a recovery or a retry of its last operation. */
  async function goOn(caller: Caller, id: number, request: unknown, admission: Admission): Promise<OperationResource> {
    const service = await find(caller, id, 'manage');
    const last = await store.operations.lastOf({ type: 'service', id });
    const retryOf = last?.state === 'failed' || last?.state === 'cancelled' ? last._id : undefined;
    if (service.state === 'FAILED_UNDEPLOYING')
      return preempt(caller, service, await lastUndeployment(id), request, admission, retryOf);
    if (service.state !== 'FAILED_DEPLOYING') throw await busyOr(id, notRecoverable);
    return admit(context, caller, admission, {
      kind: 'deployService',
      resource: { type: 'service', id },
      name: service.name,
      owner: service,
      template: service.template_id,
      ...(retryOf !== undefined && { retryOf }),
      input: {},
      request,
      claim: (op, session) => store.services.admitExclusive(id, op, ['FAILED_DEPLOYING'], session),
      refusal: () => busyOr(id, notRecoverable),
    });
  }

  async function preempt(
    caller: Caller,
    service: Service,
    input: Undeployment,
    request: unknown,
    admission: Admission,
    retryOf?: string,
  ): Promise<OperationResource> {
    const outbid = await outbidden(service.wanted, input);
    return admit(context, caller, admission, {
      kind: 'undeployService',
      resource: { type: 'service', id: service._id },
      name: service.name,
      owner: service,
      template: service.template_id,
      ...(retryOf !== undefined && { retryOf }),
      input,
      request,
      claim: (op, session) => store.services.admitPreempting(service._id, op, outbid, session),
      refusal: () => busyOr(service._id, () => `Service ${service._id} has changed meanwhile; try again.`),
    });
  }

  /** An undeployment gives way to a harder one, and each to a deletion. */
  async function outbidden(wanted: string | null, { hard, remove }: Undeployment): Promise<string[]> {
    const standing = wanted === null ? null : await store.operations.find(wanted);
    if (!standing || !isUndeployment(standing)) return [];
    const strength = (wish: Undeployment) => (wish.remove ? 2 : 0) + (wish.hard === true ? 1 : 0);
    return strength({ hard, remove }) > strength(standing.input) ? [standing._id] : [];
  }

  /** What the last undeployment was asked to do: a recovery goes on with that. */
  async function lastUndeployment(id: number): Promise<Undeployment> {
    const last = await store.operations.model
      .findOne({ 'resource.type': 'service', 'resource.id': id, kind: 'undeployService' })
      .sort({ _id: -1 })
      .lean<Operation>();
    return last && isUndeployment(last) ? last.input : { hard: null, remove: false };
  }

  /** Why an admission lost its guard: gone, another operation, or the state. */
  async function busyOr(id: number, say: (service: Service) => string): Promise<Problem> {
    const now = await store.services.find(id);
    if (!now) return new Problem('not_found', `There is no service ${id}.`);
    const operation = now.wanted ?? now.operation;
    if (operation === null) return new Problem('wrong_state', say(now));
    const standing = await store.operations.find(operation);
    return new Problem(
      'operation_in_progress',
      `Operation ${operation} (${standing?.kind ?? 'unknown'}) is at work on service ${id}. ${standing?.state === 'waiting_for_you' ? 'Answer' : 'Wait for'} it, or undeploy or delete the service, which pre-empts it.`,
      { operation },
    );
  }
};

const notRepairable = ({ _id, state }: Service): string =>
  state === 'RUNNING'
    ? `Service ${_id} is RUNNING, and nothing of it is amiss: there is nothing to repair.`
    : `Service ${_id} is ${state}: only one in WARNING is repaired${state.startsWith('FAILED') ? '. Recover it' : ''}.`;

const notRecoverable = ({ _id, state }: Service): string =>
  `Service ${_id} is ${state}: only FAILED_DEPLOYING and FAILED_UNDEPLOYING can be recovered.`;
