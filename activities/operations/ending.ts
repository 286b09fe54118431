import type { OperationError } from '../../schemas/operations/operation.js';
import type { Outcome } from '../../store/operations/operations.js';
import type { StepPorts } from '../ports.js';

/** How an operation ended; null error: well. */
export type Ended = { error: (OperationError & { cancelled: boolean }) | null };

export const endingActivities = ({ store }: Pick<StepPorts, 'store'>) => ({
  /** The last step of every run. An operation that has ended keeps its outcome, and this returns that. */
  async endOperation({ op, outcome }: { op: string; outcome: Outcome }): Promise<Ended> {
    const operation = await store.endings.end(op, outcome);
    const error = operation?.error ?? null;
    return { error: error && { ...error, cancelled: operation?.state === 'cancelled' } };
  },
});
