import { z } from 'zod';
import { json } from '../../client/message.js';
import { printable } from '../../schemas/common/printable.js';
import { VmPlacement } from '../../schemas/placement/placement.js';
import { RecoverAction, VmLcmState, VmResource, VmState } from '../../schemas/vms/vm.js';
import { metricsLeaf } from '../hosts/metrics.js';
import { permissionsText } from '../identity/ownership.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { operationsLeaf } from '../operations/operation-list.js';
import { startOperation } from '../operations/start-operation.js';
import { whyLeaf } from '../operations/why.js';
import { type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation } from '../shell/follow.js';
import { nounOf } from '../shell/noun-of.js';
import { ageOf, pairs, tableOf } from '../shell/output.js';
import { listAndShow, type Resource, report, resolve, resolveToEnd } from '../shell/resource.js';
import { stateText } from '../shell/state-colour.js';
import { waitLeaf } from '../shell/wait-for.js';
import { wrapped } from '../shell/wrapped.js';
import { answerAction, debuggingOf, debugSession } from './debug-session.js';
import { deviceLeaves } from './vm-devices.js';
import { vmLogLeaves } from './vm-log.js';
import { placingLeaves } from './vm-placing.js';
import { vmScheduleLeaf } from './vm-schedules.js';
import { shapingLeaves } from './vm-shaping.js';
import { snapshotLeaves } from './vm-snapshots.js';
import { attributesText, vmTemplates } from './vm-template.js';

type Vm = z.infer<typeof VmResource>;

/** What a VM is doing, in one word: its life-cycle state while it is ACTIVE. */
export const stateOf = ({ state, lcm_state }: Pick<Vm, 'state' | 'lcm_state'>): string =>
  state === 'ACTIVE' ? lcm_state : state;

export const vms: Resource<typeof VmResource, typeof VmResource> = {
  ...nounOf('vm'),
  item: VmResource,
  whole: VmResource,
  states: VmState.options,
  ends: { state: 'DONE', hasEnded: ({ state }) => state === 'DONE' },
  columns: ({ now }) => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'USER', text: ({ uname }) => uname },
    { title: 'GROUP', text: ({ gname }) => gname, wide: true },
    { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
    { title: 'STATE', text: stateOf, colour: stateText, kept: true },
    { title: 'CPU', text: ({ cpu }) => String(cpu), right: true },
    { title: 'MEMORY', text: ({ memory }) => `${memory}M`, right: true },
    { title: 'HOST', text: ({ host }) => host?.name ?? '-', cut: true },
    { title: 'SERVICE', text: ({ service_id }) => String(service_id ?? '-'), right: true, wide: true },
    { title: 'ROLE', text: ({ role_name }) => role_name ?? '-', wide: true },
    { title: 'READY', text: ({ ready }) => (ready ? 'yes' : 'no'), wide: true },
    { title: 'OPERATION', text: ({ operation }) => operation ?? '-', wide: true },
    { title: 'REASON', text: ({ reason }) => reason ?? '-', wide: true },
    { title: 'TIME', text: ({ created_at, ended_at }) => ageOf(created_at, ended_at, now()), right: true },
  ],
  text: (vm) =>
    [
      `VIRTUAL MACHINE ${vm.id} INFORMATION`,
      pairs([
        ['ID', String(vm.id)],
        ['NAME', vm.name],
        ['USER', vm.uname],
        ['GROUP', vm.gname],
        ['STATE', vm.state],
        ['LCM_STATE', vm.lcm_state],
        ['REASON', vm.reason],
        ['READY', vm.ready ? 'yes' : 'no'],
        ['HOST', vm.host ? `${vm.host.id} (${vm.host.name})` : '-'],
        ['SERVICE', vm.service_id === null ? null : `${vm.service_id}, role ${vm.role_name}`],
        ['VM TEMPLATE', vm.template_id === null ? '- (imported)' : String(vm.template_id)],
        ['CPU', String(vm.cpu)],
        ['MEMORY', `${vm.memory}M`],
        ['OPERATION', vm.operation],
        ['CREATED', vm.created_at],
        ['ENDED', vm.ended_at],
      ]),
      ...(vm.debugging ? ['', 'ACTIONS OF WHAT FAILED', debuggingText(vm.debugging)] : []),
      ...(vm.nics.length > 0 ? ['', 'NICS', nicsText(vm.nics)] : []),
      ...(vm.disks.length > 0 ? ['', 'DISKS', disksText(vm.disks)] : []),
      ...(vm.monitoring ? ['', 'MONITORING', monitoringText(vm.monitoring)] : []),
      '',
      permissionsText(vm),
      ...(vm.history.length > 0 ? ['', 'PLACEMENT HISTORY', historyText(vm.history)] : []),
      ...(vm.snapshots.length > 0 ? ['', 'SNAPSHOTS', keptText(vm.snapshots)] : []),
      ...section('USER TEMPLATE', vm.user_template),
      ...section('TEMPLATE', vm.template),
    ].join('\n'),
};

