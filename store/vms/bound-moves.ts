import type { Connection } from 'mongoose';
import { createTies, type Tied } from '../../domain/placement/placement-ties.js';
import { portionsOf } from '../../domain/portions.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { VmMove } from './vm-transitions.js';
import type { VmStore } from './vms.js';

/** A VM that is to get its place, where others of its service may forbid it. */
export type BoundMove = { move: VmMove; tied: Tied; host: number };

/** `refused`: VMs that may not be where they were planned, for others have come first. */
export type BoundlyMoved = { there: Set<number>; moved: number; refused: number[] };

/** VMs that get their place in one transaction: each may be on a host of its own, and is a write of its own then. */
export const movedAtOnce = 200;

/**
 * Two roles of a service may be placed at once, by plans that know nothing of each other: hosts guard their capacity, not
 * who is on another. So each such placement writes its service's document in its transaction, and of two that meet, one
 * goes again and sees where the other's VMs are. A role has thousands of VMs: they go in portions, each of which sees where
 * those before it are.
 */
export function createBoundMoves(connection: Connection, vms: VmStore) {
  const moveSome = (service: number, moves: readonly BoundMove[]): Promise<BoundlyMoved> =>
    withTransaction(connection, async (transaction) => {
      const ties = await tiesWithin(connection, vms, service, transaction);
      const refused: number[] = [];
      const allowed = moves.flatMap(({ move, tied, host }): VmMove[] => {
        if (ties.refuses(tied, host)) {
          refused.push(move.vm._id);
          return [];
        }
        ties.add({ service, role: tied.role, host });
        return [move];
      });
      return { ...(await vms.move(allowed, transaction)), refused };
    });

  return async (service: number, moves: readonly BoundMove[]): Promise<BoundlyMoved> => {
    const all: BoundlyMoved = { there: new Set(), moved: 0, refused: [] };
    for (const some of portionsOf(moves, movedAtOnce)) {
      const { there, moved, refused } = await moveSome(service, some);
      for (const id of there) all.there.add(id);
      all.moved += moved;
      all.refused.push(...refused);
    }
    return all;
  };
}

/** Where the VMs of a service are, for whoever writes in this transaction where another one is: of two that meet, one goes again. */
export async function tiesWithin(connection: Connection, vms: VmStore, service: number, transaction: Transaction) {
  await connection
    .collection<{ _id: number }>('services')
    .updateOne({ _id: service }, { $inc: { placements: 1 } }, within(transaction));
  return createTies(await vms.siblings([service], transaction));
}
