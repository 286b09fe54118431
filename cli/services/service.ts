import { z } from 'zod';
import { type Body, json } from '../../client/message.js';
import { counted } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import { ServiceResource, ServiceState, ServiceSummary } from '../../schemas/services/service.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { operationsLeaf } from '../operations/operation-list.js';
import { startOperation } from '../operations/start-operation.js';
import { whyLeaf } from '../operations/why.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { reportOperation } from '../shell/follow.js';
import { nounOf } from '../shell/noun-of.js';
import { ageOf } from '../shell/output.js';
import { listAndShow, type Resource, report, resolve, resolveToEnd } from '../shell/resource.js';
import { stateText } from '../shell/state-colour.js';
import { waitLeaf } from '../shell/wait-for.js';
import { instantiate, instantiateOptions } from './service-template.js';
import { serviceText } from './service-text.js';
import { top, topOf } from './top.js';

export const services: Resource<typeof ServiceSummary, typeof ServiceResource> = {
  ...nounOf('service'),
  item: ServiceSummary,
  whole: ServiceResource,
  states: ServiceState.options,
  ends: { state: 'DONE', hasEnded: ({ state }) => state === 'DONE' },
  columns: ({ now }) => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'USER', text: ({ uname }) => uname },
    { title: 'GROUP', text: ({ gname }) => gname },
    { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
    { title: 'STATE', text: ({ state }) => state, colour: stateText, kept: true },
    { title: 'TEMPLATE', text: ({ template_id }) => String(template_id), right: true, wide: true },
    { title: 'OPERATION', text: ({ operation }) => operation ?? '-', wide: true },
    { title: 'CREATED', text: ({ created_at }) => created_at, wide: true },
    { title: 'TIME', text: ({ created_at, ended_at }) => ageOf(created_at, ended_at, now()), right: true },
    // Last: one service of many roles would move all that stands behind it.
    {
      title: 'ROLES',
      text: ({ roles }) => roles.map((role) => `${role.name}:${role.cardinality}`).join(' '),
      cut: true,
    },
  ],
  text: serviceText,
};

const wait = ['--wait', 'wait until the operation has ended'] as const;
const Wait = z.object({ wait: z.boolean().optional() });

async function act(
  context: Context,
  id: number,
  { method, action, body, wait }: { method: 'POST' | 'DELETE'; action: string; body?: Body; wait: boolean | undefined },
): Promise<void> {
  await reportOperation(context, await startOperation(context, method, `/services/${id}${action}`, body), { wait });
}

