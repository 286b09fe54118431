import type { Caller } from '../domain/caller.js';
import { Problem } from '../domain/problems.js';
import { defaultPermissions, type Page } from '../schemas/common.js';
import type { Capacity, CreateHost, Host, HostResource, HostState, UpdateHost } from '../schemas/host.js';
import type { ListQuery } from '../schemas/list.js';
import { isDuplicateKey } from '../store/operations.js';
import { authorised, mayCreate } from './authorise.js';
import type { OperationsContext } from './context.js';
import { hostResource, namesFor } from './resources.js';

const hundredths = (cores: number): number => Math.round(cores * 100);

export const hostOperations = ({ store, users, engine, onDelayed }: OperationsContext) => {
  const find = async (caller: Caller, id: number, right: 'use' | 'admin'): Promise<Host> =>
    authorised(caller, 'HOST', await store.hosts.find(id), right, `host ${id}`);
  const shown = async (caller: Caller, host: Host): Promise<HostResource> =>
    hostResource(host, await namesFor(users, caller, [host]));

  /** Monitoring decides whether a host is usable, and tells those that wait for capacity: at once, not at the next tick. */
  const monitor = (): Promise<void> =>
    engine.monitorNow().catch((error: unknown) => onDelayed('hosts are monitored at the next tick', error));

  return {
    async list(caller: Caller, query: ListQuery & { state?: HostState }): Promise<Page<HostResource>> {
      const page = await store.hosts.list(caller, query);
      const names = await namesFor(users, caller, page.items);
      return { ...page, items: page.items.map((host) => hostResource(host, names)) };
    },

    show: async (caller: Caller, id: number): Promise<HostResource> => shown(caller, await find(caller, id, 'use')),

    async create(caller: Caller, { name, vm_mad, cpu, memory }: CreateHost): Promise<HostResource> {
      mayCreate(caller, 'HOST', 'hosts');
      const host: Host = {
        _id: await store.counters.one('host'),
        name,
        uid: caller.id,
        gid: caller.gid,
        permissions: defaultPermissions,
        vm_mad,
        state: 'INIT',
        error: null,
        total: { cpu: hundredths(cpu), memory },
        used: { cpu: 0, memory: 0 },
        vms: {},
        vm_count: 0,
        created_at: new Date(),
        last_monitored_at: null,
      };
      try {
        await store.hosts.insert(host);
      } catch (error) {
        if (isDuplicateKey(error)) throw new Problem('name_taken', `There is a host "${name}" already.`);
        throw error;
      }
      await monitor();
      return shown(caller, host);
    },

    async update(caller: Caller, id: number, { state, cpu, memory }: UpdateHost): Promise<HostResource> {
      const host = await find(caller, id, 'admin');
      const total: Capacity = {
        cpu: cpu === undefined ? host.total.cpu : hundredths(cpu),
        memory: memory ?? host.total.memory,
      };
      const states = { enabled: 'INIT', disabled: 'DISABLED', offline: 'OFFLINE' } as const;
      const enables = state === 'enabled' && host.state !== 'MONITORED';
      const after = await store.hosts.update(id, {
        total,
        ...(state !== undefined && (state !== 'enabled' || enables) && { state: states[state], error: null }),
      });
      if (!after) throw new Problem('not_found', `There is no host ${id}.`);
      if (enables) await monitor();
      else if (await store.vms.anyWaiting())
        await engine
          .signalPlacement()
          .catch((error: unknown) => onDelayed('waiting VMs are placed at the next tick', error));
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
