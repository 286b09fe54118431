import { z } from 'zod';
import { ClusterWhatIf, HostWhatIf } from '../../schemas/hosts/what-if.js';
import { HaAction } from '../../schemas/operations/ha-action.js';
import { clusters } from '../hosts/cluster-resource.js';
import { hosts } from '../hosts/host.js';
import { type Leaf, leaf } from '../shell/command.js';
import { type Column, tableOf } from '../shell/output.js';
import { resolve, shown } from '../shell/resource.js';

type HostStatus = ClusterWhatIf['hosts'][number];
const hostColumns: readonly Column<HostStatus>[] = [
  { title: 'ID', text: ({ id }) => String(id), right: true },
  { title: 'NAME', text: ({ name }) => name, cut: true },
  { title: 'STATE', text: ({ state, missed }) => (missed > 0 ? `${state} (${missed} missed)` : state) },
  { title: 'WHEN IT FAILS', text: ({ policy }) => policy ?? 'nothing' },
  {
    title: 'RECOVERY',
    text: ({ armed, expected_recovery: seconds }) =>
      armed === null ? '-' : !armed ? 'not armed' : seconds === null ? 'when asked' : `${seconds} s`,
    right: true,
  },
  { title: 'START', text: ({ starts }) => String(starts), right: true },
  { title: 'WAIT', text: ({ waits }) => String(waits), right: true },
  { title: 'STAY', text: ({ stays, undeployed }) => String(stays + undeployed), right: true },
  { title: 'END', text: ({ ends }) => String(ends), right: true },
];

type VmFate = HostWhatIf['vms'][number];
const vmColumns: readonly Column<VmFate>[] = [
  { title: 'VM', text: ({ id }) => String(id), right: true },
  { title: 'NAME', text: ({ name }) => name, cut: true },
  { title: 'OUTCOME', text: ({ outcome }) => outcome },
  { title: 'HOST', text: ({ host }) => host?.name ?? '-' },
  { title: 'WHY', text: ({ why }) => why ?? '', cut: true },
];

/** What a command says: a sentence, and a table where there is something to tell. */
const told = <T>(text: string, columns: readonly Column<T>[], rows: readonly T[], width: number | null): string =>
  rows.length === 0 ? text : `${text}\n\n${tableOf(columns, rows, width)}`;

/** What would become of VMs if hosts failed. */
export const haCommands: readonly Leaf[] = [
  leaf({
    usage: 'status [cluster]',
    summary: 'Tell what is done when hosts of a cluster fail, and whether it can do without any one of them',
    examples: ['arcus ha status', 'arcus ha status production'],
    schema: z.object({}),
    run: async (context, [wish = 'default']) => {
      const id = await resolve(context.client(), clusters, wish);
      const { value, raw } = await context.client().get(`/clusters/${id}/what-if`, ClusterWhatIf);
      shown(context, () => told(value.text, hostColumns, value.hosts, context.width()), raw);
    },
  }),
  leaf({
    usage: 'simulate <host>',
    summary: 'Tell what would become of the VMs of a host if it failed now; nothing is done',
    examples: ['arcus ha simulate host-1', 'arcus ha simulate host-1 --action migrate --stopped'],
    options: [
      ['--action <action>', `what becomes of its VMs: ${HaAction.options.join(', ')}; default: as its policy says`],
      ['--stopped', 'VMs that are powered off are taken from it, too'],
    ],
    schema: z.object({ action: HaAction.optional(), stopped: z.boolean().optional() }),
    run: async (context, [wish], { action, stopped }) => {
      const id = await resolve(context.client(), hosts, wish);
      const query = new URLSearchParams({ ...(action && { action }), ...(stopped && { stopped: 'true' }) });
      const { value, raw } = await context.client().get(`/hosts/${id}/what-if?${query.toString()}`, HostWhatIf);
      shown(context, () => told(value.text, vmColumns, value.vms, context.width()), raw);
    },
  }),
];
