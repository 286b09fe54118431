import type { Model } from 'mongoose';
import type { SecretOf } from '../../domain/sealed.js';
import type { Sealed } from '../../schemas/common/sealed.js';

/** A secret of an object, as it is kept. */
export type SealedSecret = { id: number; secret: Pick<SecretOf<unknown>, 'path' | 'place'>; sealed: Sealed };

/** Secrets of the objects of a kind, for who seals them anew. */
export interface SealedSecrets {
  /** Those that are not sealed with this key. */
  sealedOtherwise(key: string): Promise<SealedSecret[]>;
  /** Names of the keys with which they are sealed. */
  sealingKeys(): Promise<string[]>;
  /** The same secret, sealed anew; false: it was changed meanwhile, or is gone. */
  reseal(secret: SealedSecret, after: Sealed): Promise<boolean>;
}

export const sealedSecrets = <T extends { _id: number }>(
  model: Model<T>,
  secrets: readonly SecretOf<T>[],
): SealedSecrets => {
  const plain = model.db.collection<{ _id: number }>(model.collection.name);
  return {
    async sealedOtherwise(key) {
      const found = await Promise.all(
        secrets.map(async (secret) => {
          const other = { [secret.path]: { $ne: null }, [`${secret.path}.key`]: { $ne: key } };
          const its = await plain.find<T>(other).toArray();
          return its.flatMap((object) => {
            const sealed = secret.of(object);
            return sealed ? [{ id: object._id, secret, sealed }] : [];
          });
        }),
      );
      return found.flat();
    },
    async sealingKeys() {
      const found = await Promise.all(
        secrets.map(({ path }) =>
          plain
            .aggregate<{ _id: string }>([{ $match: { [path]: { $ne: null } } }, { $group: { _id: `$${path}.key` } }])
            .toArray(),
        ),
      );
      return [...new Set(found.flat().map(({ _id }) => _id))];
    },
    async reseal({ id, secret: { path }, sealed }, after) {
      const { modifiedCount } = await plain.updateOne(
        { _id: id, [`${path}.box`]: sealed.box },
        { $set: { [path]: after } },
      );
      return modifiedCount > 0;
    },
  };
};
