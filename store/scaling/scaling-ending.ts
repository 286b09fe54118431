import { leftWaiting } from '../../domain/placement/left-waiting.js';
import { scaledRole, whyNotScaled } from '../../domain/scaling/scaling-end.js';
import { belongs, type HealthVm } from '../../domain/services/service-health.js';
import { isVmHealthy } from '../../domain/vms/vm-states.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { Transaction } from '../mongo/transaction.js';
import { reasonOf, type Settlement } from '../operations/ending.js';
import type { Outcome } from '../operations/operations.js';
import type { Releases } from '../services/releases.js';
import type { Scalings } from './scalings.js';

/**
 * What the last step of a scaling has to say. `failure`: why a batch failed as a whole. `cooldown`: seconds for which roles rest
 * that say nothing; `rest`: for which this one does this time; null: as it says. `gate`: whether VMs count only once they have
 * reported.
 */
export type Finish = { step: number; failure: string | null; cooldown: number; rest: number | null; gate: boolean };

type Scaling = Operation<'scaleRole'>;
type Change = Parameters<Scalings['leave']>[1];

/**
 * How the operation on a role alone ends. Role and operation end in one transaction: whoever sees a role that is RUNNING again
 * may scale it.
 */
export function scalingEndings({ scalings, releases }: { scalings: Scalings; releases: Releases }) {
  return {
    /**
     * By its last step: the role is as wished, and rests; or why it is not. null: the operation does not have the role any more,
     * or a later run of it has.
     */
    async finish(operation: Scaling, finish: Finish, transaction: Transaction): Promise<Settlement | null> {
      const { _id: op } = operation;
      const { step, failure, cooldown, rest, gate } = finish;
      let said: Outcome | null = null;
      const before = await leave(
        operation,
        (role, vms, service) => {
          if (role.state !== 'SCALING' || (role.mark?.op === op && role.mark.step >= step)) return null;
          const reason = whyNotScaled(role, vms, { failure, gate });
          const rested = rest === null ? role : { ...role, cooldown: rest };
          const after = scaledRole(rested, { reason, cooldown, now: new Date() });
          said = reason === null ? { state: 'succeeded' } : whyShort(service, { ...role, ...after });
          return { ...after, mark: { op, step } };
        },
        transaction,
      );
      return said && settled(operation, said, before, transaction);
    },

    /** When its run has said no last word: the role has failed, with the reason, and what runs of it stays. */
    async end(operation: Scaling, outcome: Outcome, transaction: Transaction): Promise<Settlement> {
      const { _id: op, role: name } = operation;
      let said = outcome;
      const before = await leave(
        operation,
        (role, vms, service) => {
          if (role.state !== 'SCALING') return {};
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
      if (holder !== null && holder !== op) said = takenBy(holder);
      return settled(operation, said, before, transaction, reasonOf(outcome));
    },
  };

  function leave({ _id: op, resource, role = '' }: Scaling, change: Change, transaction: Transaction) {
    return scalings.leave({ service: resource.id, role, op }, change, transaction);
  }

  async function settled(
    operation: Scaling,
    outcome: Outcome,
    before: Service | null,
    transaction: Transaction,
    given_up = reasonOf(outcome),
  ): Promise<Settlement> {
    const { _id: op, role: name } = operation;
    const holder = before?.roles.find((role) => role.name === name)?.operation ?? null;
    // Whoever is about to take it over makes untrue what those that wait for a host would be told.
    const isWanted = typeof before?.wanted === 'string' || (holder !== null && holder !== op);
    const left = outcome.state === 'succeeded' || isWanted ? null : leftWaiting(operation, outcome);
    return { outcome, releasing: await releases.toRelease(op, { given_up, left }, transaction) };
  }
}

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
