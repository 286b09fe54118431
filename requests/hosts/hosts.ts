import { hostEvents } from '../../domain/acts/host-acts.js';
import { nextHostState } from '../../domain/hosts/host-states.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { Problem } from '../../domain/problems.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { defaultCluster } from '../../schemas/hosts/cluster.js';
import type { CreateHost, Host, HostEdit, HostResource, HostState } from '../../schemas/hosts/host.js';
import { authorised, mayCreate } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import type { Edit } from '../edit.js';
import { nameFree, objectsOf } from '../managed.js';
import { ownershipOf } from '../ownership-of.js';
import type { Precondition } from '../precondition.js';
import { hostResource, namesFor } from '../resources.js';
import { checkedAttributes, withoutNulls } from './attributes.js';
import { wakeWaiting } from './wake-waiting.js';

const hundredths = (cores: number): number => Math.round(cores * 100);

export const hostOperations = (context: OperationsContext) => {
  const { store, directory, engine, onDelayed } = context;
  const shown = async (caller: Caller, hosts: readonly Host[]): Promise<HostResource[]> => {
    const names = await namesFor(directory, caller, hosts);
    return hosts.map((host) => hostResource(host, names));
  };
  const { show, shownOne, edit } = objectsOf(context, 'host', { ...store.hosts, shown });

  /** Monitoring decides whether a host is usable, and tells those that wait for capacity: at once, not at the next tick. */
  const monitor = (): Promise<void> =>
    engine.monitorNow().catch((error: unknown) => onDelayed('hosts are monitored at the next tick', error));

  async function mayPutInto(caller: Caller, cluster: number | undefined): Promise<void> {
    if (cluster === undefined) return;
    const found = await store.clusters.find(cluster);
    if (!found)
      throw new Problem('invalid_request', `There is no cluster ${cluster}.`, {
        findings: [{ pointer: '/cluster_id', detail: `there is no cluster ${cluster}` }],
      });
    authorised(caller, 'cluster', found, 'admin', cluster);
  }

  return {
    async list(caller: Caller, query: ListQuery & { state?: HostState }): Promise<Page<HostResource>> {
      const page = await store.hosts.list(caller, query);
      return { ...page, items: await shown(caller, page.items) };
    },

    show,
    ...ownershipOf(context, 'host', { change: store.ownership.changeOf('host'), shown: shownOne }),

    async create(caller: Caller, request: CreateHost): Promise<HostResource> {
      mayCreate(caller, 'host');
      const { vm_mad, cpu, memory, cluster_id, attributes, reserved } = request;
      const name = objectName(request.name);
      await mayPutInto(caller, cluster_id);
      const host: Host = {
        _id: await store.counters.one('host'),
        name,
        uid: caller.id,
        gid: caller.gid,
        permissions: permissionsOfNew(caller),
        vm_mad,
        state: 'INIT',
        error: null,
        total: { cpu: hundredths(cpu), memory },
        cluster_id: cluster_id ?? defaultCluster,
        attributes: checkedAttributes(attributes),
        reserve: reserved ?? {},
        used: { cpu: 0, memory: 0 },
        vms: {},
        vm_count: 0,
        created_at: new Date(),
        last_monitored_at: null,
      };
      await nameFree('host', name, () => store.clusterChanges.insertHost(host));
      await monitor();
      return shownOne(caller, (await store.hosts.find(host._id)) ?? host);
    },

    async update(caller: Caller, id: number, { revise, precondition }: Edit<HostEdit>): Promise<HostResource> {
      const edited = await edit(caller, id, precondition, async (host, transaction) => {
        const before = editable(host);
        const { wish, named } = revise(before);
        const { state, cpu, memory, cluster_id, reserved } = wish;
        const attributes = checkedAttributes(wish.attributes, before.attributes);
        const total: Capacity = { cpu: hundredths(cpu), memory };
        if (cluster_id !== before.cluster_id) await mayPutInto(caller, cluster_id);
        const sizes = { total, cluster_id, reserve: reserved };
        const resizes = cpu !== before.cpu || memory !== before.memory || cluster_id !== before.cluster_id;
        if (resizes || named.has('reserved')) await store.clusterChanges.resizeHost(id, sizes, transaction);
        // Enabling one that is in ERROR has it tried again, though nothing of its state was wished otherwise.
        const becomes = named.has('state') ? nextHostState(host.state, hostEvents[state]) : undefined;
        const after = await store.hosts.update(
          id,
          { attributes, ...(becomes !== undefined && { state: becomes, error: null }) },
          transaction,
        );
        return after && { after, becomes };
      });
      if (edited.becomes === 'INIT') await monitor();
      else await wakeWaiting(context);
      return shownOne(caller, edited.after);
    },

    async remove(caller: Caller, id: number, precondition: Precondition): Promise<void> {
      await edit(caller, id, precondition, async (host, transaction) => {
        if (await store.hosts.removeEmpty(id, transaction)) return true;
        const count = Object.keys(host.vms).length;
        throw new Problem(
          'in_use',
          `Host ${id} (${host.name}) holds ${count} VMs. Disable it and terminate them first.`,
        );
      });
    },
  };
};

/** What can be edited of a host, as it is. */
function editable({ state, total, cluster_id = defaultCluster, attributes = {}, reserve = {} }: Host): HostEdit {
  const wished = state === 'DISABLED' ? 'disabled' : state === 'OFFLINE' ? 'offline' : 'enabled';
  return {
    state: wished,
    cpu: total.cpu / 100,
    memory: total.memory,
    cluster_id,
    attributes,
    reserved: withoutNulls(reserve),
  };
}
