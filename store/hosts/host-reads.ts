import type { Model } from 'mongoose';
import type { DescribedHost } from '../../domain/hosts/host-attributes.js';
import type { Caller } from '../../domain/identity/caller.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { type Cluster, defaultCluster } from '../../schemas/hosts/cluster.js';
import { type Host, type HostState, hostFields } from '../../schemas/hosts/host.js';
import { pageOf, visibleTo } from '../mongo/paging.js';

type HostListQuery = ListQuery & { state?: HostState };

/** What hosts there are. */
export interface HostReads {
  find(id: number): Promise<Host | null>;
  /** The one whose libvirt is there; null: there is none. */
  withUri(uri: string): Promise<Pick<Host, '_id' | 'name'> | null>;
  /** Without their reservations, which are most of a host. */
  byIds(ids: readonly number[]): Promise<Omit<Host, 'vms'>[]>;
  /** Names of those of these that are OFFLINE. */
  offlineOf(ids: readonly number[]): Promise<ReadonlyMap<number, string>>;
  list(caller: Caller, query: HostListQuery): Promise<Page<Host>>;
  /** Those of these hosts that the caller may USE. */
  seenBy(caller: Caller, ids: readonly number[]): Promise<ReadonlySet<number>>;
  all(): Promise<Omit<Host, 'vms'>[]>;
  /** Every host as placement sees it: `total` is what VMs may reserve, attributes those of its cluster under its own. */
  snapshot(): Promise<(DescribedHost & Pick<Host, 'vm_mad'>)[]>;
}

export const hostReads = (hosts: Model<Host>, clusters: Model<Cluster>): HostReads => ({
  find: (id) => hosts.findById(id).lean<Host>().exec(),
  withUri: (uri) => hosts.findOne({ 'libvirt.uri': uri }, { name: 1 }).lean<Pick<Host, '_id' | 'name'>>().exec(),
  byIds: (ids) =>
    hosts
      .find({ _id: { $in: ids } }, { vms: 0 })
      .lean<Omit<Host, 'vms'>[]>()
      .exec(),
  async offlineOf(ids) {
    if (ids.length === 0) return new Map();
    const found = await hosts
      .find({ _id: { $in: [...new Set(ids)] }, state: 'OFFLINE' }, { name: 1 })
      .lean<Pick<Host, '_id' | 'name'>[]>()
      .exec();
    return new Map(found.map(({ _id, name }) => [_id, name]));
  },
  list: (caller, query) =>
    pageOf(hosts, { ...visibleTo(caller, 'host'), ...(query.state && { state: query.state }) }, query, {
      ids: 'number',
      list: hostFields,
      parts,
    }),
  async seenBy(caller, ids) {
    const found = await hosts
      .find({ $and: [visibleTo(caller, 'host'), { _id: { $in: [...ids] } }] }, { _id: 1 })
      .lean<Pick<Host, '_id'>[]>()
      .exec();
    return new Set(found.map(({ _id }) => _id));
  },
  all: () =>
    hosts
      .find({ state: { $ne: 'OFFLINE' } }, { vms: 0 })
      .lean<Omit<Host, 'vms'>[]>()
      .exec(),
  snapshot: () => snapshot(hosts, clusters),
});

/** What VMs may reserve of a host. */
export const usable = ({ total, reserved }: Pick<Host, 'total' | 'reserved'>): Capacity => ({
  cpu: total.cpu - (reserved?.cpu ?? 0),
  memory: total.memory - (reserved?.memory ?? 0),
});

/** What is taken of it: by VMs that have reserved it, and by domains that should not be there. */
export const taken = ({ used, outside }: Pick<Host, 'used' | 'outside'>): Capacity => ({
  cpu: used.cpu + (outside?.cpu ?? 0),
  memory: used.memory + (outside?.memory ?? 0),
});

/** What is much of a host, and not always shown. */
const parts = {
  vms: { neededBy: ['vms'], empty: {} },
  attributes: { neededBy: ['attributes'], empty: {} },
  strays: { neededBy: ['zombies', 'wilds'], empty: { zombies: [], wilds: [], zombie_count: 0, wild_count: 0 } },
} as const;

async function snapshot(
  hosts: Model<Host>,
  clusters: Model<Cluster>,
): Promise<(DescribedHost & Pick<Host, 'vm_mad'>)[]> {
  const [found, known] = await Promise.all([
    hosts
      .find({}, { vms: 0, permissions: 0, strays: 0 })
      .sort({ _id: 1 })
      .lean<Omit<Host, 'vms' | 'permissions' | 'strays'>[]>()
      .exec(),
    clusters.find({}, { name: 1, attributes: 1 }).lean<Pick<Cluster, '_id' | 'name' | 'attributes'>[]>().exec(),
  ]);
  const clusterOf = new Map(known.map((cluster) => [cluster._id, cluster]));
  return found.map((host) => {
    const { _id, name, state, vm_mad, vm_count, cluster_id = defaultCluster } = host;
    const [total, used] = [usable(host), taken(host)];
    const cluster = clusterOf.get(cluster_id);
    return {
      id: _id,
      name,
      state,
      vm_mad,
      cluster: { id: cluster_id, name: cluster?.name ?? 'default' },
      attributes: { ...cluster?.attributes, ...host.attributes },
      total,
      free: { cpu: total.cpu - used.cpu, memory: total.memory - used.memory },
      vms: vm_count,
    };
  });
}
