import { z } from 'zod';
import { OperationResource, OperationState } from '../../schemas/operation.js';
import { type Leaf, leaf } from '../command.js';
import { Complaint } from '../complaint.js';
import { waitFor } from '../follow.js';
import { ageOf, pairs, rawText, tableOf } from '../output.js';
import { stateText } from '../state-colour.js';

const text = (operation: OperationResource): string =>
  [
    `OPERATION ${operation.id} INFORMATION`,
    pairs([
      ['ID', operation.id],
      ['TYPE', operation.type],
      ['RESOURCE', `${operation.resource.type} ${operation.resource.id} (${operation.resource.name})`],
      ['ASKED BY', operation.requester.name],
      ['STATE', operation.state],
      ['WAITING FOR', operation.waiting_for],
      ['ERROR', operation.error && `${operation.error.code}: ${operation.error.detail}`],
      ['CREATED', operation.created_at],
      ['STARTED', operation.started_at],
      ['ENDED', operation.ended_at],
      ['WORKFLOW', operation.workflow.id],
      ['TEMPORAL', operation.workflow.url],
    ]),
  ].join('\n');

function idOf([id]: readonly string[]): string {
  if (id !== undefined && /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)) return id;
  throw new Complaint('usage', `${JSON.stringify(id)} is not the id of an operation.`, {
    next: 'List them with: arcus operation list',
  });
}

export const operationCommands: readonly Leaf[] = [
  leaf({
    usage: 'list',
    summary: 'List operations, newest first',
    examples: ['arcus operation list', 'arcus operation list --state failed --limit 20'],
    options: [
      ['--state <state>', `only those in this state: ${OperationState.options.join(', ')}`],
      ['--service <id>', 'only those on this service'],
      ['--vm <id>', 'only those on this VM'],
      ['--limit <number>', 'show at most so many (default: 50)'],
    ],
    schema: z.object({
      state: z.string().optional(),
      service: z.string().optional(),
      vm: z.string().optional(),
      limit: z.coerce
        .number({ error: 'must be a number' })
        .int('must be a whole number')
        .min(1, 'must be at least 1')
        .default(50),
    }),
    run: async (context, _args, { state, service, vm, limit }) => {
      const id = service ?? vm;
      const query = {
        ...(state === undefined ? {} : { state }),
        ...(id === undefined ? {} : { resource_type: service === undefined ? 'vm' : 'service', resource_id: id }),
      };
      const found = await context.client().list('/operations', OperationResource, { query, most: limit });
      if (context.format !== 'table')
        return context.out(
          rawText(
            context.format,
            found.map(({ raw }) => raw),
          ),
        );
      const columns = [
        { title: 'ID', text: (operation: OperationResource) => operation.id },
        { title: 'TYPE', text: ({ type }: OperationResource) => type },
        { title: 'RESOURCE', text: ({ resource }: OperationResource) => `${resource.type} ${resource.id}` },
        { title: 'NAME', text: ({ resource }: OperationResource) => resource.name },
        { title: 'BY', text: ({ requester }: OperationResource) => requester.name },
        { title: 'STATE', text: (operation: OperationResource) => operation.state, colour: stateText },
        {
          title: 'TIME',
          text: ({ created_at, ended_at }: OperationResource) => ageOf(created_at, ended_at, context.now()),
          right: true,
        },
      ];
      context.out(
        tableOf(
          columns,
          found.map(({ value }) => value),
        ),
      );
    },
  }),
  leaf({
    usage: 'show <operation>',
    summary: 'Show an operation',
    examples: ['arcus operation show 01KAJ3V5Q0F8T4X2M7N9P6R1SC'],
    schema: z.object({}),
    run: async (context, args) => {
      const { value, raw } = await context.client().get(`/operations/${idOf(args)}`, OperationResource);
      context.out(context.format === 'table' ? text(value) : rawText(context.format, raw));
    },
  }),
  leaf({
    usage: 'wait <operation>',
    summary: 'Wait until an operation has ended; Ctrl-C detaches, the operation goes on',
    examples: ['arcus operation wait 01KAJ3V5Q0F8T4X2M7N9P6R1SC'],
    schema: z.object({}),
    run: (context, args) => waitFor(context, idOf(args)),
  }),
];
