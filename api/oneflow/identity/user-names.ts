import express, { type Request, type Response, type Router } from 'express';
import type { Caller } from '../../../domain/identity/caller.js';
import { Problem, problemOf, problems } from '../../../domain/problems.js';
import type { Identity } from '../../../requests/identity/identity.js';
import type { Operations } from '../../../requests/operations.js';
import { limits } from '../../../schemas/common/limits.js';
import { readCall } from './xml-rpc.js';

// `oneflow chown 1 johndoe apptools` looks names up by OpenNebula's XML-RPC, at ONE_XMLRPC: two calls of it are answered.

/** Bytes of a call: a method and a session. */
const longestCall = 16_384;

const readBytes = express.raw({ type: () => true, limit: longestCall });

/** OpenNebula's numbers of what goes wrong. */
const faults = { not_authenticated: 0x100, not_authorized: 0x200, other: 0x2000 } as const;

type Pools = Pick<Operations, 'users' | 'groups'>;
const pools: Readonly<Record<string, (pools: Pools, caller: Caller) => Promise<string>>> = {
  'one.userpool.info': async ({ users }, caller) =>
    element('USER_POOL', await named('USER', (query) => users.list(caller, query))),
  'one.grouppool.info': async ({ groups }, caller) =>
    element('GROUP_POOL', await named('GROUP', (query) => groups.list(caller, query))),
};

/** `/RPC2`. Who asks says so in the call, not in a header. */
export function userNameRoutes(router: Router, operations: Pools, identity: Pick<Identity, 'authenticate'>): void {
  router.post('/RPC2', readBytes, async (request: Request, response: Response) => {
    request.template = '/RPC2';
    const sent: unknown = request.body;
    const { method, session } = readCall(Buffer.isBuffer(sent) ? sent : Buffer.alloc(0));
    const [outcome, value, code] = await answered(method, async (pool) => {
      const colon = session.indexOf(':');
      if (colon < 1) throw new Problem('not_authenticated', 'The session is not of the form name:password.');
      const credentials = { name: session.slice(0, colon), secret: session.slice(colon + 1) };
      return pool(operations, await identity.authenticate(credentials, request.ip ?? ''));
    });
    response.type('text/xml').send(answer(outcome, value, code));
  });
}

type Outcome = [ok: boolean, value: string, code: number];

async function answered(method: string, ask: (pool: (typeof pools)[string]) => Promise<string>): Promise<Outcome> {
  const pool = Object.hasOwn(pools, method) ? pools[method] : undefined;
  if (!pool) return [false, `[${method}] Only ${Object.keys(pools).join(' and ')} are answered here.`, 0x1000];
  try {
    return [true, await ask(pool), 0];
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || problems[problem.code].status >= 500) throw error;
    const { code, message } = problem;
    const number = code === 'not_authenticated' || code === 'not_authorized' ? faults[code] : faults.other;
    return [false, `[${method}] ${message}`, number];
  }
}

async function named(
  one: string,
  list: (query: { limit: number; cursor?: string }) => Promise<{
    items: readonly { id: number; name: string }[];
    next_cursor: string | null;
  }>,
): Promise<string> {
  const parts: string[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await list({ limit: limits.pageItems.most, ...(cursor !== undefined && { cursor }) });
    for (const { id, name } of page.items)
      parts.push(element(one, element('ID', String(id)) + element('NAME', escaped(name))));
    cursor = page.next_cursor;
  }
  return parts.join('');
}

const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;

const signs: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => signs[sign] ?? sign);

/** `[true, "<USER_POOL>…", 0]` as XML-RPC has it. */
function answer(ok: boolean, value: string, code: number): string {
  const values = [`<boolean>${ok ? 1 : 0}</boolean>`, `<string>${escaped(value)}</string>`, `<i4>${code}</i4>`].map(
    (one) => `<value>${one}</value>`,
  );
  const list = `<array><data>${values.join('')}</data></array>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<methodResponse><params><param><value>${list}</value></param></params></methodResponse>\n`;
}
