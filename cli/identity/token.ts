import { z } from 'zod';
import { json } from '../../client/message.js';
import { NewToken, TokenResource } from '../../schemas/identity/token.js';
import { SelfResource } from '../../schemas/identity/user.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { isToken, originsOf } from '../shell/connection.js';
import { nounOf } from '../shell/noun-of.js';
import { rawText, tableOf } from '../shell/output.js';
import { type Resource, report, resolve, resolveToEnd, shown } from '../shell/resource.js';
import { Expires, expiresOption, expiryText, makeToken } from './make-token.js';
import { users } from './people.js';

type Tokens = Resource<typeof TokenResource, typeof TokenResource>;

const userOption = ['--user <user>', 'those of this user instead of yours'] as const;
const Whose = z.object({ user: z.string().optional() });

/** Yours, or those of a user. */
async function tokensOf({ client }: Context, { user }: z.output<typeof Whose>): Promise<Tokens> {
  const uid = user === undefined ? null : await resolve(client(), users, user, { whole: true });
  return {
    ...nounOf('token'),
    path: uid === null ? '/tokens' : `/users/${uid}/tokens`,
    item: TokenResource,
    whole: TokenResource,
    columns: () => [
      { title: 'ID', text: ({ id }) => String(id), right: true },
      { title: 'NAME', text: ({ name }) => name, cut: true },
      { title: 'BEGINS', text: ({ prefix }) => prefix },
      { title: 'EXPIRES', text: ({ expires_at, expired }) => (expired ? 'expired' : (expires_at ?? 'never')) },
      { title: 'LAST USED', text: ({ last_used_at }) => last_used_at ?? 'never' },
    ],
    text: () => '',
  };
}

/** By the password that is known here, or else is asked for. */
async function made(context: Context, wish: { name: string | undefined; expires_in: z.output<typeof Expires> }) {
  const client = context.client();
  const { credentials: found, ca } = originsOf(context.environment, context.options);
  const credentials = found().value;
  if ('password' in credentials && !isToken(credentials.password))
    return client.send('POST', '/tokens', NewToken, json(wish));
  const { value: self } = await client.get('/user', SelfResource);
  return makeToken(context, client.endpoint, self.name, wish, ca);
}

export const tokenCommands: readonly Leaf[] = [
  leaf({
    usage: 'list',
    summary: 'List your tokens, or those of a user, without their secrets',
    examples: ['arcus token list', 'arcus token list --user alice -o json'],
    options: [userOption],
    schema: Whose,
    run: async (context, _args, whose) => {
      const tokens = await tokensOf(context, whose);
      const found = await context.client().list(tokens.path, tokens.item);
      const rows = found.map(({ value }) => value);
      shown(
        context,
        () => tableOf(tokens.columns(context), rows, context.wide ? null : context.width()),
        found.map(({ raw }) => raw),
      );
    },
  }),
  leaf({
    usage: 'create <name>',
    summary: 'Make a token, printed this once; who has signed in by a token is asked for the password',
    examples: ['arcus token create pipeline --expires 30d > token.txt', 'arcus token create backups --expires never'],
    options: [expiresOption],
    schema: z.object({ expires: Expires }),
    run: async (context, [name], { expires }) => {
      const { value, raw } = await made(context, { name, expires_in: expires });
      context.out(context.format === 'table' ? value.token : rawText(context.format, raw));
      context.err(
        `token ${value.id} (${value.name}) ${expiryText(value)}. It is not shown again; it is used as ARCUS_AUTH, or by: arcus context create`,
      );
    },
  }),
  leaf({
    usage: 'revoke <token>',
    aliases: ['delete'],
    summary: 'Revoke a token, of yours or of a user: it is refused from now on',
    examples: ['arcus token revoke pipeline', 'arcus token revoke 3 --user alice'],
    options: [userOption],
    schema: Whose,
    run: async (context, [wish], whose) => {
      const tokens = await tokensOf(context, whose);
      const { id } =
        whose.user === undefined
          ? await resolveToEnd(context, tokens, wish, (token) => `Revoke ${token}?`)
          : { id: await resolve(context.client(), tokens, wish, { whole: true }) };
      if (whose.user !== undefined) await context.confirm(async () => `Revoke token ${id} of user ${whose.user}?`);
      await context.client().send('DELETE', `${tokens.path}/${id}`, z.undefined());
      report(context, `token ${id} revoked.`, { id });
    },
  }),
];
