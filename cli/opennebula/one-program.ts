import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { json } from '../../client/message.js';
import { printableLines } from '../../schemas/common/printable.js';
import { groups, users } from '../identity/people.js';
import { createApiClient, whileRestarted } from '../shell/api-client.js';
import { Complaint, Interrupted } from '../shell/complaint.js';
import { connectionOf } from '../shell/connection.js';
import type { Environment } from '../shell/environment.js';
import { type Resource, resolve } from '../shell/resource.js';

// Commands as OpenNebula 5.0 has them, onevm and its like: its verbs and its output, over the native API.

export type OneSurroundings = {
  environment: Environment;
  out: (text: string) => void;
  err: (text: string) => void;
  now: () => Date;
  /** What a person at a terminal types; null: nobody is there. */
  ask: ((question: string) => Promise<string>) | null;
  /** Empties the terminal that `out` writes to; absent: it is none. */
  clear?: (() => void) | undefined;
};

/** What a verb works with. */
export type One = Pick<OneSurroundings, 'out' | 'err' | 'now' | 'ask' | 'clear'> & { client: Client };

/** Options are those that it names, by commander's names. */
export type Given = Readonly<Record<string, unknown>>;

export type Verb = {
  usage: string;
  summary: string;
  options?: readonly (readonly [flags: string, description: string])[];
  run: (one: One, args: readonly string[], given: Given) => Promise<void>;
};

type Item = z.ZodType<{ id: number; name: string }>;
/** What is asked of a kind to find one of it. */
type Kind<L extends Item> = Pick<Resource<L, z.ZodType>, 'noun' | 'path' | 'item' | 'ends' | 'nameless'>;

/** Ids of what is named by ids, ranges and names, such as `1,3..5,web`. */
export async function idsOf<L extends Item>(client: Client, resource: Kind<L>, wish = ''): Promise<number[]> {
  const found: number[] = [];
  for (const part of wish.split(',')) {
    const [, from, to] = /^(\d{1,9})\.\.(\d{1,9})$/.exec(part) ?? [];
    if (from === undefined) {
      found.push(await resolve(client, resource, part, { whole: true }));
      continue;
    }
    if (Number(to) - Number(from) > 1_000) throw new Complaint('usage', `${part} is too wide a range.`, { next: '' });
    for (let id = Number(from); id <= Number(to); id++) found.push(id);
  }
  return found;
}

/** A verb that is done to each of what its first argument names, one after the other. */
export const toEach =
  <L extends Item>(
    resource: Kind<L>,
    act: (one: One, id: number, args: readonly string[], given: Given) => Promise<unknown>,
  ): Verb['run'] =>
  async (one, [wish, ...args], given) => {
    for (const id of await idsOf(one.client, resource, wish)) await act(one, id, args, given);
  };

const Anything = z.unknown();

/** `list [flag]`: all that the caller may see; `m`: his own; a number or a name: those of that user. */
export const listVerb = <L extends Item>(
  { path, item, several }: Pick<Resource<L, z.ZodType>, 'path' | 'item' | 'several'>,
  text: (all: z.output<L>[], one: One) => Promise<string> | string,
): Verb => ({
  usage: 'list [filterflag]',
  summary: `List ${several}: all (a), your own (m), or those of a user`,
  run: async (one, [flag = 'a']) => {
    const filter = await filterOf(one.client, flag);
    const all = await one.client.list(path, item, { query: filter === null ? {} : { filter } });
    one.out(
      await text(
        all.map(({ value }) => value),
        one,
      ),
    );
  },
});

/** OpenNebula's filter flag as a condition; null: all. */
async function filterOf(client: Client, flag: string): Promise<string | null> {
  if (flag === 'a' || flag === 'all') return null;
  const isMine = flag === 'm' || flag === 'mine';
  const id = isMine
    ? (await client.get('/user', z.object({ id: z.int() }))).value.id
    : await resolve(client, users, flag, { whole: true });
  return `uid=${id}`;
}

