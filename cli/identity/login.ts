import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { authoritiesIn, caOption } from '../shell/authorities.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { endpointOf, originsOf } from '../shell/connection.js';
import { ContextName, contextPath, readContexts, writeContexts } from '../shell/context-file.js';
import { warnOfEnvironment } from '../shell/environment-first.js';
import { report } from '../shell/resource.js';
import { type LoginContext, loginIn, revokeLogin } from './login-token.js';
import { Expires, expiresOption, expiryText, makeToken } from './make-token.js';

const Options = z.object({ user: z.string().min(1).optional(), ca: z.string().min(1).optional(), expires: Expires });

/** `home`: it is the Arcus of this machine with this home; `ca`: what was believed there before. */
type Goal = { name: string; endpoint: string; home?: string | undefined; ca?: string | undefined };

/** The context that is meant, and its server: named, by --endpoint, or those that are asked without a context. */
function goal({ environment, options }: Context, wish: string | undefined): Goal {
  const path = contextPath(environment);
  const file = readContexts(path);
  const name = ContextName.safeParse(wish ?? options.context ?? file.current ?? 'default');
  if (!name.success)
    throw new Complaint('usage', `The name of the context ${name.error.issues[0]?.message ?? 'is not valid'}.`, {
      next: 'Such as: arcus login prod --endpoint https://arcus.example',
    });
  const present = Object.hasOwn(file.contexts, name.data) ? file.contexts[name.data] : undefined;
  const elsewhere = originsOf({ ...environment, ARCUS_AUTH: 'a:b' }, { endpoint: options.endpoint }).endpoint.value;
  const { ARCUS_HOME, ARCUS_PORT, ARCUS_ENDPOINT } = environment;
  const home = ARCUS_HOME && !ARCUS_PORT && !ARCUS_ENDPOINT ? resolve(ARCUS_HOME) : undefined;
  // Who names a home means its Arcus, wherever it was when the context was made.
  const before = present && (home === undefined || present.home === undefined) ? present.endpoint : undefined;
  const { origin } = endpointOf(options.endpoint ?? before ?? elsewhere);
  return {
    ...{ name: name.data, endpoint: origin, ca: present?.endpoint === origin ? present.ca : undefined },
    home: endpointOf(elsewhere).origin === origin ? home : undefined,
  };
}

/** A password is typed once; what stays on this machine is a token, which expires and can be revoked. */
export const loginCommand: Leaf = leaf({
  usage: 'login [context]',
  summary: 'Sign in by name and password; the token is kept in a context, the current one from then on',
  examples: [
    'arcus login --user alice',
    'arcus login prod --endpoint https://arcus.example --user alice',
    'arcus login ci --endpoint https://arcus.example --user ci --expires 1h < password.txt',
  ],
  options: [['--user <name>', 'who signs in'], expiresOption, caOption],
  schema: Options,
  run: async (context, [wish], { user, expires, ca: authorities }) => {
    if (user === undefined)
      throw new Complaint('usage', '--user: is needed, the name that you sign in with.', {
        next: 'Such as: arcus login --user alice',
      });
    const { name, endpoint, home, ca: before } = goal(context, wish);
    const ca = authorities === undefined ? before : authoritiesIn(authorities);
    const token = { name: `arcus on ${hostname()}`, expires_in: expires };
    const { value } = await makeToken(context, new URL(endpoint), user, token, ca);
    const path = contextPath(context.environment);
    const file = readContexts(path);
    const replaced = loginIn(file, name);
    const made = { endpoint, name: user, token: value.token, ...(ca && { ca }), ...(home && { home }) };
    writeContexts(path, { current: name, contexts: { ...file.contexts, [name]: made } });
    const { id, expires_at } = value;
    const said = `${user} is signed in at ${endpoint}: token ${id} in context ${name}, the current one, ${expiryText(value)}.`;
    report(context, said, { name, endpoint, user, token: id, expires_at });
    warnOfEnvironment(context, made);
    // Last of all: whoever is killed before that has one token too many, and never one too few.
    if (replaced !== null) await revokeReplaced(context, replaced, made);
  },
});

/** Nobody has the token any more that was in the context. A home may have come to another port since. */
async function revokeReplaced(context: Context, replaced: LoginContext, made: Pick<Goal, 'home' | 'endpoint'>) {
  const isSameHome = replaced.home !== undefined && replaced.home === made.home;
  try {
    await revokeLogin(context, replaced, isSameHome ? made.endpoint : replaced.endpoint);
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    context.err(`The token that was in this context before is valid still: ${error.message}`);
    context.err(`It is one of ${replaced.name} at ${replaced.endpoint}; there, revoke it with: arcus token revoke`);
  }
}

/** The end of what `login` has begun. */
export const logoutCommand: Leaf = leaf({
  usage: 'logout [context]',
  summary: 'Revoke the token that login has made, and remove its context: the current one, or the one that is named',
  examples: ['arcus logout', 'arcus logout prod'],
  schema: z.object({}),
  run: async (context, [wish]) => {
    const path = contextPath(context.environment);
    const file = readContexts(path);
    const name = wish ?? context.options.context ?? file.current;
    if (name === null || !Object.hasOwn(file.contexts, name))
      throw new Complaint(
        'not_found',
        name === null ? 'Nobody is signed in.' : `There is no context called ${JSON.stringify(name)}.`,
        {
          next: 'List what there is with: arcus context list',
        },
      );
    const login = loginIn(file, name);
    const remove = `arcus context delete ${name}`;
    if (login === null)
      throw new Complaint('conflict', `Context ${name} was not made by arcus login alone: what it holds stays valid.`, {
        next: `To remove it from the file: ${remove}`,
      });
    await revokeLogin(context, login).catch((error: unknown) => {
      if (!(error instanceof Complaint)) throw error;
      throw new Complaint(error.exit, `The token of context ${name} is not revoked. ${error.message}`, {
        next: `Try again; or, to remove it from the file though it stays valid: ${remove}`,
      });
    });
    const { [name]: _gone, ...contexts } = readContexts(path).contexts;
    writeContexts(path, { current: file.current === name ? null : file.current, contexts });
    report(context, `${login.name} is signed out at ${login.endpoint}: context ${name} and its token are gone.`, {
      name,
    });
  },
});
