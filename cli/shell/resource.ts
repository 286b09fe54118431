import { z } from 'zod';
import type { Answer, Client } from '../../client/client.js';
import { nearestName } from '../../schemas/common/nearest-name.js';
import { printable } from '../../schemas/common/printable.js';
import { withArticle } from '../../schemas/common/with-article.js';
import { calledSo, composed } from './called.js';
import { type Context, type Leaf, leaf } from './command.js';
import { Complaint } from './complaint.js';
import { type Column, columnsShown, partText, rawText, tableOf } from './output.js';
import { one, type Seen, watch, watchOption } from './watch.js';

/** A kind of object as the command line sees it. */
export type Resource<L extends z.ZodType<{ id: number; name: string }>, S extends z.ZodType> = {
  noun: string;
  /** In sentences, such as “VM templates”. */
  several: string;
  path: string;
  /** As in a list. */
  item: L;
  /** As shown by itself. */
  whole: S;
  columns: (context: Context) => readonly Column<z.output<L>>[];
  text: (object: z.output<S>, context: Context) => string;
  /** What `create` and `update` take from a file to make the same, and how it is written there. */
  contents?: (object: z.output<S>) => { value: unknown; text: string };
  /** States by which a list can be filtered. */
  states?: readonly string[];
  /** Has no name, only an id: what stands for one in `item` cannot be asked for. */
  nameless?: boolean;
  /** Objects that can end: a name means a living one first, and lists leave the others out unless asked. */
  ends?: { state: string; hasEnded: (object: z.output<L>) => boolean };
};

type Named = { id: number; name: string };
const Named = z.object({ id: z.int(), name: z.string() });

/** A text that is written as ids are: `65`, and not `0065`, which may be a name. */
export const isId = (text: string): boolean => /^(?:0|[1-9]\d{0,14})$/.test(text);

/** The id that is written in a text: `65` or `#65`, as which no name is accepted; null: none is. */
function idIn(text: string): number | null {
  const digits = text.startsWith('#') ? text.slice(1) : text;
  return isId(digits) ? Number(digits) : null;
}

/**
 * The id of what the user named: an id, the exact name or, for what takes nothing away, the beginning of one name. Throws
 * a Complaint that says what there is instead.
 */
export async function resolve<L extends z.ZodType<Named>, S extends z.ZodType>(
  client: Client,
  { noun, path, item, ends, nameless }: Pick<Resource<L, S>, 'noun' | 'path' | 'item' | 'ends' | 'nameless'>,
  wish: string | undefined,
  { whole = false }: { whole?: boolean } = {},
): Promise<number> {
  const next = `List what there is with: arcus ${noun} list`;
  if (wish === undefined) throw new Complaint('usage', `Which ${noun}? Give its id or its name.`, { next });
  const id = idIn(wish);
  if (id !== null) return id;
  if (nameless)
    throw new Complaint('usage', `${JSON.stringify(wish)} is not the id of ${withArticle(noun)}.`, { next });
  const list = async (query: Record<string, string>) =>
    (await client.list(path, item, { query })).map(({ value }) => value);
  const living = async (filter: string) =>
    (await list({ filter })).filter((object) => !ends?.hasEnded(object)).map((object) => Named.parse(object));
  const called = (objects: readonly Named[]) => calledSo(objects, wish, ({ name }) => name);
  const isCalled = `name=${quoted(wish)}`;
  const exact = called(await living(isCalled));
  const found = exact.length > 0 || !ends ? exact : called(await list({ filter: isCalled, state: ends.state }));
  const begun = found.length > 0 || whole || wish === '' ? [] : await beginningWith(wish, living);
  const [only, ...others] = found.length > 0 ? found : begun;
  if (only === undefined) {
    const names = (await client.list(path, item, { most: 1000 })).map(({ value }) => Named.parse(value).name);
    const meant = onlyOne(names.filter((name) => name.startsWith(wish))) ?? nearestName(wish, names);
    const number = /^\d{1,15}$/.test(wish)
      ? `Did you mean ${noun} ${Number(wish)}? An id has no zeros before it. `
      : '';
    const hint = meant === undefined ? number : `Did you mean ${printable(meant)}? `;
    throw new Complaint('not_found', `There is no ${noun} called ${JSON.stringify(wish)}.`, { next: hint + next });
  }
  if (others.length === 0) return only.id;
  throw found.length > 0 ? sameName(noun, wish, found) : sameBeginning(noun, wish, begun);
}

