import { isDeepStrictEqual } from 'node:util';
import { policyOf } from '../../domain/hosts/shown-policy.js';
import { Problem } from '../../domain/problems.js';
import { counted } from '../../schemas/common/counted.js';
import {
  type Cluster,
  type ClusterEdit,
  type ClusterResource,
  type CreateCluster,
  defaultCluster,
} from '../../schemas/hosts/cluster.js';
import { ClusterPolicy } from '../../schemas/hosts/ha.js';
import { kinds } from '../../schemas/kinds.js';
import type { OperationsContext } from '../context.js';
import { managed } from '../managed.js';
import { clusterResource, namesFor } from '../resources.js';
import { checkedAttributes, withoutNulls } from './attributes.js';
import { clusterPolicyToKeep, policyFree } from './ha.js';
import { wakeWaiting } from './wake-waiting.js';

export const clusters = (context: OperationsContext) => {
  const { store, directory } = context;

  return managed(context, 'cluster', {
    ...store.clusters,
    async shown(caller, found): Promise<ClusterResource[]> {
      const hosts = await store.clusterChanges.hostsOf(found.map(({ _id }) => _id));
      const names = await namesFor(directory, caller, found);
      return found.map((cluster) => clusterResource(cluster, hosts.get(cluster._id) ?? [], names));
    },
    make: async (_caller, { attributes, reserved }: CreateCluster) => {
      const checked = checkedAttributes(attributes);
      return (base): Cluster => ({ ...base, attributes: checked, reserve: reserved ?? {} });
    },
    editable,
    change: async (caller, { name, attributes, reserved, ha }, present, transaction) => {
      const change = { name, attributes: checkedAttributes(attributes, present.attributes), reserve: reserved };
      if (isDeepStrictEqual(ha, ownPolicy(present)))
        return store.clusterChanges.changeCluster(present._id, change, transaction);
      for (const host of await store.clusterChanges.followingAtWork(present._id, transaction))
        await policyFree(context, host);
      const policy = ha && clusterPolicyToKeep(present, ha, caller.id);
      return store.clusterChanges.changeCluster(present._id, { ...change, ha: policy }, transaction);
    },
    async remove(_caller, { _id: id, name }, transaction) {
      const called = `Cluster ${id} (${name})`;
      if (id === defaultCluster)
        throw new Problem('wrong_state', `${called} is always there: hosts are in it by default.`);
      const hosts = await store.clusterChanges.removeCluster(id, transaction);
      if (hosts > 0) throw new Problem('in_use', `${called} has ${hosts} hosts. Put them into another cluster first.`);
      // Whoever puts one into it writes the cluster, which this transaction has done, too.
      const stores = await store.datastores.inCluster(id, transaction);
      if (stores > 0)
        throw new Problem('in_use', `${called} has ${counted(stores, kinds.datastore)}. Take them out of it first.`);
    },
    changed: () => wakeWaiting(context),
  });
};

/** What can be edited of a cluster, as it is. */
const editable = (cluster: Cluster): ClusterEdit => ({
  name: cluster.name,
  attributes: cluster.attributes,
  reserved: withoutNulls(cluster.reserve),
  ha: ownPolicy(cluster),
});

/** As it was given. */
const ownPolicy = ({ ha }: Cluster): ClusterPolicy | null => (ha ? ClusterPolicy.parse(policyOf({ ha })) : null);
