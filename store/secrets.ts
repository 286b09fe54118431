import type { Model } from 'mongoose';
import { passwordsIn } from '../domain/hosts/fencing-methods.js';
import { marketSecrets } from '../domain/market/market-secrets.js';
import type { SealedPlace, SecretOf } from '../domain/sealed.js';
import { datastoreSecrets } from '../domain/storage/datastore-secrets.js';
import type { Sealed } from '../schemas/common/sealed.js';
import type { HostStore } from './hosts/hosts.js';
import type { MarketplaceStore } from './market/marketplaces.js';
import type { DatastoreStore } from './storage/datastores.js';

type Kept = { place: SealedPlace; sealed: Sealed };

/** A secret as it is kept. `write`: puts it there as it is sealed anew; false: it was changed meanwhile, or is gone. */
export type SealedSecret = Kept & { write: (after: Sealed) => Promise<boolean> };

type Source = { all: () => Promise<SealedSecret[]>; keys: () => Promise<unknown[]> };

/** Those of one field. `at`: where one is written, where documents have several. */
const secretsAt = <D extends { _id: number }>(
  model: Model<D>,
  path: string,
  of: (document: D) => Kept[],
  at = path,
): Source => ({
  async all() {
    const [top = path] = path.split('.');
    const found = await model
      .find({ [`${path}.key`]: { $exists: true } }, { [top]: 1 })
      .lean<D[]>()
      .exec();
    return found.flatMap((document) =>
      of(document).map(({ place, sealed }) => ({
        ...{ place, sealed },
        write: async (after: Sealed) => {
          const { modifiedCount } = await model.db
            .collection<{ _id: number }>(model.collection.name)
            .updateOne({ _id: document._id, [`${path}.box`]: sealed.box }, { $set: { [at]: after } });
          return modifiedCount > 0;
        },
      })),
    );
  },
  keys: () => model.distinct(`${path}.key`).exec(),
});

const secretOf = <D extends { _id: number }>(model: Model<D>, { path, place, of }: SecretOf<D>): Source =>
  secretsAt(model, path, (document) => {
    const sealed = of(document);
    return sealed ? [{ place: place(document._id), sealed }] : [];
  });

/** All secrets that Arcus keeps: what is not found here is sealed with its first key for ever. */
export function createSecrets({
  datastores,
  marketplaces,
  hosts,
}: {
  datastores: DatastoreStore;
  marketplaces: MarketplaceStore;
  hosts: HostStore;
}) {
  const sources: readonly Source[] = [
    ...datastoreSecrets.map((secret) => secretOf(datastores.model, secret)),
    ...marketSecrets.map((secret) => secretOf(marketplaces.model, secret)),
    secretsAt(hosts.model, 'ha.fencing.password', passwordsIn, 'ha.fencing.$.password'),
  ];
  return {
    /** Secrets that are not sealed with this key. */
    async sealedOtherwise(key: string): Promise<SealedSecret[]> {
      const found = await Promise.all(sources.map(({ all }) => all()));
      return found.flat().filter(({ sealed }) => sealed.key !== key);
    },
    /** Names of the keys with which they are sealed. */
    async sealingKeys(): Promise<string[]> {
      const found = await Promise.all(sources.map(({ keys }) => keys()));
      return [...new Set(found.flat().filter((name): name is string => typeof name === 'string'))];
    },
    /** The same secret, sealed anew; false: it was changed meanwhile, or is gone. */
    reseal: ({ write }: SealedSecret, after: Sealed): Promise<boolean> => write(after),
  };
}
