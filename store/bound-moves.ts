import type { Connection } from 'mongoose';
import { createTies, type Tied } from '../domain/placement-ties.js';
import type { VmMove } from './vm-transitions.js';
import type { VmStore } from './vms.js';

/** A VM that is to get its place, where others of its service may forbid it. */
export type BoundMove = { move: VmMove; tied: Tied; host: number };

/** `refused`: VMs that may not be where they were planned, for others have come first. */
export type BoundlyMoved = { there: Set<number>; moved: number; refused: number[] };

/**
 * Two roles of a service may be placed at once, by plans that know nothing of each other: hosts guard their capacity, not
 * who is on another. So each such placement writes its service's document in its transaction, and of two that meet, one
 * goes again and sees where the other's VMs are.
 */
export const createBoundMoves =
  (connection: Connection, vms: VmStore) =>
  (service: number, moves: readonly BoundMove[]): Promise<BoundlyMoved> =>
    connection.transaction(async (session) => {
      await connection
        .collection<{ _id: number }>('services')
        .updateOne({ _id: service }, { $inc: { placements: 1 } }, { session });
      const ties = createTies(await vms.siblings([service], session));
      const refused: number[] = [];
      const allowed = moves.flatMap(({ move, tied, host }): VmMove[] => {
        if (ties.refuses(tied, host)) {
          refused.push(move.vm._id);
          return [];
        }
        ties.add({ service, role: tied.role, host });
        return [move];
      });
      return { ...(await vms.move(allowed, session)), refused };
    });
