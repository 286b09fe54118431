import type { ClientSession, Connection } from 'mongoose';
import { arrivedRoles, vmArrived } from '../domain/arrival.js';
import { brief, longest } from '../domain/brief.js';
import { leftWaiting } from '../domain/left-waiting.js';
import { type HealthVm, serviceHealth } from '../domain/service-health.js';
import { abandonment } from '../domain/vm-states.js';
import type { OperatedKind } from '../schemas/kinds.js';
import { isUndeployment, type Operation } from '../schemas/operation.js';
import { isOn, type OperationOn, takesAway } from '../schemas/operations.js';
import type { Role, Service, ServiceState } from '../schemas/service.js';
import type { Vm } from '../schemas/vm.js';
import type { Health } from './health.js';
import { healthFields } from './health-fields.js';
import { type OperationStore, type Outcome, openStates } from './operations.js';
import type { QuotaStore } from './quotas.js';
import type { ServiceStore } from './services.js';
import type { VmMove } from './vm-transitions.js';
import type { VmStore } from './vms.js';
import { type WorkVm, workFields } from './work-vms.js';

/** How an operation ends on one kind of thing. */
type EndOf = {
  /** In the transaction that ends it: what becomes of its resource, and of the outcome by what is found there. */
  settle: (operation: Operation, outcome: Outcome, session: ClientSession) => Promise<Outcome>;
  /** The VMs that it may leave without a host, for nobody looks for one any more; null: there are none of it. */
  hasVms: (id: number) => { vm: number } | { service: number } | null;
  /**
   * After it: what has become of a VM makes its service RUNNING or WARNING; so does what came to pass while a service was
   * at work.
   */
  told: (ended: Operation) => Promise<void>;
};

export type EndingStores = { operations: OperationStore; services: ServiceStore; vms: VmStore };

/**
 * How operations end. What a run says of itself at its end and what reconciliation says of a run that was lost is the
 * same transaction: the operation, its resource and whatever VMs it still holds, so that nothing waits for a dead run.
 */
