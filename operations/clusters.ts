import type { Caller } from '../domain/caller.js';
import { objectName } from '../domain/given-names.js';
import { permissionsOfNew } from '../domain/permission-bits.js';
import { Problem } from '../domain/problems.js';
import {
  type Cluster,
  type ClusterEdit,
  type ClusterResource,
  type CreateCluster,
  defaultCluster,
} from '../schemas/cluster.js';
import type { Page } from '../schemas/common.js';
import type { ListQuery } from '../schemas/list.js';
import { isDuplicateKey } from '../store/operations.js';
import { checkedAttributes, withoutNulls } from './attributes.js';
import { authorised, mayCreate } from './authorise.js';
import type { OperationsContext } from './context.js';
import type { Edit } from './edit.js';
import type { Precondition } from './precondition.js';
import { clusterResource, namesFor } from './resources.js';
import { wakeWaiting } from './wake-waiting.js';

export const clusterOperations = (context: OperationsContext) => {
  const { store, directory } = context;
  const find = async (caller: Caller, id: number, right: 'use' | 'admin'): Promise<Cluster> =>
    authorised(caller, 'cluster', await store.clusters.find(id), right, id);
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

    async create(caller: Caller, { name: wished, attributes, reserved }: CreateCluster): Promise<ClusterResource> {
      mayCreate(caller, 'cluster');
      const name = objectName(wished);
      const cluster: Cluster = {
        _id: await store.counters.one('cluster'),
        name,
        uid: caller.id,
        gid: caller.gid,
        permissions: permissionsOfNew(caller),
        attributes: checkedAttributes(attributes),
        reserve: reserved ?? {},
        created_at: new Date(),
      };
      await nameFree(name, () => store.references.make(cluster, (session) => store.clusters.insert(cluster, session)));
      return shownOne(caller, cluster);
    },

    async update(caller: Caller, id: number, { revise, precondition }: Edit<ClusterEdit>): Promise<ClusterResource> {
      await find(caller, id, 'admin');
      const after = await store.edit(store.clusters.model, id, async (present, session) => {
        const cluster = authorised(caller, 'cluster', present, 'admin', id);
        await precondition.demand(() => shownOne(caller, cluster));
        const before = editable(cluster);
        const { wish } = revise(before);
        const change = {
          name: objectName(wish.name, cluster.name),
          attributes: checkedAttributes(wish.attributes, before.attributes),
          reserve: wish.reserved,
        };
        return nameFree(change.name, () => store.clusterChanges.changeCluster(id, change, session));
      });
      if (!after) throw new Problem('not_found', `There is no cluster ${id}.`);
      await wakeWaiting(context);
      return shownOne(caller, after);
    },

    async remove(caller: Caller, id: number, precondition: Precondition): Promise<void> {
      await find(caller, id, 'admin');
      const removed = await store.edit(store.clusters.model, id, async (present, session) => {
        const cluster = authorised(caller, 'cluster', present, 'admin', id);
        await precondition.demand(() => shownOne(caller, cluster));
        const called = `Cluster ${id} (${cluster.name})`;
        if (id === defaultCluster)
          throw new Problem('wrong_state', `${called} is always there: hosts are in it by default.`);
        const hosts = await store.clusterChanges.removeCluster(id, session);
        if (hosts > 0)
          throw new Problem('in_use', `${called} has ${hosts} hosts. Put them into another cluster first.`);
        return true;
      });
      if (!removed) throw new Problem('not_found', `There is no cluster ${id}.`);
    },
  };
};

/** What can be edited of a cluster, as it is. */
const editable = ({ name, attributes, reserve }: Cluster): ClusterEdit => ({
  name,
  attributes,
  reserved: withoutNulls(reserve),
});

async function nameFree<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isDuplicateKey(error)) throw new Problem('name_taken', `There is a cluster "${name}" already.`);
    throw error;
  }
}
