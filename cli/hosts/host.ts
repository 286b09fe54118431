import { z } from 'zod';
import { type Body, json } from '../../client/message.js';
import { CreateHost, HostResource, HostState } from '../../schemas/hosts/host.js';
import type { DocumentKind } from '../apply/document-kind.js';
import { permissionsText } from '../identity/ownership.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { operationsLeaf } from '../operations/operation-list.js';
import { startOperation } from '../operations/start-operation.js';
import { whyLeaf } from '../operations/why.js';
import { attributesSection } from '../shell/attribute.js';
import { changesIn } from '../shell/changes.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { inFile, readInput } from '../shell/files/input.js';
import { reportOperation } from '../shell/follow.js';
import { nounOf } from '../shell/noun-of.js';
import { pairs, sizeOf } from '../shell/output.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { listAndShow, type Resource, report, resolve } from '../shell/resource.js';
import { stateText } from '../shell/state-colour.js';
import { waitLeaf } from '../shell/wait-for.js';
import { clusters } from './cluster-resource.js';
import { armedText, haLeaves, policyText, testText } from './ha.js';
import { metricsLeaf } from './metrics.js';
import { reserveAndAttributes } from './placement-options.js';
import { cleanLeaf, importLeaf, straysSection } from './strays.js';

export const hosts: Resource<typeof HostResource, typeof HostResource> = {
  ...nounOf('host'),
  item: HostResource,
  whole: HostResource,
  states: HostState.options,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'NAME', text: ({ name }) => name, cut: true },
    { title: 'CLUSTER', text: ({ cluster_id }) => String(cluster_id), right: true },
    { title: 'HYPERVISOR', text: ({ vm_mad }) => vm_mad },
    { title: 'VMS', text: ({ vms }) => String(vms.length), right: true },
    {
      title: 'CPU',
      text: ({ cpu }) => `${cores(cpu.used + cpu.outside)}/${cores(cpu.total - cpu.reserved)}`,
      right: true,
    },
    {
      title: 'MEMORY',
      text: ({ memory }) => `${sizeOf(memory.used + memory.outside)}/${sizeOf(memory.total - memory.reserved)}`,
      right: true,
    },
    { title: 'STATE', text: ({ state }) => state, colour: stateText, kept: true },
    { title: 'HA', text: (host) => armedText(host) ?? '-' },
    { title: 'HA ACTION', text: ({ ha }) => ha?.action ?? '-', wide: true },
    { title: 'MONITORED', text: ({ last_monitored_at }) => last_monitored_at ?? 'never', wide: true },
    { title: 'SILENT SINCE', text: ({ silent_since }) => silent_since ?? '-', wide: true },
    { title: 'NEXT LOOK', text: ({ next_look }) => next_look ?? '-', wide: true },
    { title: 'ERROR', text: ({ error }) => error ?? '-', wide: true },
  ],
  text: (host) =>
    [
      `HOST ${host.id} INFORMATION`,
      pairs([
        ['ID', String(host.id)],
        ['NAME', host.name],
        ['USER', host.uname],
        ['GROUP', host.gname],
        ['CLUSTER', String(host.cluster_id)],
        ['HYPERVISOR', host.vm_mad],
        ['STATE', host.state],
        ['ERROR', host.error],
        ['SILENT SINCE', host.silent_since],
        ['MISSED POLLS', host.missed === 0 ? null : String(host.missed)],
        ['FENCED', host.fenced && `by ${host.fenced.by} at ${host.fenced.at}`],
        [
          'HA',
          host.ha &&
            `${armedText(host)}: ${policyText(host.ha)}${host.ha_of === 'cluster' ? ', as its cluster says' : ''}`,
        ],
        ['FENCING TEST', testText(host)],
        ['EXPECTED RECOVERY', host.expected_recovery === null ? null : `within ${host.expected_recovery} s`],
        ['NEXT LOOK', host.silent_since === null ? null : host.next_look],
        ['CPU', sharesOf(host.cpu, host.reserved.cpu, 'cores')],
        ['MEMORY', sharesOf(host.memory, host.reserved.memory, 'MB')],
        ['LAST MONITORED', host.last_monitored_at ?? 'never'],
        ['VMS', host.vms.join(', ') || '-'],
        ['OPERATION', host.operation],
      ]),
      '',
      permissionsText(host),
      ...attributesSection(host.attributes),
      ...straysSection(host),
    ].join('\n'),
};