export function createEndings(
  connection: Connection,
  { operations, services, vms, quotas, health }: EndingStores & { quotas: QuotaStore; health: Health },
) {
  /** What becomes of what an operation was about, and how else its end is told there. */
  const ends: Record<OperatedKind, EndOf> = {
    service: {
      settle: settleService,
      hasVms: (id) => ({ service: id }),
      told: async ({ kind, resource: { id } }) => {
        if (!takesAway(kind)) await health.refresh([id]);
      },
    },
    vm: {
      settle: settleVm,
      hasVms: (id) => ({ vm: id }),
      told: async ({ resource: { id } }) => {
        const vm = await vms.model.findById(id, { service: 1 }).lean<Pick<Vm, 'service'>>().exec();
        if (vm?.service) await health.refresh([vm.service.id]);
      },
    },
    zone: { settle: async (_operation, outcome) => outcome, hasVms: () => null, told: async () => {} },
  };

  return {
    /**
     * Ends an operation with this outcome. A deployment that says `succeeded` while a role does not run has failed; one
     * that says `cancelled` when everything is there has succeeded.
     * Returns the operation as it is then; one that had ended already keeps its outcome.
     */
    async end(op: string, claimed: Outcome): Promise<Operation | null> {
      const inTransaction = () =>
        connection.transaction(async (session) => {
          const operation = await operations.model.findById(op).session(session).lean<Operation>().exec();
          return operation && endOpen(operation, claimed, session);
        });
      const seen = await operations.find(op);
      // What a service was charged goes back to quotas that the others of its owner write, too.
      const ended = await (seen?.kind === 'undeployService' ? quotas.inTurn([seen], inTransaction) : inTransaction());
      if (ended) await ends[ended.resource.type].told(ended);
      return ended;
    },

    /**
     * Ends an operation as cancelled, which no run is to do: only from the state and run that the caller has seen.
     * Returns the operation as it is then.
     */
    async endCancelled(seen: Pick<Operation, '_id' | 'state' | 'run_id'>): Promise<Operation | null> {
      const ended = await connection.transaction(async (session) => {
        const operation = await operations.model.findById(seen._id).session(session).lean<Operation>().exec();
        if (operation?.state !== seen.state || operation.run_id !== seen.run_id) return operation;
        return endOpen(operation, { state: 'cancelled', error: { code: 'cancelled', detail: 'cancelled' } }, session);
      });
      if (ended) await ends[ended.resource.type].told(ended);
      return ended;
    },

    /**
     * Back to accepted, so that a new run can claim it, and in the same transaction without its holds: the new run takes
     * them anew, and what the old one may still do matches nothing. Only from the state and run that the caller has
     * seen: one that was frozen since then must not strip the run that came after.
     */
    async reopen(seen: Pick<Operation, '_id' | 'state' | 'run_id'>): Promise<boolean> {
      return connection.transaction(async (session) => {
        const { modifiedCount } = await operations.model.updateOne(
          { _id: seen._id, state: seen.state, run_id: seen.run_id },
          { $set: { state: 'accepted', run_id: null, waiting_for: null } },
          { session },
        );
        if (modifiedCount === 0) return false;
        await vms.releaseAll(seen._id, session);
        return true;
      });
    },
  };

  async function endOpen(operation: Operation, claimed: Outcome, session: ClientSession): Promise<Operation | null> {
    if (!openStates.some((state) => state === operation.state)) return operation;
    await abandonVms(operation, reasonOf(claimed), session);
    const outcome = await ends[operation.resource.type].settle(operation, claimed, session);
    await tellThoseLeft(operation, outcome, session);
    return operations.end(operation._id, outcome, session);
  }

  async function settleVm(operation: Operation, outcome: Outcome, session: ClientSession): Promise<Outcome> {
    const { _id: op, resource } = operation;
    const vm = await vms.model
      .findById(resource.id, { state: 1, lcm_state: 1 })
      .session(session)
      .lean<Pick<Vm, 'state' | 'lcm_state'>>()
      .exec();
    await vms.model.updateOne({ _id: resource.id, operation: op }, { $set: { operation: null } }, { session });
    await vms.model.updateOne({ _id: resource.id, wanted: op }, { $set: { wanted: null } }, { session });
    return outcome.state === 'cancelled' && vm && vmArrived(vm, operation.kind) ? { state: 'succeeded' } : outcome;
  }

  async function settleService(operation: Operation, outcome: Outcome, session: ClientSession): Promise<Outcome> {
    const { _id: op, resource, kind } = operation;
    if (!isOn('service', kind)) throw new Error(`${kind} is not about a service`);
    const undeploys = takesAway(kind);
    const isCancelled = outcome.state === 'cancelled';
    // A run has said of each role what that came to when its work on it ended. What has become of VMs since counts, too.
    const looked = isCancelled || !undeploys ? await allOf(resource.id, session) : [];
    const done = undeploys ? 'DONE' : 'RUNNING';
    let said = outcome;
    const before = await services.finish(
      resource.id,
      op,
      (service) => {
        const roles = isCancelled ? arrivedRoles(service, looked, operation.kind) : service.roles;
        const arrived = roles.every(({ state }) => state === done);
        if (arrived && isCancelled && service.operation === op) said = { state: 'succeeded' };
        const settled = { ...service, roles };
        const after = judged(settled, afterwardsOf[kind](settled, said), looked);
        if (said.state === 'succeeded' && after.state !== done) said = whyShort(service, op, after.roles);
        return after;
      },
      session,
    );
    if (before?.operation === op && said.state === 'succeeded' && removes(operation))
      await services.remove(resource.id, session);
    return said;
  }

  function allOf(service: number, session: ClientSession): Promise<HealthVm[]> {
    return vms.model
      .find({ 'service.id': service, state: { $ne: 'DONE' } }, healthFields, { session })
      .hint('by_service')
      .lean<HealthVm[]>()
      .exec();
  }

  /** VMs that wait for a host: nobody looks for one any more. */
  async function tellThoseLeft({ _id: op, kind, resource }: Operation, outcome: Outcome, session: ClientSession) {
    const left = ends[resource.type].hasVms(resource.id);
    if (outcome.state === 'succeeded' || !left) return;
    await vms.leave(left, op, leftWaiting({ kind, resource }, outcome), session);
  }

  /** VMs in the middle of something: their operation is over, so they say so and are free for the next one. */
  async function abandonVms({ _id: op }: Operation, reason: string, session: ClientSession): Promise<void> {
    const held = await vms.model.find({ 'hold.op': op }, workFields).session(session).lean<WorkVm[]>().exec();
    const moves = held.flatMap((vm): VmMove[] => {
      const event = abandonment(vm);
      return event ? [{ vm, event, set: { reason: vm.reason ?? reason }, release: true }] : [];
    });
    await vms.transition(moves, session);
    if (held.length > moves.length) await vms.releaseAll(op, session);
  }
}
export type Endings = ReturnType<typeof createEndings>;

