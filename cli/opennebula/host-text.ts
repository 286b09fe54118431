import type { z } from 'zod';
import type { ClusterResource } from '../../schemas/hosts/cluster.js';
import type { HostResource } from '../../schemas/hosts/host.js';
import { fact, row, sizeText, templateText } from './columns.js';

// `onehost` and `onecluster` of OpenNebula 5.0.

type Cluster = z.infer<typeof ClusterResource>;
/** Names of clusters by their ids. */
type Names = ReadonlyMap<number, string>;

const shortStates = {
  ...{ INIT: 'init', MONITORED: 'on', ERROR: 'err', DISABLED: 'dsbl', OFFLINE: 'off' },
} as const satisfies Record<HostResource['state'], string>;

const hundredths = (cores: number): number => Math.round(cores * 100);
/** Two of them and a share have to fit into a column. */
const megabytes = (amount: number): string => sizeText(amount * 1_024).replace('.0', '');

function share(used: number, total: number, text: (amount: number) => string): string {
  if (total <= 0) return used === 0 ? '-' : `${text(used)} / -`;
  return `${text(used)} / ${text(total)} (${Math.trunc((used * 100) / total)}%)`;
}

const clusterOf = ({ cluster_id }: HostResource, names: Names): string => names.get(cluster_id) ?? String(cluster_id);

/** `onehost list`. */
export const hostList = (hosts: readonly HostResource[], names: Names): string =>
  [
    row(
      ...([
        ['ID', -4],
        ['NAME', 15],
        ['CLUSTER', 9],
        ['RVM', -3],
        ['ALLOCATED_CPU', -18],
        ['ALLOCATED_MEM', -18],
        ['STAT', 6],
      ] as const),
    ),
    ...hosts.map((host) =>
      row(
        [String(host.id), -4],
        [host.name, 15],
        [clusterOf(host, names), 9],
        [String(host.vms.length), -3],
        [share(hundredths(host.cpu.used), hundredths(host.cpu.total - host.cpu.reserved), String), -18],
        [share(host.memory.used, host.memory.total - host.memory.reserved, megabytes), -18],
        [shortStates[host.state], 6],
      ),
    ),
  ].join('\n');

/** `onehost show`. */
export function hostText(host: HostResource, names: Names): string {
  const { cpu, memory, wilds } = host;
  const facts = (given: readonly (readonly [string, string | number | undefined])[]): string[] =>
    given.flatMap(([name, value]) => fact(name, value, 22));
  const wild = [
    row(['NAME', 30], ['IMPORT_ID', -36], ['CPU', -4], ['MEMORY', -10]),
    ...wilds.items.map((one) =>
      row([one.name, 30], [one.deploy_id, -36], [String(one.cpu), -4], [String(one.memory), -10]),
    ),
  ];
  return [
    `HOST ${host.id} INFORMATION`,
    ...facts([
      ['ID', host.id],
      ['NAME', host.name],
      ['CLUSTER', clusterOf(host, names)],
      ['STATE', host.state],
      ['IM_MAD', host.vm_mad],
      ['VM_MAD', host.vm_mad],
      ['LAST MONITORING TIME', host.last_monitored_at ?? '-'],
      ['ERROR', host.error ?? undefined],
    ]),
    '',
    'HOST SHARES',
    ...facts([
      ['TOTAL MEM', megabytes(memory.total - memory.reserved)],
      ['USED MEM (ALLOCATED)', megabytes(memory.used)],
      ['TOTAL CPU', hundredths(cpu.total - cpu.reserved)],
      ['USED CPU (ALLOCATED)', hundredths(cpu.used)],
      ['RUNNING VMS', host.vms.length],
    ]),
    '',
    'MONITORING INFORMATION',
    ...templateText(host.attributes),
    ...(wilds.count === 0 ? [] : ['', 'WILD VIRTUAL MACHINES', '', ...wild]),
    '',
    'VIRTUAL MACHINES',
    ...host.vms.map(String),
  ].join('\n');
}

/** A cluster, and what is in it besides hosts. Networks are in none: hosts of all clusters reach them. */
type Filled = { cluster: Cluster; datastores: readonly number[] };

/** `onecluster list`. */
export const clusterList = (clusters: readonly Filled[]): string =>
  [
    row(['ID', -5], ['NAME', 25], ['HOSTS', -5], ['VNETS', -5], ['DATASTORES', -10]),
    ...clusters.map(({ cluster: { id, name, hosts }, datastores }) =>
      row([String(id), -5], [name, 25], [String(hosts.length), -5], ['0', -5], [String(datastores.length), -10]),
    ),
  ].join('\n');

/** `onecluster show`. */
export const clusterText = ({ cluster: { id, name, attributes, hosts }, datastores }: Filled): string =>
  [
    `CLUSTER ${id} INFORMATION`,
    ...fact('ID', id, 15),
    ...fact('NAME', name, 15),
    ...['', 'CLUSTER TEMPLATE', ...templateText(attributes)],
    ...['', 'HOSTS', ...hosts.map(String)],
    ...['', 'VNETS', '', 'DATASTORES', ...datastores.map(String)],
  ].join('\n');