const onlyOne = (names: readonly string[]): string | undefined => (names.length === 1 ? names[0] : undefined);

/** A text as a value of a filter. */
export const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

/** A star of the name itself would be one of the pattern: more may be found than is meant. */
async function beginningWith(wish: string, list: (filter: string) => Promise<Named[]>): Promise<Named[]> {
  const found = await list(`name~${quoted(`${wish.replaceAll('*', '?')}*`)}`);
  return found.filter(({ name }) => composed(name).startsWith(composed(wish)));
}

const sameName = (noun: string, wish: string, found: readonly Named[]): Complaint =>
  new Complaint(
    'conflict',
    `More than one ${noun} is called ${JSON.stringify(wish)}: ${found.map(({ id }) => id).join(', ')}.`,
    { next: 'Name it by its id.' },
  );

const sameBeginning = (noun: string, wish: string, found: readonly Named[]): Complaint =>
  new Complaint('conflict', `More than one ${noun} begins with ${JSON.stringify(wish)}.`, {
    findings: [
      ...found.slice(0, 10).map(({ id, name }) => ({ pointer: '', detail: `${id}  ${name}` })),
      ...(found.length > 10 ? [{ pointer: '', detail: `… and ${found.length - 10} more` }] : []),
    ],
    next: 'Write more of the name, or give its id.',
  });

/**
 * The id of what is to be ended or removed, after asking whoever sits there: by its id or its whole name, since an
 * abbreviation may mean something else tomorrow. `question` makes the question of, say, `service 12 (shop)`. `tag` is that
 * of what was shown with it: the answer is about that, and not about what somebody makes of it meanwhile.
 */
export async function resolveToEnd<L extends z.ZodType<Named>, S extends z.ZodType>(
  context: Context,
  resource: Resource<L, S>,
  wish: string | undefined,
  question: (what: string) => string,
): Promise<{ id: number; tag: string | undefined }> {
  const id = await resolve(context.client(), resource, wish, { whole: true });
  let shown: string | undefined;
  await context.confirm(async () => {
    // What has no name has something else in its place, which its own schema puts there.
    const schema = resource.nameless ? resource.item : Named;
    const { value, tag } = await context.client().get(`${resource.path}/${id}`, schema);
    shown = tag;
    return question(`${resource.noun} ${id} (${value.name})`);
  });
  return { id, tag: shown };
}

const ListOptions = z.object({
  state: z.string().optional(),
  limit: z.coerce
    .number({ error: 'must be a number' })
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .optional(),
  all: z.boolean().optional(),
  watch: z.boolean().optional(),
});

type Looking = { signal?: AbortSignal };