const removes = (operation: Operation): boolean => isUndeployment(operation) && operation.input.remove;

const reasonOf = (outcome: Outcome): string =>
  outcome.state === 'succeeded'
    ? 'its operation ended'
    : outcome.state === 'cancelled'
      ? 'cancelled'
      : brief(outcome.error.detail, longest.role);

/** Why an operation that did all it could has not got there: it gave way, or roles failed. */
function whyShort({ wanted }: Service, op: string, roles: readonly Role[]): Outcome {
  if (wanted !== null && wanted !== op)
    return { state: 'cancelled', error: { code: 'taken', detail: `Operation ${wanted} took over.` } };
  const said = roles.filter(({ reason }) => reason !== null).map(({ name, reason }) => `role ${name}: ${reason}`);
  return {
    state: 'failed',
    error: { code: 'roles_failed', detail: said.join('; ') || 'not every role has got there' },
  };
}

/** With what its VMs make of it, where it is one that is judged by them. */
function judged({ body }: Service, after: Settled, vms: readonly HealthVm[]): Settled {
  const health = serviceHealth({ ...after, body }, vms);
  if (!health) return after;
  return { ...after, state: health.state, roles: after.roles.map((role, at) => ({ ...role, ...health.roles[at] })) };
}

/** What becomes of a service, from its roles. */
const afterwardsOf: Record<OperationOn<'service'>, (service: Service, outcome: Outcome) => Settled> = {
  deployService: afterDeployment,
  undeployService: afterUndeployment,
  repairService: afterRepair,
};

type Settled = { state: ServiceState; roles: Role[]; ended: boolean };

/** RUNNING when every role runs; else FAILED_DEPLOYING, and roles that were at work say why. */
function afterDeployment(service: Service, outcome: Outcome): Settled {
  const done = service.roles.every(({ state }) => state === 'RUNNING');
  if (done && outcome.state === 'succeeded') return { state: 'RUNNING', roles: service.roles, ended: false };
  return {
    state: 'FAILED_DEPLOYING',
    roles: failRoles(service.roles, 'DEPLOYING', 'FAILED_DEPLOYING', outcome),
    ended: false,
  };
}

/** RUNNING when every role runs; else WARNING, and roles that were at work or have failed say why. */
function afterRepair(service: Service, outcome: Outcome): Settled {
  const done = service.roles.every(({ state }) => state === 'RUNNING');
  if (done && outcome.state === 'succeeded') return { state: 'RUNNING', roles: service.roles, ended: false };
  const roles = failRoles(service.roles, 'DEPLOYING', 'WARNING', outcome);
  return { state: 'WARNING', roles: failRoles(roles, 'FAILED_DEPLOYING', 'WARNING', outcome), ended: false };
}

/** DONE when every role is; else FAILED_UNDEPLOYING, likewise. */
function afterUndeployment(service: Service, outcome: Outcome): Settled {
  const done = service.roles.every(({ state }) => state === 'DONE');
  if (done && outcome.state === 'succeeded') return { state: 'DONE', roles: service.roles, ended: true };
  return {
    state: 'FAILED_UNDEPLOYING',
    roles: failRoles(service.roles, 'UNDEPLOYING', 'FAILED_UNDEPLOYING', outcome),
    ended: false,
  };
}

const failRoles = (roles: readonly Role[], from: ServiceState, to: ServiceState, outcome: Outcome): Role[] =>
  roles.map((role) => (role.state === from ? { ...role, state: to, reason: role.reason ?? reasonOf(outcome) } : role));
