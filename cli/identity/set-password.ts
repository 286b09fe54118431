import { z } from 'zod';
import { json } from '../../client/message.js';
import { SelfResource } from '../../schemas/identity/user.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { originsOf } from '../shell/connection.js';
import { contextPath, readContexts, writeContexts } from '../shell/context-file.js';
import { report, resolve } from '../shell/resource.js';
import { users } from './people.js';

/** Yours or another's. What is kept here of your own is changed with it, where that is a context. */
export const passwordLeaf: Leaf = leaf({
  usage: 'passwd [user]',
  summary: 'Set a password, yours or that of a user, and revoke all tokens; asked for, or lines of standard input',
  examples: ['arcus user passwd', 'arcus user passwd alice', 'printf \'%s\\n%s\\n\' "$OLD" "$NEW" | arcus user passwd'],
  schema: z.object({}),
  run: async (context, [wish]) => {
    const client = context.client();
    const { value: self } = await client.get('/user', SelfResource);
    const id = wish === undefined ? self.id : await resolve(client, users, wish, { whole: true });
    const own = id === self.id;
    const current = own ? { current_password: await context.secret('Your password now') } : {};
    const password = await context.newSecret(own ? 'Your new password' : `New password of ${wish}`);
    await client.send('PUT', `/users/${id}/password`, z.undefined(), json({ password, ...current }));
    report(context, `The password of user ${id} is set; tokens are revoked.`, { id });
    if (own) keep(context, self.name, password);
  },
});

/** Who changes his own password would lock himself out of his next command. */
function keep(context: Context, name: string, password: string): void {
  const { environment, options, err } = context;
  const { context: chosen, credentials } = originsOf(environment, options);
  const path = contextPath(environment);
  const file = readContexts(path);
  const kept = chosen === null ? undefined : file.contexts[chosen.value];
  const { value, from } = credentials();
  if (chosen && kept && 'password' in kept && 'password' in value && kept.password === value.password) {
    writeContexts(path, { ...file, contexts: { ...file.contexts, [chosen.value]: { ...kept, name, password } } });
    err(`Context ${chosen.value} has the new password.`);
  } else if ('token' in value) err(`Your token was among them. Sign in again with: arcus login --user ${name}`);
  else err(`What you sign in with comes from ${from}: change it there.`);
}
