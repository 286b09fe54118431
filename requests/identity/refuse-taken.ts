import { Problem } from '../../domain/problems.js';
import { kinds } from '../../schemas/kinds.js';
import type { Transaction } from '../../store/mongo/transaction.js';

type Names = {
  byName: (name: string, transaction: Transaction) => Promise<{ _id: number; name: string } | null>;
  lookAlike: (name: string, itself: number | null, transaction: Transaction) => Promise<{ name: string } | null>;
};

/** Names of users, and of groups, are apart by more than case and the like. `itself`: whose name is to be this one. */
export async function refuseTaken(
  kind: 'user' | 'group',
  names: Names,
  name: string,
  itself: number | null,
  transaction: Transaction,
): Promise<void> {
  const { one } = kinds[kind];
  const namesake = await names.byName(name, transaction);
  if (namesake && namesake._id === itself) return;
  if (namesake) throw new Problem('name_taken', `There is a ${one} "${namesake.name}" already.`);
  const alike = await names.lookAlike(name, itself, transaction);
  if (alike)
    throw new Problem('name_taken', `There is a ${one} "${alike.name}" already, whose name looks like "${name}".`);
}