const nicsText = (nics: Vm['nics']): string =>
  tableOf(
    [
      { title: 'ID', text: ({ nic_id }) => String(nic_id), right: true },
      { title: 'NETWORK', text: ({ network }) => network ?? '-' },
      { title: 'MAC', text: ({ mac }) => mac },
      { title: 'MODEL', text: ({ model }) => model ?? '-' },
    ],
    nics,
  );

/** `0 first, 1 second*`: the one that is written after has a star. */
const snapshotsText = (snapshots: Vm['disks'][number]['snapshots']): string =>
  snapshots.map(({ snapshot_id, name, active }) => `${snapshot_id} ${name}${active ? '*' : ''}`).join(', ') || '-';

const disksText = (disks: Vm['disks']): string =>
  tableOf(
    [
      { title: 'ID', text: ({ disk_id }) => String(disk_id), right: true },
      { title: 'TARGET', text: ({ target }) => target },
      { title: 'TYPE', text: ({ type }) => type },
      { title: 'SIZE', text: ({ size }) => `${size}M`, right: true },
      { title: 'FORMAT', text: ({ format }) => format },
      { title: 'SNAPSHOTS', text: ({ snapshots }) => snapshotsText(snapshots) },
    ],
    disks,
  );

/** In OpenNebula's units. */
const monitoringText = ({ time, cpu, memory, nettx, netrx }: NonNullable<Vm['monitoring']>): string =>
  pairs([
    ['TIME', time],
    ['CPU', String(cpu)],
    ['MEMORY', String(memory)],
    ['NETTX', String(nettx)],
    ['NETRX', String(netrx)],
  ]);

const historyText = (history: Vm['history']): string =>
  tableOf(
    [
      { title: 'SEQ', text: ({ seq }) => String(seq), right: true },
      { title: 'HOST', text: ({ host_id, hostname }) => `${host_id} (${hostname})` },
      { title: 'FROM', text: ({ started_at }) => started_at },
      { title: 'UNTIL', text: ({ ended_at }) => ended_at ?? '-' },
      { title: 'REASON', text: ({ reason }) => reason },
    ],
    history,
  );

const keptText = (snapshots: Vm['snapshots']): string =>
  tableOf(
    [
      { title: 'ID', text: ({ id }) => String(id), right: true },
      { title: 'TIME', text: ({ time }) => time },
      { title: 'NAME', text: ({ name }) => name },
      { title: 'ACTIVE', text: ({ active }) => (active ? 'yes' : 'no') },
    ],
    snapshots,
  );

const section = (title: string, attributes: Record<string, unknown>): string[] =>
  Object.keys(attributes).length > 0 ? ['', title, attributesText(attributes)] : [];

const placementLeaf = (verb: string, summary: string, example: string): Leaf =>
  leaf({
    usage: `${verb} <vm>`,
    summary,
    examples: [example, `${example} -o json`],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const id = await resolve(context.client(), vms, wish);
      const { value, raw } = await context.client().get(`/vms/${id}/placement`, VmPlacement);
      report(context, wrapped(printable(value.text), context.width()), raw);
    },
  });

/** One answer under two questions: it fits the VM's state, whichever was asked. */
const placementLeaves = [
  placementLeaf('why-here', 'Tell why a VM is on its host, and not on another', 'arcus vm why-here 34'),
  placementLeaf('why-pending', 'Tell why no host takes a VM that waits for one', 'arcus vm why-pending 35'),
];

const metrics = metricsLeaf('vm', {
  ...{ path: '/vms', example: '34' },
  idOf: ({ client }, wish) => resolve(client(), vms, wish),
});

const ActionNumber = z.coerce.number({ error: 'must be the number of an action' }).int().min(1);
const wait = ['--wait', 'wait until the operation has ended'] as const;

/** A verb for what switches a VM; `hard`: what that means, where its guest can be left unasked. */
function switchLeaf(verb: string, summary: string, hard?: string): Leaf {
  const options = hard === undefined ? [wait] : [['--hard', hard] as const, wait];
  return leaf({
    usage: `${verb} <vm>`,
    summary,
    examples: [`arcus vm ${verb} 3 --wait`, ...(hard === undefined ? [] : [`arcus vm ${verb} test --hard`])],
    options,
    schema: z.object({ hard: z.boolean().optional(), wait: z.boolean().optional() }),
    run: async (context, [wish], { hard: isHard, wait: waits }) => {
      const id = await resolve(context.client(), vms, wish);
      const body = json({ action: isHard ? `${verb}-hard` : verb });
      await reportOperation(context, await startOperation(context, 'POST', `/vms/${id}/actions`, body), {
        wait: waits,
      });
    },
  });
}

