import { z } from 'zod';
import type { Answer } from '../../client/client.js';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { ageOf, columnsShown, partText, rawText, tableOf } from '../shell/output.js';
import { type Resource, resolve } from '../shell/resource.js';
import { stateText } from '../shell/state-colour.js';
import { type Seen, watch, watchOption } from '../shell/watch.js';
import { askedBy } from './operation-text.js';

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
  { query = {}, limit, watched }: { query?: Record<string, string>; limit: number; watched?: boolean | undefined },
): Promise<void> {
  const list = (signal?: AbortSignal) =>
    context.client().list(path, OperationResource, { query, most: limit, ...(signal ? { signal } : {}) });
  if (!watched) return context.out(seen(context, await list()).whole);
  await watch(context, 'arcus operation list', async (signal) => seen(context, await list(signal)));
}

/** Of a list in parts: the newest is the last line that is added, so the order of parts is turned round. */
function seen(context: Context, found: readonly Answer<OperationResource>[]): Seen {
  const raw = found.map((answer) => answer.raw);
  const { format } = context;
  const whole = format === 'table' ? table(found, context) : rawText(format, raw);
  const [head = '', ...lines] = whole.split('\n');
  const parts = found.map(({ value, raw }, at) => ({
    key: value.id,
    mark: JSON.stringify(format === 'table' ? [value.state, value.ended_at] : raw),
    text: format === 'table' ? (lines[at] ?? '') : partText(format, raw),
  }));
  return { whole, parts: parts.reverse(), ...(format === 'table' ? { head } : {}) };
}

function table(found: readonly Answer<OperationResource>[], { now, wide, width }: Context): string {
  const operations = found.map(({ value }) => value);
  const length = telling(operations.map(({ id }) => id));
  return tableOf(
    columnsShown({ wide }, [
      { title: 'ID', text: ({ id }: OperationResource) => id.slice(0, wide ? 26 : length) },
      { title: 'TYPE', text: ({ type, action }) => (action === null ? type : `${type} (${action})`) },
      {
        title: 'RESOURCE',
        text: ({ resource, role }) => `${resource.type} ${resource.id}${role === null ? '' : `/${role}`}`,
        kept: true,
      },
      { title: 'NAME', text: ({ resource }) => resource.name, cut: true },
      { title: 'BY', text: askedBy },
      { title: 'STATE', text: ({ state }) => state, colour: stateText, kept: true },
      { title: 'CREATED', text: ({ created_at }) => created_at, wide: true },
      { title: 'WAITING FOR', text: ({ waiting_for }) => waiting_for ?? '-', wide: true },
      { title: 'ERROR', text: ({ error }) => error?.detail ?? '-', wide: true },
      { title: 'TIME', text: ({ created_at, ended_at }) => ageOf(created_at, ended_at, now()), right: true },
    ]),
    operations,
    wide ? null : width(),
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
    options: [limitOption, watchOption],
    schema: z.object({ limit: Limit, watch: z.boolean().optional() }),
    run: async (context, [wish], { limit, watch: watched }) => {
      const id = await resolve(context.client(), resource, wish);
      await printOperations(context, `${resource.path}/${id}/operations`, { limit, watched });
    },
  });