/** `6 of 8 cores taken by VMs; 2 kept back (10%)` */
function sharesOf(
  { total, reserved, used, outside }: HostResource['cpu'],
  wish: string | number | null | undefined,
  unit: string,
): string {
  const kept = typeof wish === 'string' ? `${Math.abs(reserved)} (${wish})` : String(Math.abs(reserved));
  const others = outside === 0 ? '' : `, and ${cores(outside)} by zombies and wilds`;
  const taken = `${used} of ${cores(total - reserved)} ${unit} taken by VMs${others}`;
  if (reserved === 0) return taken;
  return `${taken}; it has ${total}, ${reserved > 0 ? `${kept} kept back` : `${kept} more may be taken`}`;
}

const cores = (number: number): string => String(Number(number.toFixed(2)));

const Size = z.object({
  cpu: z.coerce.number({ error: 'must be a number of cores' }).optional(),
  memory: z.coerce.number({ error: 'must be a number of MB' }).optional(),
  cluster: z.string().optional(),
  ...reserveAndAttributes.shape,
});

const placement = [
  ['--cluster <cluster>', 'cluster that it is in, by id or name'],
  ...reserveAndAttributes.options,
] as const;

/** What of the request says where VMs may go. */
const placed = async ({ client }: Context, { cluster, ...rest }: z.output<typeof Size>): Promise<object> => ({
  ...(cluster !== undefined && { cluster_id: await resolve(client(), clusters, cluster) }),
  ...reserveAndAttributes.body(rest),
});

async function update(context: Context, wish: string | undefined, body: Body): Promise<void> {
  const id = await resolve(context.client(), hosts, wish);
  const { value, raw } = await context.client().send('PATCH', `/hosts/${id}`, HostResource, body);
  report(context, `host ${id} (${value.name}) is ${value.state}.`, raw);
}

const setState = (verb: string, state: string, summary: string): Leaf =>
  leaf({
    usage: `${verb} <host>`,
    summary,
    examples: [`arcus host ${verb} host-1`],
    schema: z.object({}),
    run: (context, [wish]) => update(context, wish, json({ state })),
  });

