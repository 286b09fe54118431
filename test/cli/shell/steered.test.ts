import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { printableLines } from '../../../schemas/common/printable.js';
import type { Result } from '../launch-program.js';
import { runArcus } from '../run-arcus.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { group, host, page, service, user } from '../stub-objects.js';
import { asking, deployment, operationId } from '../stub-operation.js';

// What guests, hypervisors and other users have written, wherever an answer has words of theirs.

const evil = '\u001b[2J\u009b31m\u202e\u200b\u0007\r\u2066\ufe0f';
const steering = Array.from(evil).filter((one) => one < ' ' || one > '~');
const theirs = new Set(['name', 'uname', 'gname', 'reason', 'host', 'error', 'detail', 'text', 'title', 'message']);

function poisoned(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return theirs.has(key) && value !== 'web' ? value + evil : value;
  if (Array.isArray(value)) return value.map((one) => poisoned(one, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, poisoned(one, name)]));
}

let api: StubApi;
const on = (request: string, body: unknown) => api.on(request, { body: poisoned(body) });
const arcus = (words: string, input = ''): Promise<Result> => runArcus(words.split(' '), api.environment, input);

beforeAll(async () => {
  api = await startStubApi();
  const kinds = {
    hosts: host(12, 'rack'),
    services: service(12, 'shop', 'RUNNING', { log: [] }),
    users: user(12, 'alice'),
    groups: group(12, 'web'),
    tokens: {
      id: 12,
      name: 'ci',
      prefix: 'arcus_x',
      uid: 0,
      expires_at: null,
      last_used_at: null,
      expired: false,
      created_at: host(0, '').created_at,
    },
  };
  for (const [path, object] of Object.entries(kinds)) {
    on(`GET /${path}`, page(object).body);
    on(`GET /${path}/12`, object);
  }
  on('GET /operations', { items: [deployment()], next_cursor: null });
  on(`GET /operations/${operationId}`, {
    ...asking(),
    state: 'failed',
    ended_at: asking().created_at,
    error: { code: 'x', detail: 'no' },
  });
  on('GET /services/12/why', {
    resource: { type: 'service', id: 12, name: 'shop', state: 'RUNNING' },
    ...{ text: 'It waits.', operation: null, operation_state: null, waiting_for: null, step: null },
    ...{ actions: [], failures: [], details: [], asked_engine: true },
  });
  api.on('PATCH /hosts/12', problem(409, 'in_use', `Host rack${evil} is used.`));
  api.on('POST /services/12/recover', problem(409, 'wrong_state', `Service shop${evil} runs.`));
});
afterAll(() => api.stop());

const commands = [
  ...['host', 'service', 'user', 'group', 'token', 'operation'].map((noun) => `${noun} list`),
  ...['host', 'service', 'user', 'group'].map((noun) => `${noun} show 12`),
  `operation show ${operationId}`,
  `operation wait ${operationId}`,
  'service why 12',
  'service recover 12',
  'host enable 12',
  'host show shopp',
  'service wait 12 --for state=RUNNING',
  'complete fish -- host show ',
  'complete bash -- service show ',
];

/** Those that end with a complaint, and its code. */
const refused: Record<string, number> = {
  [`operation wait ${operationId}`]: 1,
  'service recover 12': 4,
  'host enable 12': 4,
  'host show shopp': 3,
};

it.each(commands)('arcus %s', async (words) => {
  for (const format of words.startsWith('complete') ? [''] : ['', '-o wide ', '-o json ', '-o yaml ', '-o name ']) {
    const { code, out, err } = await arcus(format + words);
    expect({ code, words: code === (refused[words] ?? 0) ? '' : err }).toEqual({
      code: refused[words] ?? 0,
      words: '',
    });
    // An answer without a name has none to print.
    if (!(words === 'service why 12' && format === '-o name ')) expect(out + err, words).not.toBe('');
    // With nothing taken out by the last guard, which all that is printed goes through.
    expect(printableLines(out + err)).toBe(out + err);
    expect(steering.filter((one) => (out + err).includes(one))).toEqual([]);
  }
});

it('programs read the same from JSON and YAML as was answered', async () => {
  const answered = poisoned(host(12, 'rack'));
  expect(JSON.parse((await arcus('-o json host show 12')).out)).toEqual(answered);
  expect(parse((await arcus('-o yaml host show 12')).out)).toEqual(answered);
  expect(parseAllDocuments((await arcus('-o yaml host list')).out)).toHaveLength(1);
});

it('names that cannot be shown are completed as ids', async () => {
  expect((await arcus('complete bash -- host show ')).out).toBe('12\n');
});

it('apply tells names of files', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'arcus-steered-')), 'hosts.json');
  writeFileSync(file, JSON.stringify({ kind: 'host', name: `rack${evil}x`, cpu: 1, memory: 1, nonsense: evil }));
  const { out, err } = await arcus(`apply -f ${file} --dry-run`);
  rmSync(dirname(file), { recursive: true });
  expect(out + err).toContain('host');
  expect(steering.filter((one) => (out + err).includes(one))).toEqual([]);
});
