import { z } from 'zod';
import { nearestName } from '../../schemas/common/nearest-name.js';
import { printable } from '../../schemas/common/printable.js';
import { authoritiesIn, caOption } from './authorities.js';
import { type Context, type Leaf, leaf } from './command.js';
import { Complaint } from './complaint.js';
import { endpointOf, originsOf, parsedCredentials } from './connection.js';
import {
  type ContextFile,
  ContextName,
  contextPath,
  readContexts,
  type ServerContext,
  writeContexts,
} from './context-file.js';
import { warnOfEnvironment } from './environment-first.js';
import { pairs, tableOf } from './output.js';
import { report, shown } from './resource.js';

/** A context as it may be seen: the secret is left out, for good. */
type Shown = {
  name: string;
  endpoint: string;
  user: string | null;
  credentials: 'password' | 'token';
  ca: string | null;
  current: boolean;
};

const visible = (name: string, context: ServerContext, current: string | null): Shown => ({
  name,
  endpoint: context.endpoint,
  user: context.name ?? null,
  credentials: 'token' in context ? 'token' : 'password',
  ca: context.ca ?? null,
  current: name === current,
});

const fileOf = ({ environment }: Context): { path: string; file: ContextFile } => {
  const path = contextPath(environment);
  return { path, file: readContexts(path) };
};

function contextIn({ contexts }: ContextFile, wish: string | undefined): { name: string; value: ServerContext } {
  const value = wish !== undefined && Object.hasOwn(contexts, wish) ? contexts[wish] : undefined;
  if (wish !== undefined && value) return { name: wish, value };
  const meant = nearestName(wish ?? '', Object.keys(contexts));
  throw new Complaint('not_found', `There is no context called ${JSON.stringify(wish)}.`, {
    next: `${meant === undefined ? '' : `Did you mean ${meant}? `}List what there is with: arcus context list`,
  });
}

const Create = z.object({
  endpoint: z.string().optional(),
  user: z.string().min(1).optional(),
  ca: z.string().min(1).optional(),
  replace: z.boolean().optional(),
});

async function create(context: Context, [wish]: readonly string[], options: z.output<typeof Create>): Promise<void> {
  const { user, replace, endpoint, ca } = options;
  const name = ContextName.safeParse(wish);
  if (!name.success)
    throw new Complaint('usage', `The name ${name.error.issues[0]?.message ?? 'is not valid'}.`, {
      next: 'Such as: arcus context create prod',
    });
  if (endpoint === undefined)
    throw new Complaint('usage', '--endpoint: is needed, the address of the server.', {
      next: `Such as: arcus context create ${name.data} --endpoint https://arcus.example`,
    });
  const { origin } = endpointOf(endpoint);
  const { path, file } = fileOf(context);
  if (Object.hasOwn(file.contexts, name.data) && !replace)
    throw new Complaint('conflict', `There is a context called ${name.data} already.`, {
      next: 'Choose another name, or add --replace.',
    });
  const authorities = ca === undefined ? {} : { ca: authoritiesIn(ca) };
  const text = await context.secret(user === undefined ? 'Token, or name:password' : `Password of ${user}`);
  const credentials =
    user === undefined ? parsedCredentials(text) : text === '' ? undefined : { name: user, password: text };
  if (credentials === undefined)
    throw new Complaint(
      'usage',
      user === undefined ? 'What was given is neither a token (arcus_…) nor name:password.' : 'The password is empty.',
      { next: 'Give it at the prompt or on standard input. Nothing has been changed.' },
    );
  const made = { endpoint: origin, ...credentials, ...authorities };
  const current = file.current ?? name.data;
  writeContexts(path, { current, contexts: { ...file.contexts, [name.data]: made } });
  const chosen = current === name.data ? ', and is the current one' : '';
  report(context, `context ${name.data} is in ${path}${chosen}.`, visible(name.data, made, current));
}