export const hostCommands: readonly Leaf[] = [
  ...listAndShow(hosts),
  whyLeaf({
    ...nounOf('host'),
    examples: ['arcus host why host-1'],
    schema: z.object({}),
    idOf: ({ client }, wish) => resolve(client(), hosts, wish),
  }),
  waitLeaf(hosts, {
    known: ['MONITORED', ...HostState.options.filter((state) => state !== 'MONITORED')],
    statesOf: ({ state }) => [state],
    // A host in ERROR is probed again, and people enable what they have disabled.
    stuck: () => null,
    hasEnded: () => false,
  }),
  leaf({
    usage: 'create [name]',
    summary: 'Add a host, from options or from a file',
    examples: [
      'arcus host create host-4 --cpu 16 --memory 65536',
      'arcus host create kvm-1 --cpu 16 --memory 65536 --uri qemu+ssh://arcus@kvm-1/system',
      'arcus host create -f host.json',
    ],
    options: [
      ['--cpu <cores>', 'cores that VMs may reserve'],
      ['--memory <MB>', 'memory that VMs may reserve'],
      ['--vm-mad <kind>', 'which hypervisor drives it; default: simulated, and libvirt with --uri'],
      ['--uri <uri>', 'where its libvirt is, such as qemu+ssh://arcus@kvm-1/system'],
      ['--virt-type <type>', 'how guests of libvirt run: kvm or qemu'],
      ['--directory <path>', 'of a host of libvirt: where Arcus keeps what its VMs start with'],
      ...placement,
      ['-f, --file <file>', 'JSON or YAML instead; - for standard input'],
    ],
    schema: Size.extend({
      ...{ vmMad: z.string().optional(), file: z.string().optional() },
      ...{ uri: z.string().optional(), virtType: z.string().optional(), directory: z.string().optional() },
    }),
    run: async (context, [name], { cpu, memory, vmMad, file, uri, virtType, directory, ...rest }) => {
      if (file === undefined && name === undefined)
        throw new Complaint('usage', 'Give the name of the host, or -f.', {
          next: 'Add --help to see how it is used.',
        });
      const document = file === undefined ? undefined : readInput(file);
      const ofLibvirt = uri !== undefined || virtType !== undefined || directory !== undefined;
      const libvirt = ofLibvirt ? { uri, virt_type: virtType, directory } : undefined;
      const body = json(
        document
          ? document.content
          : {
              ...{ name, cpu, memory, vm_mad: vmMad ?? (libvirt && 'libvirt') },
              ...{ libvirt, ...(await placed(context, rest)) },
            },
      );
      const sent = context.client().send('POST', '/hosts', HostResource, body);
      const { value, raw } = await (document ? sent.catch(inFile(document)) : sent);
      report(context, `host ${value.id} (${value.name}) created.`, raw);
    },
  }),
  leaf({
    usage: 'update <host>',
    summary: 'Change the size of a host, its cluster, what is kept back of it, or its attributes',
    examples: [
      'arcus host update host-1 --memory 131072',
      'arcus host update host-1 --reserve-cpu 10% --reserve-memory 2048',
      'arcus host update host-1 --cluster production --attribute RACK=b-12 --attribute SSD=',
    ],
    options: [
      ['--cpu <cores>', 'cores that VMs may reserve'],
      ['--memory <MB>', 'memory that VMs may reserve'],
      ...placement,
    ],
    schema: Size,
    run: async (context, [wish], { cpu, memory, ...rest }) =>
      update(
        context,
        wish,
        json(changesIn({ cpu, memory, ...(await placed(context, rest)) }, '--cpu, --memory, --cluster or --attribute')),
      ),
  }),
  setState('enable', 'enabled', 'Let a host take VMs again'),
  setState('disable', 'disabled', 'Let a host keep its VMs and take no new ones'),
  setState('offline', 'offline', 'Stop watching a host'),
  leaf({
    usage: 'flush <host>',
    summary: 'Disable a host, and move its VMs to others',
    examples: ['arcus host flush host-1 --wait'],
    options: [['--wait', 'wait until the operation has ended']],
    schema: z.object({ wait: z.boolean().optional() }),
    run: async (context, [wish], { wait: waits }) => {
      const id = await resolve(context.client(), hosts, wish);
      await reportOperation(context, await startOperation(context, 'POST', `/hosts/${id}/flush`), { wait: waits });
    },
  }),
  ...haLeaves(hosts),
  operationsLeaf(hosts),
  cleanLeaf(hosts),
  importLeaf(hosts),
  metricsLeaf('host', {
    ...{ path: '/hosts', example: 'host-1' },
    idOf: ({ client }, wish) => resolve(client(), hosts, wish),
  }),
  ...ownershipLeaves(hosts, { called: 'host-1' }),
  removeLeaf(hosts, { called: 'host-4', summary: 'Remove a host that has no VMs' }),
];

/** A host in a document of `apply`. */
export const hostDocuments: DocumentKind = {
  ...nounOf('host'),
  wish: CreateHost,
  answer: HostResource,
  asDocument: (object) => {
    const { cpu, memory, ...rest } = HostResource.parse(object);
    return { ...rest, cpu: cpu.total, memory: memory.total };
  },
  update: 'PATCH',
  merges: ['attributes', 'reserved'],
  anyCase: ['attributes'],
  references: (host) =>
    'cluster_id' in host
      ? [
          {
            pointer: '/cluster_id',
            kind: 'cluster',
            value: host.cluster_id,
            put: (id: number) => {
              host.cluster_id = id;
            },
          },
        ]
      : [],
};