export const serviceCommands: readonly Leaf[] = [
  ...listAndShow(services),
  whyLeaf({
    ...nounOf('service'),
    examples: ['arcus service why my_service', 'arcus service why 12 -o json'],
    schema: z.object({}),
    idOf: ({ client }, wish) => resolve(client(), services, wish),
  }),
  operationsLeaf(services),
  waitLeaf(services, {
    known: ['RUNNING', ...ServiceState.options.filter((state) => state !== 'RUNNING')],
    statesOf: ({ state }) => [state],
    // With an operation at work, a failed state may yet be left; without one, only a person leaves it.
    stuck: ({ state, operation }) =>
      state.startsWith('FAILED_') && operation === null ? `it is ${state}, and nothing is at work on it` : null,
    hasEnded: ({ state }) => state === 'DONE',
  }),
  leaf({
    usage: 'top [service]',
    summary: 'Show services with what runs of them, or one with what its VMs use; live on a terminal',
    examples: ['arcus service top', 'arcus service top my_service', 'arcus service top | head'],
    schema: z.object({}),
    run: async (context, [wish]) =>
      wish === undefined ? top(context) : topOf(context, await resolve(context.client(), services, wish)),
  }),
  leaf({
    usage: 'create <service-template>',
    summary: 'Deploy a service from a service template',
    examples: ['arcus service create my_service --wait'],
    ...instantiateOptions,
    run: (context, [wish], options) => instantiate(context, wish, options),
  }),
  leaf({
    usage: 'undeploy <service>',
    summary: 'End the VMs of a service; the service stays as DONE',
    examples: ['arcus service undeploy my_service --wait', 'arcus service undeploy 4 --hard'],
    options: [
      ['--hard', 'cut the power of every VM'],
      ['--soft', 'ask every guest to shut down, whatever its role says'],
      wait,
    ],
    schema: Wait.extend({ hard: z.boolean().optional(), soft: z.boolean().optional() }).refine(
      ({ hard, soft }) => !(hard && soft),
      { error: 'cannot go with --soft', path: ['hard'] },
    ),
    run: async (context, [wish], { hard, soft, wait }) => {
      const body = json(hard ? { hard: true } : soft ? { hard: false } : {});
      const { id } = await resolveToEnd(context, services, wish, (service) => `End every VM of ${service}?`);
      await act(context, id, { method: 'POST', action: '/undeploy', body, wait });
    },
  }),
  leaf({
    usage: 'recover <service>',
    summary: 'Go on with what failed, or end a cooldown',
    examples: ['arcus service recover my_service --wait', 'arcus service recover my_service --role worker --give-up'],
    options: [
      [
        '--role <role>',
        'the role whose scaling has failed, or that is in WARNING or COOLDOWN; absent: the first, or all that has failed',
      ],
      ['--give-up', 'give a failed scaling up: what runs of the role is what it is to have'],
      wait,
    ],
    schema: Wait.extend({ role: z.string().optional(), giveUp: z.boolean().optional() }),
    run: async (context, [wish], { role, giveUp, wait }) => {
      const body = json({ ...(role !== undefined && { role }), ...(giveUp && { give_up: true }) });
      const id = await resolve(context.client(), services, wish);
      await act(context, id, { method: 'POST', action: '/recover', body, wait });
    },
  }),
  leaf({
    usage: 'release <service>',
    summary: 'Deploy what is on hold',
    examples: ['arcus service release my_service --wait', 'arcus service release my_service --role db'],
    options: [['--role <role>', 'the role that is on hold; absent: all that are'], wait],
    schema: Wait.extend({ role: z.string().optional() }),
    run: async (context, [wish], { role, wait }) => {
      const id = await resolve(context.client(), services, wish);
      const body = json(role === undefined ? {} : { role });
      await act(context, id, { method: 'POST', action: '/release', body, wait });
    },
  }),
  leaf({
    usage: 'repair <service>',
    summary: 'Bring a service in WARNING back to what it should be',
    examples: ['arcus service repair my_service --wait'],
    options: [wait],
    schema: Wait,
    run: async (context, [wish], { wait }) =>
      act(context, await resolve(context.client(), services, wish), { method: 'POST', action: '/repair', wait }),
  }),
  leaf({
    usage: 'rename <service> <name>',
    summary: 'Give a service another name; its VMs keep theirs',
    examples: ['arcus service rename my_service other'],
    schema: z.object({}),
    run: async (context, [wish, name = '']) => {
      const id = await resolve(context.client(), services, wish);
      const { raw } = await context.client().send('PATCH', `/services/${id}`, ServiceResource, json({ name }));
      report(context, `service ${id} is called ${name} now.`, raw);
    },
  }),
  leaf({
    usage: 'purge',
    summary: 'Remove the services that are DONE',
    examples: ['arcus service purge', 'arcus service purge --yes'],
    schema: z.object({}),
    run: async (context) => {
      const client = context.client();
      const done = await client.list('/services', ServiceSummary, { query: { state: 'DONE' } });
      await context.confirm(
        async () => `Remove ${counted(done.length, kinds.service)} that ${done.length === 1 ? 'is' : 'are'} DONE?`,
      );
      for (const { value } of done) await startOperation(context, 'DELETE', `/services/${value.id}`);
      report(context, `${counted(done.length, kinds.service)} removed.`, { ids: done.map(({ value }) => value.id) });
    },
  }),
  ...ownershipLeaves(services, { called: 'my_service', goesAlong: 'its VMs' }),
  leaf({
    usage: 'delete <service>',
    summary: 'Remove a service and its VMs, from any state',
    examples: ['arcus service delete my_service'],
    options: [wait],
    schema: Wait,
    run: async (context, [wish], { wait }) => {
      const question = (service: string) => `End every VM of ${service} and remove it?`;
      const { id } = await resolveToEnd(context, services, wish, question);
      await act(context, id, { method: 'DELETE', action: '', wait });
    },
  }),
];
