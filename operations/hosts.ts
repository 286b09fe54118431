import { hostEvents } from '../domain/acts/host-acts.js';
import type { Caller } from '../domain/caller.js';
import { nextHostState } from '../domain/host-states.js';
import { permissionsOfNew } from '../domain/permission-bits.js';
import { Problem } from '../domain/problems.js';
import { defaultCluster } from '../schemas/cluster.js';
import type { Page } from '../schemas/common.js';
import type { Capacity, CreateHost, Host, HostResource, HostState, UpdateHost } from '../schemas/host.js';
import type { ListQuery } from '../schemas/list.js';
import { isDuplicateKey } from '../store/operations.js';
import { changedAttributes } from './attributes.js';
import { authorised, mayCreate } from './authorise.js';
import type { OperationsContext } from './context.js';
import { hostResource, namesFor } from './resources.js';
import { wakeWaiting } from './wake-waiting.js';

const hundredths = (cores: number): number => Math.round(cores * 100);

export const hostOperations = (context: OperationsContext) => {
  const { store, directory, engine, onDelayed } = context;
  const find = async (caller: Caller, id: number, right: 'use' | 'admin'): Promise<Host> =>
    authorised(caller, 'HOST', await store.hosts.find(id), right, `host ${id}`);
  const shown = async (caller: Caller, host: Host): Promise<HostResource> =>
    hostResource(host, await namesFor(directory, caller, [host]));

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
    authorised(caller, 'CLUSTER', found, 'admin', `cluster ${cluster}`);
  }

  return {
    async list(caller: Caller, query: ListQuery & { state?: HostState }): Promise<Page<HostResource>> {
      const page = await store.hosts.list(caller, query);
      const names = await namesFor(directory, caller, page.items);
      return { ...page, items: page.items.map((host) => hostResource(host, names)) };
    },

    show: async (caller: Caller, id: number): Promise<HostResource> => shown(caller, await find(caller, id, 'use')),

    async create(caller: Caller, request: CreateHost): Promise<HostResource> {
      mayCreate(caller, 'HOST', 'hosts');
      const { name, vm_mad, cpu, memory, cluster_id, attributes, reserved } = request;
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
        attributes: changedAttributes({}, attributes),
        reserve: reserved ?? {},
        used: { cpu: 0, memory: 0 },
        vms: {},
        vm_count: 0,
        created_at: new Date(),
        last_monitored_at: null,
      };
      try {
        await store.clusterChanges.insertHost(host);
      } catch (error) {
        if (isDuplicateKey(error)) throw new Problem('name_taken', `There is a host "${name}" already.`);
        throw error;
      }
      await monitor();
      return shown(caller, (await store.hosts.find(host._id)) ?? host);
    },

    async update(caller: Caller, id: number, request: UpdateHost): Promise<HostResource> {
      const { state, cpu, memory, cluster_id, attributes, reserved } = request;
      const host = await find(caller, id, 'admin');
      const total: Capacity = {
        cpu: cpu === undefined ? host.total.cpu : hundredths(cpu),
        memory: memory ?? host.total.memory,
      };
      await mayPutInto(caller, cluster_id);
      const resizes = cpu !== undefined || memory !== undefined || cluster_id !== undefined || reserved !== undefined;
      if (resizes)
        await store.clusterChanges.resizeHost(id, {
          ...(cpu !== undefined || memory !== undefined ? { total } : {}),
          ...(cluster_id !== undefined && { cluster_id }),
          ...(reserved !== undefined && { reserve: { ...host.reserve, ...reserved } }),
        });
      const becomes = state && nextHostState(host.state, hostEvents[state]);
      const after = await store.hosts.update(id, {
        ...(attributes !== undefined && { attributes: changedAttributes(host.attributes ?? {}, attributes) }),
        ...(becomes !== undefined && { state: becomes, error: null }),
      });
      if (!after) throw new Problem('not_found', `There is no host ${id}.`);
      if (becomes === 'INIT') await monitor();
      else await wakeWaiting(context);
      return shown(caller, after);
    },

    async remove(caller: Caller, id: number): Promise<void> {
      const host = await find(caller, id, 'admin');
      if (await store.hosts.removeEmpty(id)) return;
      const count = Object.keys(host.vms).length;
      throw new Problem('in_use', `Host ${id} (${host.name}) holds ${count} VMs. Disable it and terminate them first.`);
    },
  };
};
