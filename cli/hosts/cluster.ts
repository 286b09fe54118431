import { z } from 'zod';
import { json } from '../../client/message.js';
import { ClusterResource, defaultCluster } from '../../schemas/hosts/cluster.js';
import { HostResource } from '../../schemas/hosts/host.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { changesIn } from '../shell/changes.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { listAndShow, report, resolve } from '../shell/resource.js';
import { clusters } from './cluster-resource.js';
import { clusterHaLeaf } from './ha.js';
import { hosts } from './host.js';
import { reserveAndAttributes } from './placement-options.js';

async function put(context: Context, host: string | undefined, cluster: number): Promise<void> {
  const id = await resolve(context.client(), hosts, host);
  const body = json({ cluster_id: cluster });
  const { value, raw } = await context.client().send('PATCH', `/hosts/${id}`, HostResource, body);
  report(context, `host ${id} (${value.name}) is in cluster ${value.cluster_id}.`, raw);
}

export const clusterCommands: readonly Leaf[] = [
  ...listAndShow(clusters),
  leaf({
    usage: 'create <name>',
    summary: 'Add a cluster',
    examples: ['arcus cluster create production', 'arcus cluster create edge --reserve-cpu 10% --attribute SITE=paris'],
    options: reserveAndAttributes.options,
    schema: z.object(reserveAndAttributes.shape),
    run: async (context, [name], options) => {
      const body = json({ name, ...reserveAndAttributes.body(options) });
      const { value, raw } = await context.client().send('POST', '/clusters', ClusterResource, body);
      report(context, `cluster ${value.id} (${value.name}) created.`, raw);
    },
  }),
  leaf({
    usage: 'update <cluster>',
    summary: 'Rename a cluster, set its attributes or what is kept back of its hosts',
    examples: ['arcus cluster update production --reserve-memory -20%', 'arcus cluster update 100 --name staging'],
    options: [['--name <name>', 'another name'], ...reserveAndAttributes.options],
    schema: z.object({ name: z.string().optional(), ...reserveAndAttributes.shape }),
    run: async (context, [wish], { name, ...rest }) => {
      const id = await resolve(context.client(), clusters, wish);
      const changes = { name, ...reserveAndAttributes.body(rest) };
      const body = json(changesIn(changes, '--name, --reserve-cpu, --reserve-memory or --attribute'));
      const { value, raw } = await context.client().send('PATCH', `/clusters/${id}`, ClusterResource, body);
      report(context, `cluster ${id} (${value.name}) updated.`, raw);
    },
  }),
  leaf({
    usage: 'add-host <cluster> <host>',
    summary: 'Put a host into a cluster',
    examples: ['arcus cluster add-host production host-4'],
    schema: z.object({}),
    run: async (context, [wish, host]) => put(context, host, await resolve(context.client(), clusters, wish)),
  }),
  leaf({
    usage: 'remove-host <host>',
    summary: 'Put a host back into the default cluster',
    examples: ['arcus cluster remove-host host-4'],
    schema: z.object({}),
    run: (context, [host]) => put(context, host, defaultCluster),
  }),
  clusterHaLeaf(clusters),
  ...ownershipLeaves(clusters, { called: 'production' }),
  removeLeaf(clusters, { called: 'staging', summary: 'Remove a cluster that has neither hosts nor datastores' }),
];
