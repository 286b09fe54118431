import { z } from 'zod';
import { createApiClient } from '../shell/api-client.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { trustOf } from '../shell/connection.js';
import type { ContextFile, ServerContext } from '../shell/context-file.js';
import { quoted } from '../shell/resource.js';

/** A context with the token that `arcus login` has made for it: it alone notes whose a token is. */
export type LoginContext = Extract<ServerContext, { token: string }>;

/** The context of this name, if its token is of `arcus login` and no other context has it, too. */
export function loginIn({ contexts }: ContextFile, name: string): LoginContext | null {
  const its = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (!its || !('token' in its) || its.name === undefined) return null;
  const holders = Object.values(contexts).filter((other) => 'token' in other && other.token === its.token);
  return holders.length === 1 ? its : null;
}

const Found = z.object({ id: z.int() });
/** Milliseconds for each answer: nobody waits long for the end of what is not used any more. */
const within = 10_000;

/** Revokes it, by itself; what the server refuses already is done. `at`: where its server is now. */
export async function revokeLogin(
  { environment }: Pick<Context, 'environment'>,
  { token, ca, endpoint }: LoginContext,
  at = endpoint,
): Promise<void> {
  const server = new URL(at);
  const client = createApiClient({ endpoint: server, credentials: { token }, trust: trustOf(environment, server, ca) });
  const [, prefix = ''] = /^arcus_([^_]+)_/.exec(token) ?? [];
  try {
    const found = await client.list('/tokens', Found, { query: { filter: `prefix=${quoted(prefix)}` }, within });
    for (const { value } of found)
      await client.send('DELETE', `/tokens/${value.id}`, z.undefined(), undefined, { within });
  } catch (error) {
    const isGone = error instanceof Complaint && (error.code === 'not_authenticated' || error.code === 'not_found');
    if (!isGone) throw error;
  }
}
