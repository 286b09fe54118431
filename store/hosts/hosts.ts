import type { Connection, Model } from 'mongoose';
import { type Host, hostFields } from '../../schemas/hosts/host.js';
import { modelOf } from '../mongo/model.js';
import { pageIndexes, sortIndexes } from '../mongo/paging.js';
import { type Transaction, within } from '../mongo/transaction.js';
import type { ClusterStore } from './clusters.js';
import { type HostLooks, hostLooks } from './host-looks.js';
import { type HostReads, hostReads } from './host-reads.js';
import { type HostReservations, hostReservations } from './host-reservations.js';

type HostChange = Partial<
  Pick<
    Host,
    'state' | 'error' | 'total' | 'last_monitored_at' | 'cluster_id' | 'attributes' | 'reserve' | 'reserved' | 'ha'
  >
>;

export interface HostStore extends HostReads, HostLooks, HostReservations {
  readonly model: Model<Host>;
  insert(host: Host): Promise<unknown>;
  update(id: number, change: HostChange, transaction?: Transaction): Promise<Host | null>;
  /** Removes a host that holds no VM; false when it does, or is gone. */
  removeEmpty(id: number, transaction: Transaction): Promise<boolean>;
}

export function createHostStore(connection: Connection, { model: clusters }: Pick<ClusterStore, 'model'>): HostStore {
  const hosts = modelOf<Host>(connection, 'hosts', Number, [
    { fields: { name: 1 }, options: { unique: true } },
    // One libvirt is one host: as two, each would take the other's VMs for its own, and its room would count twice.
    { fields: { 'libvirt.uri': 1 }, options: { unique: true, sparse: true } },
    ...pageIndexes(),
    ...sortIndexes(hostFields),
  ]);
  return {
    model: hosts,
    insert: (host) => hosts.create([host]),
    update: (id, change, transaction) =>
      hosts
        .findOneAndUpdate({ _id: id }, { $set: change }, { returnDocument: 'after', ...within(transaction) })
        .lean<Host>()
        .exec(),
    removeEmpty: async (id, transaction) =>
      (await hosts.deleteOne({ _id: id, vms: {} }, within(transaction))).deletedCount > 0,
    ...hostReads(hosts, clusters),
    ...hostLooks(connection, hosts),
    ...hostReservations({ connection, hosts }),
  };
}
