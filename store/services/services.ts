import type { Connection, QueryFilter } from 'mongoose';
import type { Caller } from '../../domain/identity/caller.js';
import { nextServiceState } from '../../domain/services/service-states.js';
import type { Ownership, Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { type Role, type Service, ServiceState, serviceFields } from '../../schemas/services/service.js';
import { chargeIndex, type QuotaStore } from '../identity/quotas.js';
import { insertWhole, modelOf, ownershipFields } from '../mongo/model.js';
import { pageIndexes, pageOf, sortIndexes, visibleTo } from '../mongo/paging.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';
import { givingIndex } from '../vms/new-owner.js';
import { type AtWorkOn, atWorkOn } from './at-work-on.js';
import { isAtWorkOn } from './hands.js';
import { createServiceAdmissions } from './service-admissions.js';
import { accepting, target } from './service-events.js';
import { pushLog, stateEntry } from './service-log.js';
import { nodeFields, type ServiceNode } from './service-nodes.js';
import { createServiceRoles } from './service-roles.js';

/** What a list shows of a service: templates and logs are much more than that. */
export type ServiceRow = Pick<
  Service,
  | '_id'
  | 'name'
  | 'uid'
  | 'gid'
  | 'permissions'
  | 'template_id'
  | 'state'
  | 'operation'
  | 'wanted'
  | 'created_at'
  | 'ended_at'
> & { roles: Pick<Role, 'name' | 'state' | 'cardinality'>[] };

/** Services with a role that is to have a number of VMs at least: each with policies has one. Those without cost nothing. */
export const elasticIndex = {
  fields: { _id: 1, state: 1 },
  options: { name: 'elastic', partialFilterExpression: { 'roles.min_vms': { $exists: true } } },
} as const;

const livingStates = ServiceState.options.filter((state) => state !== 'DONE');

const rowFields = {
  ...{ name: 1, uid: 1, gid: 1, permissions: 1, template_id: 1, state: 1, operation: 1, wanted: 1 },
  ...{ created_at: 1, ended_at: 1, 'roles.name': 1, 'roles.state': 1, 'roles.cardinality': 1 },
} as const;

export function createServiceStore(connection: Connection, quotas: QuotaStore) {
  const services = modelOf<Service>(connection, 'services', Number, [
    { fields: { state: 1, _id: 1 } },
    ...pageIndexes(),
    ...sortIndexes(serviceFields),
    chargeIndex,
    givingIndex,
    elasticIndex,
    { fields: { 'roles.vm_template': 1, state: 1 }, options: { name: 'by_vm_template' } },
    {
      fields: { 'schedule.due_at': 1 },
      options: { name: 'due', partialFilterExpression: { 'schedule.due_at': { $gt: new Date(0) } } },
    },
  ]);

  return {
    model: services,
    find: (id: number) => services.findById(id).lean<Service>().exec(),
    /** Whether an operation is at work on it that waits until its VMs report READY=YES. */
    waitsForReports: async (id: number): Promise<boolean> =>
      (await services.exists({
        ...{ _id: id, 'body.ready_status_gate': true },
        $or: [{ operation: { $ne: null } }, { 'roles.operation': { $type: 'string' } }],
      })) !== null,
    atWorkOn: (ids: readonly number[]): Promise<AtWorkOn[]> => atWorkOn(connection, ids),
    /** Services that live and have roles of a VM template: how many, and so many of them, the oldest first. */
    async usingVmTemplate(
      id: number,
      most: number,
      transaction: Transaction,
    ): Promise<{ count: number; first: (Ownership & Pick<Service, '_id' | 'name'>)[] }> {
      const filter = { 'roles.vm_template': id, state: { $in: livingStates } };
      const [count, first] = [
        await services.countDocuments(filter, within(transaction)),
        await services
          .find(filter, { name: 1, ...ownershipFields })
          .session(sessionOf(transaction))
          .sort({ _id: 1 })
          .limit(most)
          .lean<(Ownership & Pick<Service, '_id' | 'name'>)[]>()
          .exec(),
      ];
      return { count, first };
    },
    /**
     * A service with those of its VMs that are not DONE, in order of their ids. One question, past Mongoose: this is what
     * is asked most, and questions are what an answer costs.
     */
    async findWithNodes(id: number): Promise<{ service: Service; nodes: ServiceNode[] } | null> {
      const [found] = await connection
        .collection<Service>('services')
        .aggregate<Service & { nodes: ServiceNode[] }>([
          { $match: { _id: id } },
          {
            $lookup: {
              from: 'vms',
              localField: '_id',
              foreignField: 'service.id',
              pipeline: [{ $match: { state: { $ne: 'DONE' } } }, { $sort: { _id: 1 } }, { $project: nodeFields }],
              as: 'nodes',
            },
          },
        ])
        .toArray();
      if (!found) return null;
      const { nodes, ...service } = found;
      return { service, nodes };
    },
    list: (caller: Caller, query: ListQuery & { state?: ServiceState }) =>
      pageOf<Service, ServiceRow>(
        services,
        { ...visibleTo(caller, 'service'), ...(query.state && { state: query.state }) },
        query,
        { ids: 'number', fields: rowFields, list: serviceFields },
      ),
    /** The same, whole: each with those of its VMs that are not DONE, in order of their ids. */
    async listWithNodes(
      caller: Caller,
      query: ListQuery,
    ): Promise<Page<{ service: Service; nodes: readonly ServiceNode[] }>> {
      const page = await pageOf(services, visibleTo(caller, 'service'), query, { ids: 'number', list: serviceFields });
      const nodes = await connection
        .collection('vms')
        .aggregate<ServiceNode>([
          { $match: { 'service.id': { $in: page.items.map(({ _id }) => _id) }, state: { $ne: 'DONE' } } },
          { $sort: { _id: 1 } },
          { $project: nodeFields },
        ])
        .toArray();
      const byService = new Map(page.items.map(({ _id }): [number, ServiceNode[]] => [_id, []]));
      for (const node of nodes) if (node.service) byService.get(node.service.id)?.push(node);
      return { ...page, items: page.items.map((service) => ({ service, nodes: byService.get(service._id) ?? [] })) };
    },
    rename: (id: number, name: string, transaction: Transaction): Promise<Service | null> =>
      services
        .findOneAndUpdate({ _id: id }, { $set: { name } }, { ...within(transaction), returnDocument: 'after' })
        .lean<Service>()
        .exec(),
    insert: (service: Service, transaction: Transaction) => insertWhole(services, service, transaction),
    /** What it is still charged is given back. */
    async remove(id: number, transaction: Transaction): Promise<void> {
      const removed = await services.findOneAndDelete({ _id: id }, within(transaction)).lean<Service>().exec();
      if (removed?.charge) await quotas.giveBack(removed, removed.charge, transaction);
    },

    /**
     * The service's first move in a run. Deployments must find nobody who wants to pre-empt; an undeployment takes the
     * place of `ended` operations. Returns the service, or null when the guard did not match.
     */
    async begin(
      id: number,
      op: string,
      event: 'deploy' | 'undeploy',
      ended: readonly string[] = [],
    ): Promise<Service | null> {
      const state = target(event);
      const guard: QueryFilter<Service> =
        event === 'undeploy'
          ? { _id: id, wanted: op, operation: { $in: [null, op, ...ended] } }
          : { _id: id, operation: op, wanted: null };
      const options = { returnDocument: 'after' } as const;
      return (
        (await services
          .findOneAndUpdate(
            { ...guard, state: { $in: accepting(event, nextServiceState).filter((from) => from !== state) } },
            { $set: { state, operation: op }, $push: pushLog([stateEntry(state, new Date())]) },
            options,
          )
          .lean<Service>()) ??
        // Already there, by an earlier try; or DONE, when what is left to do is to delete the document.
        (await services
          .findOneAndUpdate({ ...guard, state: { $in: [state, 'DONE'] } }, { $set: { operation: op } }, options)
          .lean<Service>()
          .exec())
      );
    },

    /**
     * The last write of an operation, inside the transaction that ends it: what the roles and the service become, if
     * the operation still has the service. `settle` decides, from the document as read in the transaction. What has ended
     * gives its charge back.
     */
    async finish(
      id: number,
      op: string,
      settle: (service: Service) => { state: ServiceState; roles: Role[]; ended: boolean },
      transaction: Transaction,
    ): Promise<Service | null> {
      const service = await services.findOne({ _id: id }).session(sessionOf(transaction)).lean<Service>().exec();
      if (!service) return null;
      const mine = isAtWorkOn(service, op);
      if (!mine && service.wanted !== op) return null;
      const after = settle(service);
      const now = new Date();
      const returns = mine && after.ended && service.charge;
      await services.updateOne(
        { _id: id },
        {
          $set: {
            ...(mine && { state: after.state, roles: after.roles }),
            ...(service.operation === op && { operation: null }),
            ...(mine && after.ended && { ended_at: now }),
            ...(service.wanted === op && { wanted: null }),
            holds: Object.fromEntries(Object.entries(service.holds).filter(([, hold]) => hold.op !== op)),
          },
          // Whoever has judged its health by what was before writes nothing.
          $inc: { health: 1 },
          ...(returns && { $unset: { charge: '' } }),
          ...(mine && after.state !== service.state && { $push: pushLog([stateEntry(after.state, now)]) }),
        },
        within(transaction),
      );
      if (returns) await quotas.giveBack(service, returns, transaction);
      return service;
    },

    ...createServiceAdmissions(services),
    ...createServiceRoles(connection, services),
  };
}
export type ServiceStore = ReturnType<typeof createServiceStore>;
