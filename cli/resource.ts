import { z } from 'zod';
import type { ApiClient } from './api-client.js';
import { type Context, type Leaf, leaf } from './command.js';
import { Complaint } from './complaint.js';
import { type Column, rawText, tableOf } from './output.js';

/** A kind of object as the command line sees it. */
export type Resource<L extends z.ZodType<{ id: number; name: string }>, S extends z.ZodType> = {
  noun: string;
  path: string;
  /** As in a list. */
  item: L;
  /** As shown by itself. */
  whole: S;
  columns: (context: Context) => readonly Column<z.output<L>>[];
  text: (object: z.output<S>, context: Context) => string;
  /** States by which a list can be filtered. */
  states?: readonly string[];
  /** Objects that can end: a name means a living one first, and lists leave the others out unless asked. */
  ends?: { state: string; hasEnded: (object: z.output<L>) => boolean };
};

const Id = z.object({ id: z.int(), name: z.string() });

/** The id of what the user named: an id, or the exact name. */
export async function resolve<L extends z.ZodType<{ id: number; name: string }>, S extends z.ZodType>(
  client: ApiClient,
  { noun, path, item, ends }: Resource<L, S>,
  wish: string | undefined,
): Promise<number> {
  const next = `List what there is with: arcus ${noun} list`;
  if (wish === undefined) throw new Complaint('usage', `Which ${noun}? Give its id or its name.`, { next });
  if (/^\d{1,15}$/.test(wish)) return Number(wish);
  const ofThatName = async (query: Record<string, string>) =>
    (await client.list(path, item, { query })).map(({ value }) => value).filter(({ name }) => name === wish);
  const living = (await ofThatName({})).filter((object) => !ends?.hasEnded(object));
  const found = living.length > 0 || !ends ? living : await ofThatName({ state: ends.state });
  const [only] = found;
  if (only === undefined)
    throw new Complaint('not_found', `There is no ${noun} called ${JSON.stringify(wish)}.`, { next });
  if (found.length === 1) return Id.parse(only).id;
  const ids = found.map(({ id }) => id).join(', ');
  throw new Complaint('conflict', `More than one ${noun} is called ${JSON.stringify(wish)}: ${ids}.`, {
    next: 'Name it by its id.',
  });
}

const ListOptions = z.object({
  state: z.string().optional(),
  limit: z.coerce
    .number({ error: 'must be a number' })
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .optional(),
  all: z.boolean().optional(),
});

/** `list` and `show`, the same for every kind of object. */
export function listAndShow<L extends z.ZodType<{ id: number; name: string }>, S extends z.ZodType>(
  resource: Resource<L, S>,
): Leaf[] {
  const { noun, path, item, whole, columns, text, states, ends } = resource;
  return [
    leaf({
      usage: 'list',
      summary: `List ${noun}s`,
      examples: [`arcus ${noun} list`, `arcus ${noun} list -o json`],
      options: [
        ['--limit <number>', 'show at most so many'],
        ...(states ? [['--state <state>', `only those in this state: ${states.join(', ')}`] as const] : []),
        ...(ends ? [['--all', 'those that have ended, too'] as const] : []),
      ],
      schema: ListOptions,
      run: async (context, _args, { state, limit, all }) => {
        const most = limit ?? Number.POSITIVE_INFINITY;
        const list = (query: Record<string, string>) => context.client().list(path, item, { query });
        const found = state === undefined ? await list({}) : await list({ state });
        const living = state === undefined ? found.filter(({ value }) => !ends?.hasEnded(value)) : found;
        const ended = all && ends && state === undefined ? await list({ state: ends.state }) : [];
        const shown = [...living, ...ended].sort((one, other) => one.value.id - other.value.id).slice(0, most);
        if (context.format !== 'table')
          context.out(
            rawText(
              context.format,
              shown.map(({ raw }) => raw),
            ),
          );
        else
          context.out(
            tableOf(
              columns(context),
              shown.map(({ value }) => value),
            ),
          );
      },
    }),
    leaf({
      usage: `show <${noun}>`,
      summary: `Show a ${noun}, by id or name`,
      examples: [`arcus ${noun} show 0`, `arcus ${noun} show my_${noun.replaceAll('-', '_')} -o yaml`],
      schema: z.object({}),
      run: async (context, [wish]) => {
        const id = await resolve(context.client(), resource, wish);
        const answer = await context.client().get(`${path}/${id}`, whole);
        context.out(context.format === 'table' ? text(answer.value, context) : rawText(context.format, answer.raw));
      },
    }),
  ];
}

/** Tells what has been made or changed: a sentence, or the object in the format that was asked for. */
export function report(context: Context, sentence: string, raw: unknown): void {
  context.out(context.format === 'table' ? sentence : rawText(context.format, raw));
}
