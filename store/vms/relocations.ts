import type { Connection } from 'mongoose';
import type { Tied } from '../../domain/placement/placement-ties.js';
import type { Reservation } from '../hosts/host-reservations.js';
import type { HostStore } from '../hosts/hosts.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import { createTurns } from '../mongo/turns.js';
import { tiesWithin } from './bound-moves.js';
import { guardOf } from './vm-guards.js';
import type { VmMove } from './vm-transitions.js';
import type { VmStore } from './vms.js';

/** A VM that is to go to another host: what is written of it, and what it needs there. */
export type Departure = { move: VmMove; to: Reservation; tied?: Tied | undefined };

/** `full`: the host has no room for it any more; `bound`: what it may not be with has come there; `taken`: it is not as it was read. */
export type Departed = 'leaves' | 'full' | 'bound' | 'taken';

/** A VM that is on one of its two hosts from now on, and what it had on the other. */
export type Settling = { move: VmMove; left: readonly Reservation[] };

/**
 * VMs on their way from one host to another. Where one is to go, and what is reserved for it there, are one write; so are where it is
 * then, and what is given back of the other. Whoever ends, dies or has to give way between two steps leaves nothing reserved where no VM is.
 */
export function createRelocations(connection: Connection, { vms, hosts }: { vms: VmStore; hosts: HostStore }) {
  const turns = createTurns();
  /** Those of one host write its document, one after the other. */
  const inTurn = <T>(at: readonly Reservation[], work: (transaction: Transaction) => Promise<T>): Promise<T> =>
    turns([...new Set(at.map(({ host }) => `${host}`))], () => withTransaction(connection, work));

  return {
    /** Reserves a place for a VM and writes that it goes there. */
    depart: ({ move, to, tied }: Departure): Promise<Departed> =>
      inTurn([to], async (transaction) => {
        const asRead = { _id: move.vm._id, ...guardOf(move.vm), moving: null };
        if (!(await vms.model.exists(asRead).setOptions(within(transaction)).exec())) return 'taken';
        if (tied && tied.apart.length > 0) {
          const ties = await tiesWithin(connection, vms, tied.service, transaction);
          if (ties.refuses({ ...tied, together: [] }, to.host)) return 'bound';
        }
        const granted = await hosts.reserve([to], transaction);
        if (!granted.some(({ host }) => host === to.host)) return 'full';
        await vms.transition([move], transaction);
        return 'leaves';
      }),

    /** Writes where VMs are now; returns the ids of those that are. */
    settle: (settling: readonly Settling[]): Promise<Set<number>> =>
      inTurn(
        settling.flatMap(({ left }) => left),
        async (transaction) => {
          const there = await vms.transition(
            settling.map(({ move }) => move),
            transaction,
          );
          await hosts.release(
            settling.flatMap(({ move, left }) => (there.has(move.vm._id) ? left : [])),
            transaction,
          );
          return there;
        },
      ),
  };
}
