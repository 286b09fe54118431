import { z } from 'zod';
import { json } from '../../client/message.js';
import { printable } from '../../schemas/common/printable.js';
import { VmPlacement } from '../../schemas/placement/placement.js';
import { VmLcmState, VmResource, VmState } from '../../schemas/vms/vm.js';
import { metricsLeaf } from '../hosts/metrics.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { operationsLeaf } from '../operations/operation-list.js';
import { startOperation } from '../operations/start-operation.js';
import { whyLeaf } from '../operations/why.js';
import { attributesOf } from '../shell/attribute.js';
import { type Leaf, leaf } from '../shell/command.js';
import { reportOperation } from '../shell/follow.js';
import { nounOf } from '../shell/noun-of.js';
import { ageOf } from '../shell/output.js';
import { listAndShow, type Resource, report, resolve, resolveToEnd } from '../shell/resource.js';
import { stateText } from '../shell/state-colour.js';
import { waitLeaf } from '../shell/wait-for.js';
import { wrapped } from '../shell/wrapped.js';
import { vmContextLeaf } from './vm-context.js';
import { deviceLeaves } from './vm-devices.js';
import { vmLogLeaves } from './vm-log.js';
import { placingLeaves } from './vm-placing.js';
import { recoverLeaf } from './vm-recover.js';
import { backupLeaf, vmScheduleLeaf } from './vm-schedules.js';
import { vmScreenLeaf } from './vm-screen.js';
import { shapingLeaves } from './vm-shaping.js';
import { snapshotLeaves } from './vm-snapshots.js';
import { vmTemplates } from './vm-template.js';
import { vmText } from './vm-text.js';

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
  text: vmText,
};

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
      const body = json({
        user_template: attributesOf(attributes, 'arcus vm update 3 READY=YES'),
      });
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
  backupLeaf(vms),
  ...vmLogLeaves(vms),
  vmContextLeaf(vms),
  vmScreenLeaf(vms),
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
  recoverLeaf(vms),
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
