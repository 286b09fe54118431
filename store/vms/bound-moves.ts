import type { Connection } from 'mongoose';
import { createTies, type Tied } from '../../domain/placement/placement-ties.js';
import { portionsOf } from '../../domain/portions.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import { datastoresOf, type VmDatastores } from './vm-datastores.js';
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
export function createBoundMoves(
  connection: Connection,
  { vms, datastores }: { vms: VmStore; datastores: VmDatastores },
) {
  const moveSome = (service: number, moves: readonly BoundMove[]): Promise<BoundlyMoved> =>
    withTransaction(connection, async (transaction) => {
      const ties = await tiesWithin(connection, vms, service, transaction);
      const refused: number[] = [];
      // Before who goes where is told to those behind them.
      const { may, full } = await datastores.promise(
        moves.map(({ move }) => move),
        transaction,
      );
      const roomy = new Set(may);
      refused.push(...full.map(({ vm }) => vm._id));
      const allowed = moves.flatMap(({ move, tied, host }): VmMove[] => {
        if (!roomy.has(move)) return [];
        if (ties.refuses(tied, host)) {
          refused.push(move.vm._id);
          return [];
        }
        ties.add({ service, role: tied.role, host });
        return [move];
      });
      return { ...(await vms.move(allowed, transaction)), refused };
    });

  const inPortions = async <M>(
    moves: readonly M[],
    some: (portion: readonly M[]) => Promise<BoundlyMoved>,
  ): Promise<BoundlyMoved> => {
    const all: BoundlyMoved = { there: new Set(), moved: 0, refused: [] };
    for (const portion of portionsOf(moves, movedAtOnce)) {
      const { there, moved, refused } = await some(portion);
      for (const id of there) all.there.add(id);
      all.moved += moved;
      all.refused.push(...refused);
    }
    return all;
  };

  return {
    /** VMs of a service that may not be with all others of it. */
    ofService: (service: number, moves: readonly BoundMove[]): Promise<BoundlyMoved> =>
      inPortions(moves, (some) =>
        datastores.inTurn(datastoresOf(some.map(({ move }) => move)), () => moveSome(service, some)),
      ),

    /** VMs that are promised room in a datastore; others among them just move. */
    free: (moves: readonly VmMove[]): Promise<BoundlyMoved> =>
      datastoresOf(moves).length === 0
        ? vms.move(moves).then((moved) => ({ ...moved, refused: [] }))
        : inPortions(moves, (some) =>
            datastores.inTurn(datastoresOf(some), () =>
              withTransaction(connection, async (transaction) => {
                const { may, full } = await datastores.promise(some, transaction);
                return { ...(await vms.move(may, transaction)), refused: full.map(({ vm }) => vm._id) };
              }),
            ),
          ),
  };
}

/** Where the VMs of a service are, for whoever writes in this transaction where another one is: of two that meet, one goes again. */
export async function tiesWithin(connection: Connection, vms: VmStore, service: number, transaction: Transaction) {
  await connection
    .collection<{ _id: number }>('services')
    .updateOne({ _id: service }, { $inc: { placements: 1 } }, within(transaction));
  return createTies(await vms.siblings([service], transaction));
}