export const contextCommands: readonly Leaf[] = [
  leaf({
    usage: 'list',
    summary: 'List contexts: servers, and who asks there',
    examples: ['arcus context list', 'arcus context list -o name'],
    schema: z.object({}),
    run: async (context) => {
      const { file } = fileOf(context);
      const contexts = Object.entries(file.contexts).map(([name, value]) => visible(name, value, file.current));
      const table = () =>
        tableOf(
          [
            { title: 'CURRENT', text: ({ current }) => (current ? '*' : '') },
            { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
            { title: 'ENDPOINT', text: ({ endpoint }) => endpoint, cut: true },
            { title: 'USER', text: ({ user }) => user ?? '-' },
            { title: 'CREDENTIALS', text: ({ credentials }) => credentials },
          ],
          contexts,
          context.wide ? null : context.width(),
        );
      shown(context, table, contexts);
    },
  }),
  leaf({
    usage: 'show [context]',
    summary: 'Show a context, or the current one, without its secret',
    examples: ['arcus context show prod'],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const { path, file } = fileOf(context);
      if (wish === undefined && file.current === null)
        throw new Complaint('not_found', 'No context is the current one.', {
          next: 'Choose one with: arcus context use',
        });
      const { name, value } = contextIn(file, wish ?? file.current ?? undefined);
      const seen = visible(name, value, file.current);
      const text = () =>
        pairs([
          ['NAME', name],
          ['ENDPOINT', seen.endpoint],
          ['USER', seen.user],
          ['CREDENTIALS', seen.credentials],
          ['CA', seen.ca],
          ['CURRENT', seen.current ? 'yes' : 'no'],
          ['FILE', path],
        ]);
      shown(context, text, seen);
    },
  }),
  leaf({
    usage: 'use <context>',
    summary: 'Make a context the current one',
    examples: ['arcus context use prod'],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const { path, file } = fileOf(context);
      const { name, value } = contextIn(file, wish);
      writeContexts(path, { ...file, current: name });
      report(context, `context ${name} is the current one: ${value.endpoint}.`, visible(name, value, name));
      warnOfEnvironment(context, value);
    },
  }),
  leaf({
    usage: 'create <name>',
    summary: 'Add a context; its secret is asked for, or read from standard input',
    examples: [
      'arcus context create prod --endpoint https://arcus.example --user ann',
      'arcus context create ci --endpoint https://arcus.example --ca company.pem < token.txt',
      'arcus context create local --endpoint http://127.0.0.1:9869 < ~/.arcus/auth',
    ],
    options: [
      ['--user <name>', 'who asks, by a password; without it, a token or name:password is read'],
      caOption,
      ['--replace', 'put it in the place of one of that name'],
    ],
    schema: Create.omit({ endpoint: true }),
    run: (context, args, options) => create(context, args, { ...options, endpoint: context.options.endpoint }),
  }),
  leaf({
    usage: 'delete <context>',
    summary: 'Remove a context from the file',
    examples: ['arcus context delete prod'],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const { path, file } = fileOf(context);
      const { name } = contextIn(file, wish);
      await context.confirm(async () => `Remove context ${name} with its credentials?`);
      const contexts = Object.fromEntries(Object.entries(file.contexts).filter(([known]) => known !== name));
      writeContexts(path, { current: file.current === name ? null : file.current, contexts });
      report(context, `context ${name} removed.`, { name });
    },
  }),
  leaf({
    usage: 'current',
    summary: 'Tell which server is asked and as whom, and where each of it comes from',
    examples: ['arcus context current', 'arcus context current --context prod -o json'],
    schema: z.object({}),
    run: async (context) => {
      const { context: chosen, endpoint, credentials } = originsOf(context.environment, context.options);
      const { value, from } = credentials();
      const kept = chosen === null ? undefined : fileOf(context).file.contexts[chosen.value];
      const who =
        'token' in value
          ? { user: kept && 'token' in kept && kept.token === value.token ? (kept.name ?? null) : null, by: 'token' }
          : { user: value.name, by: 'password' };
      const seen = { context: chosen, endpoint, credentials: { user: who.user, credentials: who.by, from } };
      const text = () =>
        pairs([
          ['CONTEXT', chosen ? `${chosen.value} (by ${chosen.from})` : 'none'],
          ['ENDPOINT', `${endpoint.value} (from ${endpoint.from})`],
          ['CREDENTIALS', `${who.user === null ? 'a token' : `${who.user}, by ${who.by}`} (from ${from})`],
        ]);
      if (context.format === 'name') context.out(printable(chosen?.value ?? ''));
      else shown(context, text, seen);
    },
  }),
];
