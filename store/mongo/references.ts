import type { Connection } from 'mongoose';
import { type Finding, Problem } from '../../domain/problems.js';
import { administrators, defaultGroup } from '../../schemas/identity/group.js';
import { type Kind, kinds } from '../../schemas/kinds.js';
import { defaultSecurityGroup } from '../../schemas/networks/security-group.js';
import { type Transaction, within, withTransaction } from './transaction.js';
import { createTurns } from './turns.js';

type Owner = { uid: number; gid: number };

/** What other documents name, and which of it is always there, so that nobody has to make sure. */
const alwaysThere = {
  user: [0],
  group: [administrators, defaultGroup],
  vm_template: [],
  cluster: [0],
  security_group: [defaultSecurityGroup],
  market: [],
} as const satisfies Partial<Record<Kind, readonly number[]>>;
export type Referred = keyof typeof alwaysThere;

/**
 * Whoever writes the name of a user, a group or a VM template into another document writes that user, group or template,
 * too, in the same transaction; whoever removes one looks, in the transaction that does, for documents that name it. Of two
 * that meet, one goes again and sees what the other has done. To look alone would not do: two that read what the other
 * writes do not conflict for MongoDB, and both would succeed.
 */
export function createReferences(connection: Connection) {
  const takeTurns = createTurns();

  /** Makes sure that these are there until the transaction has committed; returns those that are not. */
  async function touch(kind: Referred, ids: readonly number[], transaction: Transaction): Promise<number[]> {
    const always: readonly number[] = alwaysThere[kind];
    const wanted = [...new Set(ids)].filter((id) => !always.includes(id));
    if (wanted.length === 0) return [];
    const documents = connection.collection<{ _id: number; referred?: number }>(kinds[kind].collection);
    const filter = { _id: { $in: wanted } };
    const { matchedCount } = await documents.updateMany(filter, { $inc: { referred: 1 } }, within(transaction));
    if (matchedCount === wanted.length) return [];
    const there = await documents.find(filter, { ...within(transaction), projection: { _id: 1 } }).toArray();
    return wanted.filter((id) => !there.some(({ _id }) => _id === id));
  }

  /** Of something new, which belongs to whoever makes it. */
  async function makeFor({ uid, gid }: Owner, transaction: Transaction): Promise<void> {
    if ((await touch('user', [uid], transaction)).length > 0)
      throw new Problem('not_authenticated', 'You have been disabled or removed.');
    if ((await touch('group', [gid], transaction)).length > 0)
      throw new Problem('wrong_state', `Your group ${gid} has been removed meanwhile. Ask again.`);
  }

  return {
    touch,
    makeFor,

    /** Runs a transaction that touches these after those that do so already. */
    inTurn: <T>(kind: Referred, ids: readonly number[], transaction: () => Promise<T>): Promise<T> =>
      takeTurns(
        [...new Set(ids)].map((id) => `${kind}/${id}`),
        transaction,
      ),

    /** A transaction that writes something new which names its owner; one after the other for the same. */
    make: <T>(owner: Owner, write: (transaction: Transaction) => Promise<T>): Promise<T> =>
      takeTurns([`user/${owner.uid}`, `group/${owner.gid}`], () =>
        withTransaction(connection, async (transaction) => {
          await makeFor(owner, transaction);
          return write(transaction);
        }),
      ),

    /** Of something that is given away: what has changed of whose it is. */
    async giveTo(before: Owner, after: Owner, transaction: Transaction): Promise<void> {
      const [user] = before.uid === after.uid ? [] : await touch('user', [after.uid], transaction);
      const [group] = before.gid === after.gid ? [] : await touch('group', [after.gid], transaction);
      const findings: Finding[] = [
        ...(user === undefined ? [] : [{ pointer: '/uid', detail: `there is no user ${user}` }]),
        ...(group === undefined ? [] : [{ pointer: '/gid', detail: `there is no group ${group}` }]),
      ];
      if (findings.length > 0) throw nobody(findings);
    },
  };
}
export type References = ReturnType<typeof createReferences>;

/** What is given to a user or group that is not there. */
export const nobody = (findings: readonly Finding[]): Problem =>
  new Problem('invalid_request', `Nobody would get it: ${findings.map(({ detail }) => detail).join(', and ')}.`, {
    findings,
  });
