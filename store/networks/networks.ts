import type { Connection } from 'mongoose';
import { kinds } from '../../schemas/kinds.js';
import type { AddressRange } from '../../schemas/networks/addresses.js';
import type { Network, NetworkDriver } from '../../schemas/networks/network.js';
import type { DocumentStore } from '../documents.js';
import { ChoiceLost } from '../mongo/choice-lost.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { modelOf } from '../mongo/model.js';
import { sessionOf, type Transaction, within } from '../mongo/transaction.js';

/** Networks as they are kept, and the numbers of VLANs that are one network's alone. */
export function createNetworkStore(connection: Connection, kept: DocumentStore<'network'>) {
  const drawn = modelOf<{ _id: string; network: number }>(connection, 'vlan_ids', String);
  const vlanKey = (driver: NetworkDriver, vlan: number): string => `${driver}/${vlan}`;
  return {
    ...kept,
    /** Its address ranges alone, past Mongoose: whoever takes an address reads them. */
    rangesOf: async (id: number, transaction: Transaction): Promise<readonly AddressRange[]> =>
      (
        await connection
          .collection<Network>(kinds.network.collection)
          .findOne({ _id: id }, { projection: { ranges: 1 }, ...within(transaction) })
      )?.ranges ?? [],
    /** Numbers of VLANs of this kind that networks have, drawn or not. */
    vlansOf: async (vn_mad: NetworkDriver): Promise<Set<number>> => {
      const found = await kept.model.find({ vn_mad }, { vlan_id: 1 }).lean<{ vlan_id: number | null }[]>().exec();
      return new Set(found.flatMap(({ vlan_id }) => vlan_id ?? []));
    },
    /** In the transaction that makes a network. Throws ChoiceLost where another one has drawn it meanwhile. */
    async drawVlan(network: number, driver: NetworkDriver, vlan: number, transaction: Transaction): Promise<void> {
      try {
        await drawn.create([{ _id: vlanKey(driver, vlan), network }], within(transaction));
      } catch (error) {
        throw isDuplicateKey(error) ? new ChoiceLost(`VLAN ${vlan} is drawn`, { cause: error }) : error;
      }
    },
    giveVlanBack: (network: number, transaction: Transaction) => drawn.deleteMany({ network }, within(transaction)),
    /** One that has its addresses from this network; null: there is none. */
    reservedOf: (parent: number, transaction: Transaction) =>
      kept.model
        .findOne({ parent }, { name: 1 })
        .session(sessionOf(transaction))
        .lean<{ _id: number; name: string }>()
        .exec(),
    /** Those of this name, by whose they are. */
    named: (name: string, uid: number, transaction?: Transaction) =>
      kept.model.findOne({ uid, name }).session(sessionOf(transaction)).lean().exec(),
  };
}
export type NetworkStore = ReturnType<typeof createNetworkStore>;