/** `list` and `show`, the same for every kind of object. */
export function listAndShow<L extends z.ZodType<Named>, S extends z.ZodType>(resource: Resource<L, S>): Leaf[] {
  const { noun, several, path, item, whole, columns, text, contents, states, ends, nameless } = resource;

  async function listed(
    context: Context,
    { state, limit = Number.POSITIVE_INFINITY, all }: z.output<typeof ListOptions>,
    looking: Looking = {},
  ): Promise<Answer<z.output<L>>[]> {
    const list = (query: Record<string, string>) => context.client().list(path, item, { query, ...looking });
    // Only what ends has a question of its own for that: it leaves out what has.
    const inState = (name: string): Record<string, string> =>
      ends ? { state: name } : { filter: `state=${quoted(name)}` };
    const found = await list(state === undefined ? {} : inState(state));
    const living = state === undefined ? found.filter(({ value }) => !ends?.hasEnded(value)) : found;
    const ended = all && ends && state === undefined ? await list({ state: ends.state }) : [];
    return [...living, ...ended].sort((one, other) => one.value.id - other.value.id).slice(0, limit);
  }

  const listText = (context: Context, found: readonly Answer<z.output<L>>[]): string =>
    context.format === 'table'
      ? tableOf(
          columnsShown(context, columns(context)),
          found.map(({ value }) => value),
          context.wide ? null : context.width(),
        )
      : rawText(
          context.format,
          found.map(({ raw }) => raw),
        );

  /** A list in parts: a line of the table an object, or the object by itself in another format. */
  function partsOf(context: Context, found: readonly Answer<z.output<L>>[], began: Date): Seen {
    const whole = listText(context, found);
    const [head = '', ...lines] = whole.split('\n');
    // An age that goes on is no news: to compare, the clock stands still.
    const still = columnsShown(context, columns({ ...context, now: () => began }));
    const { format } = context;
    const parts = found.map(({ value, raw }, at) => ({
      key: String(value.id),
      mark: format === 'table' ? still.map((column) => column.text(value)).join('\t') : JSON.stringify(raw),
      text: format === 'table' ? (lines[at] ?? '') : partText(format, raw),
    }));
    return { whole, parts, ...(format === 'table' ? { head } : {}) };
  }

  return [
    leaf({
      usage: 'list',
      summary: `List ${several}`,
      examples: [`arcus ${noun} list`, `arcus ${noun} list -o json`, `arcus ${noun} list --watch`],
      options: [
        ['--limit <number>', 'show at most so many'],
        ...(states ? [['--state <state>', `only those in this state: ${states.join(', ')}`] as const] : []),
        ...(ends ? [['--all', 'those that have ended, too'] as const] : []),
        watchOption,
      ],
      schema: ListOptions,
      run: async (context, _args, options) => {
        if (!options.watch) return context.out(listText(context, await listed(context, options)));
        const began = context.now();
        const look = async (signal: AbortSignal) => partsOf(context, await listed(context, options, { signal }), began);
        // What has left the list may still be there, as ended: its last line says so.
        const gone = async (id: string, signal: AbortSignal): Promise<string | null> => {
          const left = await context.client().get(`${path}/${id}`, item, { signal }).catch(goneEntirely);
          if (left === null) context.err(`${noun} ${id} is gone.`);
          return left === null ? null : (partsOf(context, [left], began).parts[0]?.text ?? null);
        };
        await watch(context, `arcus ${noun} list`, look, gone);
      },
    }),
    leaf({
      usage: `show <${noun}>`,
      summary: `Show ${withArticle(noun)}, by id${nameless ? '' : ' or name'}`,
      examples: [
        `arcus ${noun} show 0`,
        `arcus ${noun} show ${nameless ? '1' : `my_${noun.replaceAll('-', '_')}`} -o yaml`,
        ...(contents ? [`arcus ${noun} show my_${noun.replaceAll('-', '_')} --contents > edited`] : []),
      ],
      options: [
        ...(contents ? [['--contents', 'only what create and update take from a file'] as const] : []),
        watchOption,
      ],
      schema: ListOptions.pick({ watch: true }).extend({ contents: z.boolean().optional() }),
      run: async (context, [wish], options) => {
        const id = await resolve(context.client(), resource, wish);
        if (contents && options.contents) {
          const { value } = await context.client().get(`${path}/${id}`, whole);
          return shown(context, () => contents(value).text, contents(value).value);
        }
        const show = async (looking: Looking, print: typeof rawText): Promise<string> => {
          const answer = await context.client().get(`${path}/${id}`, whole, looking);
          return context.format === 'table' ? text(answer.value, context) : print(context.format, answer.raw);
        };
        if (!options.watch) return context.out(await show({}, rawText));
        await watch(context, `arcus ${noun} show ${id}`, async (signal) => one(await show({ signal }, partText)));
      },
    }),
  ];
}

function goneEntirely(error: unknown): null {
  if (error instanceof Complaint && error.exit === 'not_found') return null;
  throw error;
}

/** Tells what has been made or changed: a sentence, or the object in the format that was asked for. */
export function report(context: Context, sentence: string, raw: unknown): void {
  context.out(context.format === 'table' ? sentence : rawText(context.format, raw));
}

/** Prints what has been asked for: as a text for people, or in the format that was asked for. */
export function shown(context: Context, text: () => string, raw: unknown): void {
  context.out(context.format === 'table' ? text() : rawText(context.format, raw));
}
