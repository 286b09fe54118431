import type { Command } from 'commander';
import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { printable } from '../../schemas/common/printable.js';
import { createApiClient } from './api-client.js';
import { type Context, type Leaf, leaf } from './command.js';
import { Complaint } from './complaint.js';
import { type Candidate, type Place, placeOf, shells } from './completion/candidates.js';
import { completionScripts } from './completion/scripts.js';
import { connectionOf } from './connection.js';
import { contextPath, readContexts } from './context-file.js';
import { pathOfNoun } from './noun-of.js';
import { isId, quoted } from './resource.js';

const Shell = z.enum(shells);

export const completionCommand: Leaf = leaf({
  usage: `completion <${shells.join('|')}>`,
  summary: `Print what ${shells.join(', ')} must read to complete commands, options and names on Tab`,
  examples: [
    'source <(arcus completion bash)',
    'source <(arcus completion zsh)',
    'arcus completion fish > ~/.config/fish/completions/arcus.fish',
  ],
  schema: z.object({}),
  run: async ({ out }, [wish]) => {
    const shell = Shell.safeParse(wish);
    if (!shell.success)
      throw new Complaint('usage', `There is no completion for ${JSON.stringify(wish)}.`, {
        next: `Name one of ${shells.join(', ')}.`,
      });
    out(completionScripts[shell.data]);
  },
});

/** Asked by those scripts. The tree is that of the program itself: what there is can be completed. */
export const completeCommand = (program: Command): Leaf =>
  leaf({
    usage: 'complete <shell> [words...]',
    summary: 'Tell what may come next on a command line',
    examples: ['arcus complete bash -- service sh'],
    hidden: true,
    schema: z.object({}),
    run: async (context, [shell, ...words]) => {
      const before = words.slice(0, -1);
      const current = words.at(-1) ?? '';
      const place = placeOf(program, before, current);
      if ('files' in place) return context.out(':files');
      // Somebody waits for the answer with a finger on Tab: what goes wrong is told when the command is given.
      const candidates = await candidatesOf(context, place, before, current).catch(() => []);
      const fitting = candidates.filter(({ value }) => value.startsWith(current));
      const line = ({ value, description }: Candidate): string =>
        shell === 'bash' ? printable(value) : `${printable(value)}\t${printable(description)}`;
      context.out(fitting.map(line).join('\n'));
    },
  });

async function candidatesOf(
  context: Context,
  place: Exclude<Place, { files: true }>,
  before: readonly string[],
  current: string,
): Promise<readonly Candidate[]> {
  if ('words' in place) return place.words;
  if ('objectsOf' in place) return objectsOf(context, place.objectsOf, before, current);
  const { contexts } = readContexts(contextPath(context.environment));
  return Object.entries(contexts).map(([value, { endpoint }]) => ({ value, description: endpoint }));
}

/** Milliseconds that a server has to answer. */
const within = 3_000;
const most = 100;

const Found = z.object({
  items: z.array(
    z.object({
      id: z.union([z.int(), z.string()]),
      name: z.string().optional(),
      type: z.string().optional(),
      rule: z.string().optional(),
    }),
  ),
});

/** Objects by their names, or by their ids where a number has been begun, or a name says too little. */
async function objectsOf(
  { environment }: Context,
  noun: string,
  before: readonly string[],
  current: string,
): Promise<Candidate[]> {
  const options = { endpoint: given(before, '--endpoint'), context: given(before, '--context') };
  const client = createApiClient(connectionOf(environment, options));
  const byName = noun !== 'operation' && current !== '' && !isId(current);
  const query = new URLSearchParams({ limit: String(most) });
  if (byName) query.set('filter', `name~${quoted(`${current.replaceAll('*', '?')}*`)}`);
  const path = noun === 'token' ? await tokensPath(client, given(before, '--user')) : pathOfNoun(noun);
  const { value } = await client.get(`${path}?${query.toString()}`, Found, { within });
  const names = value.items.map(({ name }) => name);
  return value.items.map(({ id, name, type, rule }) => {
    const tells = name !== undefined && names.filter((other) => other === name).length === 1;
    // What has been typed of a number may become an id or a name. A name that cannot be shown cannot be typed.
    return tells && !isId(name) && printable(name) === name && (!isId(current) || name.startsWith(current))
      ? { value: name, description: `${noun} ${id}` }
      : { value: String(id), description: name ?? type ?? rule ?? noun };
  });
}

/** Of whoever asks, or of the user who was named. */
async function tokensPath(client: Client, user: string | undefined): Promise<string> {
  if (user === undefined) return '/tokens';
  if (isId(user)) return `/users/${user}/tokens`;
  const query = new URLSearchParams({ filter: `name=${quoted(user)}` });
  const { value } = await client.get(`/users?${query.toString()}`, Found, { within });
  return `/users/${value.items[0]?.id}/tokens`;
}

/** The value of an option among words: `--context prod`, `--context=prod`. */
function given(words: readonly string[], option: string): string | undefined {
  const at = words.indexOf(option);
  return at >= 0 ? words[at + 1] : words.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1);
}
