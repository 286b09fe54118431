import { z } from 'zod';
import { HostResource } from '../../schemas/hosts/host.js';
import type { ClusterClient } from './cluster-client.js';
import { eventually } from './processes.js';

const IdentifiedHosts = z.object({ items: z.array(HostResource.pick({ id: true, name: true })) });
const Hosts = z.object({ items: z.array(HostResource.pick({ name: true, state: true })) });

type RoleShape = {
  name: string;
  parents?: string[];
  cardinality?: number;
  failure_policy?: object;
  placement?: object;
  min_vms?: number;
  max_vms?: number;
  cooldown?: number;
  on_hold?: boolean;
  elasticity_policies?: object[];
  scheduled_policies?: object[];
};
type ServiceShape = { deployment?: 'straight' | 'none'; gate?: boolean; roles: RoleShape[] };

/**
 * Registers so many simulated hosts of this size, and waits until they have answered: of several that come within one
 * second, the last may wait for the next tick. Returns their names.
 */
export async function makeHosts(client: ClusterClient, count: number, cpu = 8, memory = 16_384): Promise<string[]> {
  const names = Array.from({ length: count }, (_, at) => `host-${at}`);
  for (const name of names) await client.make('/hosts', { name, cpu, memory });
  await answering(client, names);
  return names;
}

const answering = (client: ClusterClient, names: readonly string[]): Promise<unknown> =>
  eventually(async () => {
    const { items } = Hosts.parse((await client.send('GET', '/hosts?limit=100')).body);
    const there = new Set(items.flatMap(({ name, state }) => (state === 'MONITORED' ? [name] : [])));
    return names.every((name) => there.has(name));
  });

/** Gives hosts that have no VMs this policy, and has each turned off and on, by which it is armed. They take VMs when this resolves. */
export async function armHosts(client: ClusterClient, names: readonly string[], ha: object): Promise<void> {
  const { items } = IdentifiedHosts.parse((await client.send('GET', '/hosts?limit=100')).body);
  const ids = items.flatMap(({ id, name }) => (names.includes(name) ? [id] : []));
  await Promise.all(
    ids.map(async (id) => {
      await client.send('PATCH', `/hosts/${id}`, { state: 'disabled', ha });
      const { id: op } = await client.accepted('POST', `/hosts/${id}/fence-test`);
      await client.awaitOperation(op, 'succeeded');
      await client.send('PATCH', `/hosts/${id}`, { state: 'enabled' });
    }),
  );
  await answering(client, names);
}

/** A service template whose roles share one small VM template; returns its id. */
export async function makeServiceTemplate(
  client: ClusterClient,
  name: string,
  { deployment = 'straight', gate = false, roles }: ServiceShape,
): Promise<number> {
  const vm_template = await client.make('/vm-templates', { name, template: { CPU: 0.5, MEMORY: 256 } });
  return client.make('/service-templates', {
    name,
    deployment,
    ready_status_gate: gate,
    roles: roles.map((role) => ({ ...role, vm_template })),
  });
}

/** The guide's `my_service`: fifteen VMs in four roles on three levels. */
export const fifteenVms: ServiceShape = {
  roles: [
    { name: 'frontend' },
    { name: 'db_master', parents: ['frontend'] },
    { name: 'db_slave', parents: ['frontend'], cardinality: 3 },
    { name: 'worker', parents: ['db_master', 'db_slave'], cardinality: 10 },
  ],
};
