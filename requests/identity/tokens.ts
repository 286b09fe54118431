import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { quotaProblem } from '../../domain/identity/quotas.js';
import { Problem } from '../../domain/problems.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { CreateToken, NewToken, Token, TokenResource } from '../../schemas/identity/token.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import type { OperationsContext } from '../context.js';
import type { Precondition } from '../precondition.js';
import { commandedUser } from './authorise-user.js';
import { changeDirectory } from './change-directory.js';
import { newToken } from './token-text.js';

// Tokens. Their users make, see and revoke them; whoever may act in a user's stead sees and revokes that user's.

export async function listTokens(
  context: OperationsContext,
  caller: Caller,
  uid: number,
  query: ListQuery,
): Promise<Page<TokenResource>> {
  const { tokens } = context.directory;
  await demandCommand(context, caller, uid);
  const page = await tokens.list(uid, query);
  return { ...page, items: page.items.map(tokenResource) };
}

export async function showToken(
  context: OperationsContext,
  caller: Caller,
  uid: number,
  id: number,
): Promise<TokenResource> {
  const { tokens } = context.directory;
  await demandCommand(context, caller, uid);
  const found = await tokens.find(uid, id);
  if (!found) throw gone(uid, id);
  return tokenResource(found);
}

/**
 * A token of the caller's own, shown this once. Who came with a token makes none: one that is stolen could otherwise
 * outlive its revocation.
 */
export async function createToken(
  context: OperationsContext,
  caller: Caller,
  { name: wished, expires_in }: CreateToken,
): Promise<NewToken> {
  const { directory, store } = context;
  const { users, tokens, version } = directory;
  const { login } = caller;
  if (login?.by !== 'password')
    throw new Problem('not_authorized', 'Tokens are made by who signs in with name and password, not with a token.');
  const name = objectName(wished);
  const { text, prefix, hash } = newToken();
  const made = await changeDirectory(directory, caller, async (_asking, transaction) => {
    const user = await users.find(caller.id, transaction);
    if (user?.credentials !== login.credentials)
      throw new Problem('not_authenticated', 'Your password has been changed meanwhile. Sign in again.');
    const [limit, has] = [
      await store.quotas.claim(caller.id, 'tokens', transaction),
      await tokens.count(caller.id, transaction),
    ];
    if (limit !== null && has >= limit)
      throw quotaProblem(
        { quota: 'tokens', holder: { type: 'user', id: caller.id }, limit, used: has, asked: 1 },
        caller.name,
      );
    const created_at = new Date();
    const token: Token = {
      ...{ _id: await version.take('token', transaction), uid: caller.id, name, prefix, hash, created_at },
      expires_at: expires_in === null ? null : new Date(created_at.getTime() + expires_in * 1_000),
      last_used_at: null,
    };
    await tokens.insert(token, transaction);
    return token;
  });
  return { ...tokenResource(made), token: text };
}

export async function revokeToken(
  context: OperationsContext,
  caller: Caller,
  uid: number,
  id: number,
  precondition: Precondition,
): Promise<void> {
  const { directory } = context;
  const { tokens } = directory;
  await changeDirectory(directory, caller, async (asking, transaction) => {
    await demandCommand(context, asking, uid, transaction);
    const found = await tokens.find(uid, id);
    if (found) await precondition.demand(async () => tokenResource(found));
    if (!(await tokens.remove(uid, id, transaction))) throw gone(uid, id);
  });
}

async function demandCommand(
  context: OperationsContext,
  caller: Caller,
  uid: number,
  transaction: Transaction | null = null,
): Promise<void> {
  const { directory } = context;
  const { users } = directory;
  if (caller.id !== uid) await commandedUser(directory, caller, uid, await users.find(uid, transaction), transaction);
}

const gone = (uid: number, id: number): Problem => new Problem('not_found', `User ${uid} has no token ${id}.`);

const iso = (date: Date | null): string | null => date?.toISOString() ?? null;

const tokenResource = ({ _id: id, name, prefix, uid, expires_at, last_used_at, created_at }: Token): TokenResource => ({
  ...{ id, name, prefix, uid },
  expires_at: iso(expires_at),
  expired: expires_at !== null && expires_at.getTime() <= Date.now(),
  last_used_at: iso(last_used_at),
  created_at: created_at.toISOString(),
});
