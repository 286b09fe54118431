import { z } from 'zod';
import { OperationResource } from '../schemas/operation.js';
import type { Answer } from './api-client.js';
import { type Context, type Leaf, leaf } from './command.js';
import { ageOf, rawText, tableOf } from './output.js';
import { type Resource, resolve } from './resource.js';
import { stateText } from './state-colour.js';

/** The part of a ULID that is its time: enough to name an operation, unless another was made in the same millisecond. */
const shortest = 10;

export const Limit = z.coerce
  .number({ error: 'must be a number' })
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .default(50);

export const limitOption = ['--limit <number>', 'show at most so many (default: 50)'] as const;

/** Prints operations from a list of the API, newest first, each by the beginning of its id that names it. */
export async function printOperations(
  context: Context,
  path: string,
  { query = {}, limit }: { query?: Record<string, string>; limit: number },
): Promise<void> {
  const found = await context.client().list(path, OperationResource, { query, most: limit });
  context.out(
    context.format === 'table'
      ? table(found, context)
      : rawText(
          context.format,
          found.map(({ raw }) => raw),
        ),
  );
}

function table(found: readonly Answer<OperationResource>[], { now }: Context): string {
  const operations = found.map(({ value }) => value);
  const length = telling(operations.map(({ id }) => id));
  return tableOf(
    [
      { title: 'ID', text: ({ id }) => id.slice(0, length) },
      { title: 'TYPE', text: ({ type }) => type },
      { title: 'RESOURCE', text: ({ resource }) => `${resource.type} ${resource.id}` },
      { title: 'NAME', text: ({ resource }) => resource.name },
      { title: 'BY', text: ({ requester }) => requester.name },
      { title: 'STATE', text: ({ state }) => state, colour: stateText },
      { title: 'TIME', text: ({ created_at, ended_at }) => ageOf(created_at, ended_at, now()), right: true },
    ],
    operations,
  );
}

/** How many characters tell these ids apart. */
function telling(ids: readonly string[]): number {
  const sorted = [...ids].sort();
  const needed = sorted.slice(1).map((id, at) => {
    const before = sorted[at] ?? '';
    const common = Array.from(id).findIndex((character, place) => character !== before[place]);
    return common + 1;
  });
  return Math.max(shortest, ...needed);
}

/** `operations`: what is and has been done to one object. */
export const operationsLeaf = <L extends z.ZodType<{ id: number; name: string }>, S extends z.ZodType>(
  resource: Resource<L, S>,
): Leaf =>
  leaf({
    usage: `operations <${resource.noun}>`,
    summary: `List the operations on a ${resource.noun}, newest first`,
    examples: [`arcus ${resource.noun} operations my_${resource.noun}`],
    options: [limitOption],
    schema: z.object({ limit: Limit }),
    run: async (context, [wish], { limit }) => {
      const id = await resolve(context.client(), resource, wish);
      await printOperations(context, `${resource.path}/${id}/operations`, { limit });
    },
  });
