import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { json } from '../../client/message.js';
import { ClusterResource } from '../../schemas/hosts/cluster.js';
import { HostResource } from '../../schemas/hosts/host.js';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import { DatastoreResource } from '../../schemas/storage/datastore.js';
import { clusters } from '../hosts/cluster-resource.js';
import { hosts } from '../hosts/host.js';
import { startOperation } from '../operations/start-operation.js';
import { Complaint } from '../shell/complaint.js';
import { type Resource, resolve } from '../shell/resource.js';
import { datastores } from '../storage/datastore.js';
import { noRenameVerb, renameVerb, updateVerb } from './edit-verbs.js';
import { clusterList, clusterText, hostList, hostText } from './host-text.js';
import { idsOf, listVerb, type One, ownershipVerbs, showVerb, toEach, type Verb } from './one-program.js';
import { listVerbs } from './top-verb.js';

const set = ({ client }: One, id: number, change: object) =>
  client.send('PATCH', `/hosts/${id}`, HostResource, json(change));

async function clusterNames(client: Client): Promise<ReadonlyMap<number, string>> {
  const all = await client.list(clusters.path, ClusterResource);
  return new Map(all.map(({ value }) => [value.id, value.name]));
}

const remove = <L extends z.ZodType<{ id: number; name: string }>>(
  resource: Pick<Resource<L, z.ZodType>, 'noun' | 'path' | 'item' | 'ends' | 'nameless'>,
): Verb => ({
  usage: 'delete <ids>',
  summary: 'Remove it',
  run: toEach(resource, ({ client }, id) => client.send('DELETE', `${resource.path}/${id}`, z.unknown())),
});

const Create = z.object({
  vm: z.string().default('simulated'),
  cluster: z.string().optional(),
  cpu: z.coerce.number().optional(),
  memory: z.coerce.number().optional(),
});

const Import = z.object({ name: z.string().optional() });

const state = (verb: string, summary: string, wish: string): Verb => ({
  usage: `${verb} <ids>`,
  summary,
  run: toEach(hosts, (one, id) => set(one, id, { state: wish })),
});

const Sync = z.object({ cluster: z.string().optional() });

export const hostVerbs: readonly Verb[] = [
  ...listVerbs(hosts, async (all, { client }) => hostList(all, await clusterNames(client))),
  {
    ...showVerb(hosts, () => ''),
    run: toEach(hosts, async ({ client, out }, id, _args, { json: asJson }) => {
      const { value, raw } = await client.get(`/hosts/${id}`, HostResource);
      out(asJson ? JSON.stringify(raw, null, 2) : hostText(value, await clusterNames(client)));
    }),
  },
  ...ownershipVerbs(hosts),
  {
    usage: 'create <name>',
    summary: 'Add a host',
    options: [
      ['-v, --vm <kind>', 'its hypervisor'],
      ['-i, --im <kind>', 'how it is watched; Arcus has one word for both'],
      ['-c, --cluster <cluster>', 'into this cluster'],
      ['--cpu <cores>', 'what VMs may reserve of it: Arcus is told, and does not measure it'],
      ['--memory <MB>', 'the same'],
    ],
    run: async ({ client, out }, [name], given) => {
      const { vm, cluster, cpu, memory } = Create.parse(given);
      if (!(cpu && memory))
        throw new Complaint('usage', 'Arcus has to be told what the host has.', { next: 'Add --cpu and --memory.' });
      const into = cluster === undefined ? {} : { cluster_id: await resolve(client, clusters, cluster) };
      const body = { name, vm_mad: vm, cpu, memory, ...into };
      out(`ID: ${(await client.send('POST', '/hosts', HostResource, json(body))).value.id}`);
    },
  },
  remove(hosts),
  state('enable', 'Let it take VMs', 'enabled'),
  state('disable', 'Let it keep its VMs, and take no new ones', 'disabled'),
  {
    usage: 'flush <ids>',
    summary: 'Disable it, and move its VMs to others',
    run: toEach(hosts, ({ client }, id) => client.send('POST', `/hosts/${id}/flush`, OperationResource)),
  },
  {
    usage: 'importvm <host> <wild>',
    summary: 'Make a domain that is not of this Arcus a VM',
    options: [['--name <name>', 'of the VM']],
    run: async ({ client, out, err }, [host, wild], given) => {
      const { name } = Import.parse(given);
      const id = await resolve(client, hosts, host);
      const body = json({ wild, name });
      const { value } = await startOperation({ client: () => client, err }, 'POST', `/hosts/${id}/import`, body);
      out(`ID: ${value.resource.id}`);
    },
  },
  {
    usage: 'sync [hosts]',
    summary: 'Copy probes to hosts: there are none here, and nothing is copied',
    options: [
      ['-c, --cluster <cluster>', 'those of this cluster'],
      ['-f, --force', 'whatever version they have'],
      ['--rsync', 'by rsync'],
    ],
    run: async ({ client, out }, [wish], given) => {
      const { cluster } = Sync.parse(given);
      // Whoever misspells a host is told so: nothing is done to it, and yet it is not as it should be.
      if (wish !== undefined) await idsOf(client, hosts, wish);
      if (cluster !== undefined) await resolve(client, clusters, cluster);
      out('There is nothing to be copied: Arcus keeps no probes on hosts, and asks their hypervisors.');
    },
  },
  state('offline', 'Stop watching it', 'offline'),
  updateVerb(hosts, 'attributes'),
  noRenameVerb(
    'The name of a host is the address at which Arcus reaches it, and stays.',
    'Create it anew under the other name, and flush and delete this one.',
  ),
  {
    usage: 'forceupdate <ids>',
    summary: 'Have it looked at now, if it is enabled',
    run: toEach(hosts, async (one, id) => {
      const { value } = await one.client.get(`/hosts/${id}`, HostResource);
      if (value.state !== 'DISABLED' && value.state !== 'OFFLINE') await set(one, id, { state: 'enabled' });
    }),
  },
];

