import { brief, longest } from '../../domain/brief.js';
import { leftWaiting } from '../../domain/placement/left-waiting.js';
import { scaledRole, whyNotScaled } from '../../domain/scaling/scaling-end.js';
import { belongs, type HealthVm } from '../../domain/services/service-health.js';
import { isVmHealthy } from '../../domain/vms/vm-states.js';
import type { Operation, Releasing } from '../../schemas/operations/operation.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { Transaction } from '../mongo/transaction.js';
import type { Outcome } from '../operations/operations.js';
import type { Releases } from '../services/releases.js';
import type { Scalings } from './scalings.js';

/** How it ended, and which VMs are to be let go of after that; null: none. */
export type Settlement = { outcome: Outcome; releasing: Releasing | null };

export const reasonOf = (outcome: Outcome): string =>
  outcome.state === 'succeeded'
    ? 'its operation ended'
    : outcome.state === 'cancelled'
      ? 'cancelled'
      : brief(outcome.error.detail, longest.role);

/**
 * How the operation on a role alone ends: the role is as its steps have left it; one that is SCALING still has failed, with
 * the reason, and what runs of it stays.
 */
export const scalingEnding =
  ({ scalings, releases }: { scalings: Scalings; releases: Releases }) =>
  async (operation: Operation<'scaleRole'>, outcome: Outcome, transaction: Transaction): Promise<Settlement> => {
    const { _id: op, resource, role: name = '' } = operation;
    let said = outcome;
    const before = await scalings.leave(
      { service: resource.id, role: name, op },
      (role, vms, service) => {
        if (role.state !== 'SCALING') {
          if (role.state === 'FAILED_SCALING') said = outcome.state === 'succeeded' ? whyShort(service, role) : outcome;
          else if (outcome.state === 'cancelled') said = { state: 'succeeded' };
          return {};
        }
        // A cancel may come when all is done but the last words: what is there then counts.
        const arrived = outcome.state === 'cancelled' && isThere(role, vms, service);
        const after = scaledRole(role, { reason: arrived ? null : reasonOf(outcome), cooldown: 0, now: new Date() });
        if (arrived) said = { state: 'succeeded' };
        else if (outcome.state === 'succeeded') said = whyShort(service, { ...role, ...after });
        return after;
      },
      transaction,
    );
    const holder = before?.roles.find((role) => role.name === name)?.operation ?? null;
    const isOthers = holder !== null && holder !== op;
    if (isOthers) said = takenBy(holder);
    const isWanted = typeof before?.wanted === 'string' || isOthers;
    const left = said.state === 'succeeded' || isWanted ? null : leftWaiting(operation, said);
    return {
      outcome: said,
      releasing: await releases.toRelease(op, { given_up: reasonOf(outcome), left }, transaction),
    };
  };

function isThere(role: Role, vms: readonly HealthVm[], { body }: Service): boolean {
  const { ready_status_gate: gate } = body;
  const why = whyNotScaled(role, vms, { failure: null, gate });
  return why === null && vms.filter(belongs).every(isVmHealthy);
}

/** Why an operation that did all it could has not got there: it gave way, or the role has failed. */
const whyShort = ({ wanted }: Service, { name, reason }: Role): Outcome =>
  wanted === null
    ? { state: 'failed', error: { code: 'roles_failed', detail: `role ${name}: ${reason ?? 'it was not scaled'}` } }
    : takenBy(wanted);

const takenBy = (op: string): Outcome => ({
  state: 'cancelled',
  error: { code: 'taken', detail: `Operation ${op} took over.` },
});
