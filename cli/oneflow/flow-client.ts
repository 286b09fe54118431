import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { fetchTrusting } from '../../client/node/trusting-fetch.js';
import { trustOf } from '../shell/connection.js';
import type { Environment } from '../shell/environment.js';

/** What ends a command of `oneflow`: its text is printed, and this is the exit code. */
export class FlowFault extends Error {
  constructor(
    message: string,
    readonly code: number,
  ) {
    super(message);
  }
}

/** Options that go before the environment. */
export type FlowOptions = { server?: string | undefined; username?: string | undefined; password?: string | undefined };

export type FlowMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';
type Pool = 'service' | 'service_template';

const Named = z.object({ ID: z.string(), NAME: z.string() });
const NamedPool = z.object({ DOCUMENT_POOL: z.object({ DOCUMENT: z.array(Named).default([]) }) });

export type FlowClient = ReturnType<typeof createFlowClient>;

/** OneFlow's API at ONEFLOW_URL, asked as its client of 5.0 does. */
export function createFlowClient(environment: Environment, { server, username, password }: FlowOptions) {
  const url = urlOf(server ?? environment.ONEFLOW_URL ?? `http://localhost:${portOf(environment)}`);
  // Names of users and groups were never OneFlow's to tell.
  const names = environment.ONE_XMLRPC ? urlOf(environment.ONE_XMLRPC) : new URL('/RPC2', url);
  const session = sessionOf(environment, { username, password });

  async function exchange(at: URL, sent: { method: string; headers: Record<string, string>; body?: string }) {
    try {
      const answer = await fetchTrusting(trustOf(environment, at))(at, sent);
      return { status: answer.status, text: await answer.text() };
    } catch (cause) {
      const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
      throw new FlowFault(`Error connecting to ${at.origin}: ${why}`, 255);
    }
  }

  /** What is answered; anything but a success ends the command with its text, and the status modulo 256. */
  async function ask(method: FlowMethod, path: string, body?: object): Promise<string> {
    const { status, text } = await exchange(new URL(path, url), {
      method,
      headers: {
        authorization: `Basic ${Buffer.from(session).toString('base64')}`,
        'user-agent': 'OpenNebula 5.0.2 (CLI of Arcus)',
        'content-type': 'application/json',
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (status < 200 || status > 299) throw new FlowFault(text, status % 256);
    return text;
  }

  const listed = async (pool: Pool) => NamedPool.parse(JSON.parse(await ask('GET', `/${pool}`))).DOCUMENT_POOL.DOCUMENT;

  return {
    ask,

    /** Ids of what is named by ids, ranges and names, such as `1,3..5,my_service`. */
    async ids(pool: Pool, wish: string): Promise<number[]> {
      const found: number[] = [];
      let all: z.infer<typeof Named>[] | undefined;
      for (const one of wish.split(',')) {
        const [, from, to = from] = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(one) ?? [];
        if (from !== undefined) {
          if (Number(to) - Number(from) > 1_000) throw new FlowFault(`${one} is too wide a range.`, 255);
          for (let id = Number(from); id <= Number(to); id++) found.push(id);
          continue;
        }
        all ??= await listed(pool);
        const called = all.filter(({ NAME }) => NAME === one);
        if (called.length > 1) throw new FlowFault(`There are multiple documents with name ${one}.`, 255);
        const [first] = called;
        if (!first) throw new FlowFault(`There is no document named ${one}.`, 255);
        found.push(Number(first.ID));
      }
      return found;
    },

    /** The id of a user or a group, which may be given by name. */
    async person(kind: 'user' | 'group', wish: string): Promise<number> {
      if (/^\d{1,9}$/.test(wish)) return Number(wish);
      const call = `<?xml version="1.0"?><methodCall><methodName>one.${kind}pool.info</methodName><params><param><value><string>${escaped(session)}</string></value></param></params></methodCall>`;
      const { text } = await exchange(names, { method: 'POST', headers: { 'content-type': 'text/xml' }, body: call });
      const pool = unescaped(text);
      for (const [, id, name] of pool.matchAll(/<ID>(\d+)<\/ID><NAME>([^<]*)<\/NAME>/g))
        if (name !== undefined && unescaped(name) === wish) return Number(id);
      throw new FlowFault(`There is no ${kind} named ${wish} whom you may see.`, 255);
    },
  };
}

const signs: readonly (readonly [sign: string, written: string])[] = [
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
];
const escaped = (text: string): string => signs.reduce((done, [sign, written]) => done.replaceAll(sign, written), text);
const unescaped = (text: string): string =>
  signs.reduceRight((done, [sign, written]) => done.replaceAll(written, sign), text);

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new FlowFault(`${JSON.stringify(text)} is not an address such as http://localhost:2474.`, 255);
}

/** Of the Arcus of this machine, else the usual one. */
function portOf(environment: Environment): number {
  try {
    const kept = readFileSync(join(homeOf(environment), 'ports.json'), 'utf8');
    return z.object({ oneflow: z.int() }).parse(JSON.parse(kept)).oneflow;
  } catch {
    return 2474;
  }
}

const homeOf = (environment: Environment): string => environment.ARCUS_HOME || join(homedir(), '.arcus');

/** `name:password`: of the options, ONEFLOW_USER and ONEFLOW_PASSWORD, the file of ONE_AUTH, OpenNebula’s own file, or the home of Arcus. */
function sessionOf(
  environment: Environment,
  { username, password }: Pick<FlowOptions, 'username' | 'password'>,
): string {
  const name = username ?? environment.ONEFLOW_USER;
  const secret = password ?? environment.ONEFLOW_PASSWORD;
  if (name !== undefined && secret !== undefined) return `${name}:${secret}`;
  // With the other half from a file somebody else would ask.
  if (name !== undefined || secret !== undefined)
    throw new FlowFault(
      'A name needs its password, and a password its name: -u and -p, or ONEFLOW_USER and ONEFLOW_PASSWORD.',
      255,
    );
  const files = environment.ONE_AUTH
    ? [environment.ONE_AUTH]
    : [join(homedir(), '.one', 'one_auth'), join(homeOf(environment), 'auth')];
  const file = files.find(existsSync);
  const session = file === undefined ? '' : readFileSync(file, 'utf8').trim();
  if (/^[^:\s]+:\S/.test(session)) return session;
  const where = file ?? files.join(' nor ');
  throw new FlowFault(
    `There are no credentials: set ONE_AUTH to a file with name:password, or ONEFLOW_USER and ONEFLOW_PASSWORD (looked at: ${where}).`,
    255,
  );
}
