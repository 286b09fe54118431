import type { Lane, Operation } from '../../schemas/operations/operation.js';
import { operationKinds, takesAway } from '../../schemas/operations.js';

/** Those that take away: what whoever has too much at work must be able to do at once. */
export const takingAway = operationKinds.filter(takesAway);

/** Operations of one user that have the lane of their own at a time; and as many again of those that take away. */
export const ownLane = 3;

/**
 * Who takes turns with others for an operation: its user; and of each, what takes away by itself, so that it does not wait
 * behind the rest.
 */
export const partyOf = (asked: Pick<Operation, 'kind' | 'requester'> | null): string | null =>
  asked && `user-${asked.requester.id}${takesAway(asked.kind) ? '-takes-away' : ''}`;

/** Where the runs of an operation wait for a worker, by how many of its kind its user has open already. */
export const laneOf = (open: number): Lane => (open < ownLane ? 'own' : 'shared');