const move =
  (into: (cluster: number) => number): Verb['run'] =>
  async (one, [wish, which]) => {
    const cluster = await resolve(one.client, clusters, wish);
    for (const id of await idsOf(one.client, hosts, which)) await set(one, id, { cluster_id: into(cluster) });
  };

/** Ids of the datastores in each cluster. */
async function datastoresIn(client: Client): Promise<(cluster: number) => number[]> {
  const all = (await client.list(datastores.path, DatastoreResource)).map(({ value }) => value);
  return (cluster) => all.flatMap(({ id, cluster_ids }) => (cluster_ids.includes(cluster) ? [id] : []));
}

/** Puts datastores into a cluster, beside those that they are in, or takes them out of it. */
const share =
  (change: (its: readonly number[], cluster: number) => number[]): Verb['run'] =>
  async ({ client }, [wish, which]) => {
    const cluster = await resolve(client, clusters, wish);
    for (const id of await idsOf(client, datastores, which)) {
      const path = `${datastores.path}/${id}`;
      const { value, tag } = await client.get(path, DatastoreResource);
      const cluster_ids = change(value.cluster_ids, cluster);
      // In no cluster, as OpenNebula has it, there is none here: it is the default one's then.
      const body = json({ cluster_ids: cluster_ids.length === 0 ? null : cluster_ids });
      await client.send('PATCH', path, DatastoreResource, body, { unchanged: tag });
    }
  };

export const clusterVerbs: readonly Verb[] = [
  listVerb(clusters, async (all, { client }) => {
    const its = await datastoresIn(client);
    return clusterList(all.map((cluster) => ({ cluster, datastores: its(cluster.id) })));
  }),
  showVerb(clusters, async (cluster, { client }) =>
    clusterText({ cluster, datastores: (await datastoresIn(client))(cluster.id) }),
  ),
  ...ownershipVerbs(clusters),
  {
    usage: 'create <name>',
    summary: 'Add a cluster',
    run: async ({ client, out }, [name]) =>
      out(`ID: ${(await client.send('POST', '/clusters', ClusterResource, json({ name }))).value.id}`),
  },
  remove(clusters),
  renameVerb(clusters),
  updateVerb(clusters, 'attributes'),
  { usage: 'addhost <cluster> <hosts>', summary: 'Put hosts into it', run: move((cluster) => cluster) },
  { usage: 'delhost <cluster> <hosts>', summary: 'Put hosts back into the default one', run: move(() => 0) },
  {
    usage: 'adddatastore <cluster> <datastores>',
    summary: 'Let its hosts reach them',
    run: share((its, cluster) => [...new Set([...its, cluster])]),
  },
  {
    usage: 'deldatastore <cluster> <datastores>',
    summary: 'Let its hosts reach them no more; what is in no other is put into the default one',
    run: share((its, cluster) => its.filter((one) => one !== cluster)),
  },
];
