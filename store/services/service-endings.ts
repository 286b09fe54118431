import { brief, longest } from '../../domain/brief.js';
import { leftWaiting } from '../../domain/placement/left-waiting.js';
import { arrivedRoles } from '../../domain/services/arrival.js';
import type { HealthVm } from '../../domain/services/service-health.js';
import { abandonment } from '../../domain/vms/vm-events.js';
import { isUndeployment, type Operation } from '../../schemas/operations/operation.js';
import { takesAway } from '../../schemas/operations.js';
import type { Role, Service } from '../../schemas/services/service.js';
import { type Transaction, within } from '../mongo/transaction.js';
import { reasonOf, type Settle, type Settlement } from '../operations/ending.js';
import type { Outcome } from '../operations/operations.js';
import { stateAfter } from '../vms/vm-transitions.js';
import type { VmStore } from '../vms/vms.js';
import { hasRole, isAtWorkOn } from './hands.js';
import { healthFields } from './health-fields.js';
import type { Releases } from './releases.js';
import { judged, type ServiceEndKind, serviceEnds, whyShort } from './service-ending.js';
import type { ServiceNetworks } from './service-networks.js';
import type { ServiceStore } from './services.js';

type Parts = { services: ServiceStore; vms: VmStore; releases: Releases; serviceNetworks: ServiceNetworks };

/** How each kind of operation ends that has a service, or some of its roles: as its row of serviceEnds says. */
export function serviceEndings({ services, vms, releases, serviceNetworks }: Parts): {
  readonly [K in ServiceEndKind]: Settle<K>;
} {
  return { deployService: settle, undeployService: settle, repairService: settle };

  async function settle(
    operation: Operation<ServiceEndKind>,
    outcome: Outcome,
    transaction: Transaction,
  ): Promise<Settlement> {
    const { _id: op, resource, kind } = operation;
    const { afterwards, arrived, makesNetworks } = serviceEnds[kind];
    const undeploys = takesAway(kind);
    const isCancelled = outcome.state === 'cancelled';
    // A run has said of each role what that came to when its work on it ended. What has become of VMs since counts, too.
    const looked =
      isCancelled || !undeploys ? await allOf(resource.id, { op, given_up: reasonOf(outcome) }, transaction) : [];
    let said = outcome;
    const before = await services.finish(
      resource.id,
      op,
      (service) => {
        const isOurs = service.roles.map((role) => hasRole(service, role, op));
        const ours = (roles: readonly Role[]): Role[] => roles.filter((_, at) => isOurs[at]);
        const found = isCancelled ? arrivedRoles(service, looked, operation.kind) : service.roles;
        const roles = service.roles.map((role, at) => (isOurs[at] ? (found[at] ?? role) : role));
        const settled = { ...service, roles };
        const has = (at: number): boolean => isOurs[at] === true;
        if (isCancelled && isAtWorkOn(service, op) && arrived(service, roles, has)) said = { state: 'succeeded' };
        const after = judged(settled, afterwards(settled, said, op), looked);
        if (said.state === 'succeeded' && !arrived(service, after.roles, has))
          said = whyShort({ ...settled, roles: ours(roles) }, op, ours(after.roles));
        return after;
      },
      transaction,
    );
    // What was made for VMs that there are none of is of no use; a deployment that goes on makes it anew.
    if (makesNetworks && said.state !== 'succeeded' && looked.length === 0 && hasAlone(before, op))
      await serviceNetworks.undo(before, transaction);
    const goes = removes(operation) || (undeploys && before?.body.automatic_deletion === true);
    if (before?.operation === op && said.state === 'succeeded' && goes) await services.remove(resource.id, transaction);
    // Whoever is about to take the service over makes untrue what those that wait for a host would be told.
    const isWanted = typeof before?.wanted === 'string' && before.wanted !== op;
    const left = said.state === 'succeeded' || isWanted ? null : leftWaiting(operation, said);
    return {
      outcome: said,
      releasing: await releases.toRelease(op, { given_up: reasonOf(outcome), left }, transaction),
    };
  }

  /** As they are once those that the operation holds in the middle of a step have said that this was given up. */
  async function allOf(
    service: number,
    { op, given_up }: { op: string; given_up: string },
    transaction: Transaction,
  ): Promise<HealthVm[]> {
    const found = await vms.model
      .find({ 'service.id': service, state: { $ne: 'DONE' } }, { ...healthFields, 'hold.op': 1 }, within(transaction))
      .hint('by_service')
      .lean<(HealthVm & { hold: { op: string } | null })[]>()
      .exec();
    return found.map((vm) => {
      const event = vm.hold?.op === op ? abandonment(vm) : undefined;
      return event ? { ...vm, ...stateAfter(vm, event), reason: vm.reason ?? brief(given_up, longest.vm) } : vm;
    });
  }
}

/** Whether nobody else is at work on a service, or on a role of it, than this operation. */
const hasAlone = (service: Service | null, op: string): service is Service =>
  service !== null &&
  [service.operation, ...service.roles.map(({ operation = null }) => operation)].every(
    (one) => one === null || one === op,
  );

const removes = (operation: Operation): boolean => isUndeployment(operation) && operation.input.remove;
