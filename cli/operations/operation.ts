import { z } from 'zod';
import { json } from '../../client/message.js';
import { OperationState } from '../../schemas/operations/operation.js';
import { OperationDetail } from '../../schemas/operations/operation-resource.js';
import { Answer } from '../../schemas/operations/question.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation, waitFor } from '../shell/follow.js';
import { partText, rawText } from '../shell/output.js';
import { one, watch, watchOption } from '../shell/watch.js';
import { Limit, limitOption, printOperations } from './operation-list.js';
import { type Finding, namingOperation, OperationOptions, operationOptions } from './operation-name.js';
import { operationText } from './operation-text.js';
import { startOperation } from './start-operation.js';
import { whyLeaf } from './why.js';

const example = '01KAJ3V5Q0';
const wait = ['--wait', 'wait until it has ended'] as const;
const Named = OperationOptions.extend({ wait: z.boolean().optional() });

/** Answers as they are typed. */
const answers = Answer.options.map((answer) => answer.replace('_', '-'));

function answerOf(text: string | undefined): Answer {
  const answer = Answer.safeParse(text?.replace('-', '_'));
  if (answer.success) return answer.data;
  throw new Complaint(
    'usage',
    `${text === undefined ? 'An answer is missing' : `${JSON.stringify(text)} is no answer`}.`,
    {
      next: `Answer ${answers.join(', ')}; what each does is told by: arcus operation why`,
    },
  );
}

async function resourceQuery(
  context: Context,
  find: Finding,
  { service, vm, host }: z.output<typeof OperationOptions>,
): Promise<Record<string, string>> {
  if ([service, vm, host].filter((name) => name !== undefined).length > 1)
    throw new Complaint('usage', '--service, --vm and --host exclude each other.', { next: 'Give one of them.' });
  if (host !== undefined)
    return { resource_type: 'host', resource_id: String(await find.host(context.client(), host)) };
  if (service !== undefined)
    return { resource_type: 'service', resource_id: String(await find.service(context.client(), service)) };
  if (vm !== undefined) return { resource_type: 'vm', resource_id: String(await find.vm(context.client(), vm)) };
  return {};
}

/** What is news of an operation: times that go on by themselves are none. */
const changing = ({ eta: _eta, ...detail }: OperationDetail): string => JSON.stringify(detail);

/** `find`: what operations are about is known to commands that come after these. */
export function operationCommands(find: Finding): readonly Leaf[] {
  const operationNamed = namingOperation(find);
  return [
    leaf({
      usage: 'list',
      summary: 'List operations, newest first',
      examples: [
        'arcus operation list',
        'arcus operation list --state waiting_for_you',
        'arcus operation list --service my_service --limit 20',
      ],
      options: [
        ['--state <state>', `only those in this state: ${OperationState.options.join(', ')}`],
        ['--service <service>', 'only those on this service'],
        ['--vm <vm>', 'only those on this VM'],
        ['--host <host>', 'only those on this host'],
        limitOption,
        watchOption,
      ],
      schema: OperationOptions.extend({
        state: z.string().optional(),
        limit: Limit,
        watch: z.boolean().optional(),
      }),
      run: async (context, _args, { state, limit, watch: watched, ...resource }) => {
        const query = { ...(state === undefined ? {} : { state }), ...(await resourceQuery(context, find, resource)) };
        await printOperations(context, '/operations', { query, limit, watched });
      },
    }),
    leaf({
      usage: 'show [operation]',
      summary: 'Show the steps and the progress of an operation; its id may be cut short',
      examples: [`arcus operation show ${example}`, 'arcus operation show --service my_service'],
      options: [...operationOptions, watchOption],
      schema: OperationOptions.extend({ watch: z.boolean().optional() }),
      run: async (context, [wish], options) => {
        const id = await operationNamed(context, wish, options);
        const show = async (looking: { signal?: AbortSignal }) => {
          const { value, raw } = await context.client().get(`/operations/${id}`, OperationDetail, looking);
          const { format } = context;
          if (format === 'table') return { text: operationText(value, context), mark: changing(value) };
          const text = options.watch ? partText(format, raw) : rawText(format, raw);
          return { text, mark: text };
        };
        if (!options.watch) return context.out((await show({})).text);
        await watch(context, `arcus operation show ${id}`, async (signal) => {
          const { text, mark } = await show({ signal });
          return one(text, mark);
        });
      },
    }),
    whyLeaf({
      noun: 'operation',
      argument: '[operation]',
      path: '/operations',
      examples: [`arcus operation why ${example}`, 'arcus operation why --service my_service'],
      options: operationOptions,
      schema: OperationOptions,
      idOf: operationNamed,
    }),
    leaf({
      usage: 'wait [operation]',
      summary: 'Wait until an operation has ended; Ctrl-C detaches, the operation goes on',
      examples: [`arcus operation wait ${example}`, 'arcus operation wait --service my_service'],
      options: operationOptions,
      schema: OperationOptions,
      run: async (context, [wish], options) => waitFor(context, await operationNamed(context, wish, options)),
    }),
    leaf({
      usage: 'cancel [operation]',
      summary: 'Stop an operation at its next safe point',
      examples: [`arcus operation cancel ${example} --wait`, 'arcus operation cancel --service my_service'],
      options: [...operationOptions, wait],
      schema: Named,
      run: async (context, [wish], options) => {
        const id = await operationNamed(context, wish, options);
        const answer = await startOperation(context, 'POST', `/operations/${id}/cancel`);
        const { type, resource } = answer.value;
        await reportOperation(context, answer, {
          wait: options.wait,
          wish: 'cancelled',
          said: `${resource.type} ${resource.id} (${resource.name}): ${type} is asked to stop, operation ${id}`,
        });
      },
    }),
    leaf({
      usage: 'retry [operation]',
      summary: 'Try again what an operation failed at, as a new operation',
      examples: [`arcus operation retry ${example} --wait`, 'arcus operation retry --service my_service'],
      options: [...operationOptions, wait],
      schema: Named,
      run: async (context, [wish], options) => {
        const id = await operationNamed(context, wish, options);
        await reportOperation(context, await startOperation(context, 'POST', `/operations/${id}/retry`), options);
      },
    }),
    leaf({
      // Commander knows no optional argument before a needed one: with --service or --vm, the first is the answer.
      usage: 'answer [operation] [answer]',
      summary: `Answer an operation that waits for you: ${answers.join(', ')}`,
      examples: [`arcus operation answer ${example} retry --wait`, 'arcus operation answer --service my_service skip'],
      options: [...operationOptions, wait],
      schema: Named,
      run: async (context, args, options) => {
        const byResource = options.service !== undefined || options.vm !== undefined;
        const [wish, text] = byResource && args.length < 2 ? [undefined, args[0]] : args;
        const answer = answerOf(text);
        const id = await operationNamed(context, wish, options);
        const accepted = await startOperation(context, 'POST', `/operations/${id}/answer`, json({ answer }));
        const { type, resource } = accepted.value;
        await reportOperation(context, accepted, {
          wait: options.wait,
          ...(answer === 'give_up' ? { wish: 'failed' } : {}),
          said: `${resource.type} ${resource.id} (${resource.name}): ${type} is answered ${text}, operation ${id}`,
        });
      },
    }),
  ];
}