export const showVerb = <L extends Item, S extends z.ZodType>(
  resource: Kind<L> & { whole: S },
  text: (object: z.output<S>, one: One) => string | Promise<string>,
): Verb => ({
  usage: 'show <id>',
  summary: 'Show one',
  options: [['-j, --json', 'as the API answers']],
  run: toEach(resource, async (one, id, _args, { json: asJson }) => {
    const { value, raw } = await one.client.get(`${resource.path}/${id}`, resource.whole);
    one.out(asJson ? JSON.stringify(raw, null, 2) : await text(value, one));
  }),
});

/** chown, chgrp and chmod. */
export function ownershipVerbs<L extends Item>(resource: Kind<L>): Verb[] {
  const change = ({ client }: One, id: number, deed: 'chown' | 'chmod', body: object) =>
    client.send('POST', `${resource.path}/${id}/${deed}`, Anything, json(body));
  const user = ({ client }: One, wish: string | undefined) => resolve(client, users, wish, { whole: true });
  const group = ({ client }: One, wish: string | undefined) => resolve(client, groups, wish, { whole: true });
  return [
    {
      usage: 'chown <ids> <user> [group]',
      summary: 'Give it to a user, and perhaps a group',
      run: toEach(resource, async (one, id, [owner, its]) =>
        change(one, id, 'chown', {
          uid: await user(one, owner),
          ...(its !== undefined && { gid: await group(one, its) }),
        }),
      ),
    },
    {
      usage: 'chgrp <ids> <group>',
      summary: 'Give it to a group',
      run: toEach(resource, async (one, id, [its]) => change(one, id, 'chown', { gid: await group(one, its) })),
    },
    {
      usage: 'chmod <ids> <octet>',
      summary: 'Change its permissions',
      run: toEach(resource, (one, id, [octet]) => change(one, id, 'chmod', { octet })),
    },
  ];
}

/** PERMISSIONS, as every `show` has them. */
export function permissionsOf(permissions: Readonly<Record<string, Readonly<Record<string, boolean>>>>): string[] {
  const mask = (of: string): string =>
    ['use', 'manage', 'admin'].map((right) => (permissions[of]?.[right] ? right.charAt(0) : '-')).join('');
  return ['PERMISSIONS', ...['owner', 'group', 'other'].map((of) => `${of.toUpperCase().padEnd(20)}: ${mask(of)}`)];
}

/** Runs a command line; resolves to its exit code: 0, or 255 with what was wrong on standard error, as OpenNebula’s do. */
export async function runOne(
  { name, summary, verbs }: { name: string; summary: string; verbs: readonly Verb[] },
  words: readonly string[],
  { environment, out: print, err: complain, now, ask, clear }: OneSurroundings,
): Promise<number> {
  const out = (text: string) => print(printableLines(text));
  const err = (text: string) => complain(printableLines(text));
  const program = new Command(name)
    .description(summary)
    .option('--endpoint <url>', 'the server (default: as of arcus)')
    .configureOutput({ writeOut: (text) => out(text.trimEnd()), writeErr: (text) => err(text.trimEnd()) })
    .exitOverride();
  for (const { usage, summary: does, options = [], run } of verbs) {
    const command = program.command(usage).description(does);
    for (const [flags, description] of options) command.option(flags, description);
    command.action(async () => {
      const { endpoint } = z.object({ endpoint: z.string().optional() }).parse(program.opts());
      const client = createApiClient(connectionOf(withOneAuth(environment), { endpoint }), whileRestarted);
      await run({ client, out, err, now, ask, clear }, command.args, command.opts());
    });
  }
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 255;
    if (error instanceof Interrupted) return 255;
    if (!(error instanceof Complaint)) throw error;
    err([...error.told(), ...(error.next ? [error.next] : [])].join('\n'));
    return 255;
  }
}

/** Who has credentials of OpenNebula asks with them, unless he has named others to Arcus. */
function withOneAuth(environment: Environment): Environment {
  if (environment.ARCUS_AUTH) return environment;
  const file = environment.ONE_AUTH || join(homedir(), '.one', 'one_auth');
  return environment.ONE_AUTH || existsSync(file) ? { ...environment, ARCUS_AUTH: file } : environment;
}