const cut = 'cut the power instead of asking the guest';
const switchLeaves = [
  switchLeaf('poweroff', 'Switch a VM off; it stays on its host', cut),
  switchLeaf('reboot', 'Reboot a VM', 'reset it instead of asking the guest'),
  switchLeaf('suspend', 'Save what a VM has in memory on its host, and stop it there'),
  switchLeaf('stop', 'Save what a VM has in memory, and take it from its host with that'),
  switchLeaf('undeploy', 'Switch a VM off, and take it from its host', cut),
  ...snapshotLeaves(vms),
];

export const vmCommands: readonly Leaf[] = [
  ...listAndShow(vms),
  whyLeaf({
    ...nounOf('vm'),
    examples: ['arcus vm why 34', 'arcus vm why test -o json'],
    schema: z.object({}),
    idOf: ({ client }, wish) => resolve(client(), vms, wish),
  }),
  ...placementLeaves,
  metrics,
  operationsLeaf(vms),
  waitLeaf(vms, {
    known: ['RUNNING', ...VmState.options, ...VmLcmState.options.filter((state) => state !== 'RUNNING')],
    statesOf: (vm) => [stateOf(vm), vm.state],
    // A role's operation may try a failed VM again, and is not named by the VM: only what stands alone is sure to stay.
    stuck: ({ lcm_state, operation, service_id }) =>
      lcm_state.endsWith('_FAILURE') && operation === null && service_id === null
        ? `it is ${lcm_state}, and nothing is at work on it`
        : null,
    hasEnded: ({ state }) => state === 'DONE',
  }),
  leaf({
    usage: 'create <vm-template>',
    summary: 'Make a VM from a VM template',
    examples: ['arcus vm create small --name test --wait', 'arcus vm create 0 --cpu 2 --memory 2048'],
    options: [
      ['--name <name>', 'name of the VM'],
      ['--cpu <cores>', 'instead of the CPU of the template'],
      ['--memory <MB>', 'instead of the MEMORY of the template'],
      ['--hold', 'on hold: no host is looked for until it is released'],
      wait,
    ],
    schema: z.object({
      name: z.string().optional(),
      cpu: z.coerce.number({ error: 'must be a number of cores' }).optional(),
      memory: z.coerce.number({ error: 'must be a number of MB' }).optional(),
      hold: z.boolean().optional(),
      wait: z.boolean().optional(),
    }),
    run: async (context, [wish], { name, cpu, memory, hold, wait }) => {
      const template_id = await resolve(context.client(), vmTemplates, wish);
      const changed = cpu !== undefined || memory !== undefined;
      const body = json({ template_id, name, hold, ...(changed ? { template: { CPU: cpu, MEMORY: memory } } : {}) });
      await reportOperation(context, await startOperation(context, 'POST', '/vms', body), { wait });
    },
  }),
  leaf({
    usage: 'update <vm> <attributes...>',
    summary: 'Set attributes of the user template of a VM; NAME= removes one',
    examples: ['arcus vm update 3 READY=YES'],
    schema: z.object({}),
    run: async (context, [wish, ...attributes]) => {
      const body = json({ user_template: Object.fromEntries(attributes.map(attributeOf)) });
      const id = await resolve(context.client(), vms, wish);
      const { value, raw } = await context.client().send('PATCH', `/vms/${id}`, VmResource, body);
      report(context, `vm ${id} (${value.name}) updated.`, raw);
    },
  }),
  leaf({
    usage: 'rename <vm> <name>',
    summary: 'Give a VM another name',
    examples: ['arcus vm rename 3 build-server'],
    schema: z.object({}),
    run: async (context, [wish, name]) => {
      const id = await resolve(context.client(), vms, wish);
      const { value, raw } = await context.client().send('PATCH', `/vms/${id}`, VmResource, json({ name }));
      report(context, `vm ${id} is called ${value.name}.`, raw);
    },
  }),
  ...switchLeaves,
  ...placingLeaves(vms),
  ...shapingLeaves(vms),
  ...deviceLeaves(vms),
  vmScheduleLeaf(vms),
  ...vmLogLeaves(vms),
  leaf({
    usage: 'resume <vm>',
    summary: 'Start a VM again that is switched off, or of which nobody knows',
    examples: ['arcus vm resume 3 --wait'],
    options: [wait],
    schema: z.object({ wait: z.boolean().optional() }),
    run: async (context, [wish], { wait }) => {
      const id = await resolve(context.client(), vms, wish);
      await reportOperation(context, await startOperation(context, 'POST', `/vms/${id}/resume`), { wait });
    },
  }),
  leaf({
    usage: 'recover <vm>',
    summary: 'Bring a VM out of a state in which it hangs',
    examples: [
      'arcus vm recover 12 --retry',
      'arcus vm recover 12 --recreate --wait',
      'arcus vm recover 12 --retry --interactive',
    ],
    options: [
      ['--retry', 'do again what failed'],
      ['--interactive', 'with --retry: go through it action by action, as you answer'],
      ['--run <number>', 'with --retry: do this action of it alone'],
      ['--skip <number>', 'with --retry: leave this action of it out (ADMIN right)'],
      ['--delete', 'end the VM, its power cut'],
      ['--recreate', 'end it and deploy it anew'],
      ['--success', 'say that the step which hangs has succeeded (ADMIN right)'],
      ['--failure', 'say that it has failed (ADMIN right)'],
      wait,
    ],
    schema: z.object({
      ...{ retry: z.boolean().optional(), delete: z.boolean().optional(), recreate: z.boolean().optional() },
      ...{ success: z.boolean().optional(), failure: z.boolean().optional(), wait: z.boolean().optional() },
      ...{ interactive: z.boolean().optional(), run: ActionNumber.optional(), skip: ActionNumber.optional() },
    }),
    run: async (context, [wish], { wait, interactive, run, skip, ...wishes }) => {
      const [action, another] = RecoverAction.options.filter((option) => wishes[option] === true);
      if (action === undefined || another !== undefined)
        throw new Complaint('usage', 'Say one of --retry, --delete, --recreate, --success and --failure.', {
          next: 'Such as: arcus vm recover 12 --retry',
        });
      const number = run ?? skip;
      const ways = [interactive, run, skip].filter((way) => way !== undefined);
      if (ways.length > 1 || (ways.length > 0 && action !== 'retry'))
        throw new Complaint(
          'usage',
          'Of --interactive, --run and --skip one goes with --retry, and with nothing else.',
          {
            next: 'Such as: arcus vm recover 12 --retry --interactive',
          },
        );
      if (ways.length > 0) {
        const client = context.client();
        const id = await resolve(client, vms, wish);
        const talk = { client, say: context.out, err: context.err, ask: context.ask };
        if (number === undefined) return debugSession({ ...talk, program: 'arcus vm' }, id);
        const { session } = await debuggingOf(client, id);
        const step = { answer: run === undefined ? ('skip' as const) : ('run' as const), session, number };
        return reportOperation(context, await answerAction(talk, id, step), { wait });
      }
      const ends = action === 'delete' || action === 'recreate';
      const { id } = await (ends
        ? resolveToEnd(
            context,
            vms,
            wish,
            (vm) => `End ${vm}${action === 'recreate' ? ' and deploy it anew' : ' for good'}?`,
          )
        : { id: await resolve(context.client(), vms, wish) });
      const answer = await startOperation(context, 'POST', `/vms/${id}/recover`, json({ action }));
      await reportOperation(context, answer, { wait });
    },
  }),
  ...ownershipLeaves(vms, { called: 'build-server' }),
  leaf({
    usage: 'terminate <vm>',
    summary: 'End a VM for good; of a service, its role is to have one less',
    examples: ['arcus vm terminate 3 --wait', 'arcus vm terminate test --hard'],
    options: [['--hard', 'cut the power instead of asking the guest'], wait],
    schema: z.object({ hard: z.boolean().optional(), wait: z.boolean().optional() }),
    run: async (context, [wish], { hard, wait }) => {
      const { id } = await resolveToEnd(context, vms, wish, (vm) => `End ${vm} for good?`);
      const path = `/vms/${id}/terminate`;
      const answer = await startOperation(context, 'POST', path, json({ hard: hard ?? false }));
      await reportOperation(context, answer, { wait });
    },
  }),
];

/** `show`: what failed, action by action. */
const debuggingText = ({ current, leads_to, actions }: NonNullable<Vm['debugging']>): string =>
  [
    tableOf(
      [
        { title: '', text: ({ number }) => (number === current ? '>' : '') },
        { title: 'ID', text: ({ number }) => String(number), right: true },
        { title: 'ACTION', text: ({ action }) => action },
        { title: 'STATE', text: ({ state }) => state },
        { title: 'ERROR', text: ({ error }) => error ?? '-' },
      ],
      actions,
    ),
    ...(current === null ? [`No action is left: recover with success leads to ${leads_to}.`] : []),
  ].join('\n');

function attributeOf(text: string): [name: string, value: string | null] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new Complaint('usage', `${JSON.stringify(text)} is not of the form NAME=VALUE.`, {
      next: 'Such as: arcus vm update 3 READY=YES',
    });
  }
  return [name, value === '' ? null : value];
}
