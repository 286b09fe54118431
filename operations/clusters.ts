import type { Caller } from '../domain/caller.js';
import { permissionsOfNew } from '../domain/permission-bits.js';
import { Problem } from '../domain/problems.js';
import {
  type Cluster,
  type ClusterResource,
  type CreateCluster,
  defaultCluster,
  type UpdateCluster,
} from '../schemas/cluster.js';
import type { Page } from '../schemas/common.js';
import type { ListQuery } from '../schemas/list.js';
import { isDuplicateKey } from '../store/operations.js';
import { changedAttributes } from './attributes.js';
import { authorised, mayCreate } from './authorise.js';
import type { OperationsContext } from './context.js';
import { clusterResource, namesFor } from './resources.js';
import { wakeWaiting } from './wake-waiting.js';

export const clusterOperations = (context: OperationsContext) => {
  const { store, directory } = context;
  const find = async (caller: Caller, id: number, right: 'use' | 'admin'): Promise<Cluster> =>
    authorised(caller, 'CLUSTER', await store.clusters.find(id), right, `cluster ${id}`);
  const shown = async (caller: Caller, clusters: readonly Cluster[]): Promise<ClusterResource[]> => {
    const hosts = await store.clusterChanges.hostsOf(clusters.map(({ _id }) => _id));
    const names = await namesFor(directory, caller, clusters);
    return clusters.map((cluster) => clusterResource(cluster, hosts.get(cluster._id) ?? [], names));
  };
  const shownOne = async (caller: Caller, cluster: Cluster): Promise<ClusterResource> => {
    const [one] = await shown(caller, [cluster]);
    if (!one) throw new Error('a cluster was not shown');
    return one;
  };

  return {
    async list(caller: Caller, query: ListQuery): Promise<Page<ClusterResource>> {
      const page = await store.clusters.list(caller, query);
      return { ...page, items: await shown(caller, page.items) };
    },

    show: async (caller: Caller, id: number): Promise<ClusterResource> =>
      shownOne(caller, await find(caller, id, 'use')),

    async create(caller: Caller, { name, attributes, reserved }: CreateCluster): Promise<ClusterResource> {
      mayCreate(caller, 'CLUSTER', 'clusters');
      const cluster: Cluster = {
        _id: await store.counters.one('cluster'),
        name,
        uid: caller.id,
        gid: caller.gid,
        permissions: permissionsOfNew(caller),
        attributes: changedAttributes({}, attributes),
        reserve: reserved ?? {},
        created_at: new Date(),
      };
      await nameFree(name, () => store.clusters.insert(cluster));
      return shownOne(caller, cluster);
    },

    async update(caller: Caller, id: number, request: UpdateCluster): Promise<ClusterResource> {
      const present = await find(caller, id, 'admin');
      const { name, attributes, reserved } = request;
      const change = {
        ...(name !== undefined && { name }),
        ...(attributes !== undefined && { attributes: changedAttributes(present.attributes, attributes) }),
        ...(reserved !== undefined && { reserve: { ...present.reserve, ...reserved } }),
      };
      const after = await nameFree(name ?? present.name, () => store.clusterChanges.changeCluster(id, change));
      if (!after) throw new Problem('not_found', `There is no cluster ${id}.`);
      await wakeWaiting(context);
      return shownOne(caller, after);
    },

    async remove(caller: Caller, id: number): Promise<void> {
      const { name } = await find(caller, id, 'admin');
      if (id === defaultCluster)
        throw new Problem('wrong_state', `Cluster ${id} (${name}) is always there: hosts are in it by default.`);
      const hosts = await store.clusterChanges.removeCluster(id);
      if (hosts > 0)
        throw new Problem('in_use', `Cluster ${id} (${name}) has ${hosts} hosts. Put them into another cluster first.`);
    },
  };
};

async function nameFree<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isDuplicateKey(error)) throw new Problem('name_taken', `There is a cluster "${name}" already.`);
    throw error;
  }
}
