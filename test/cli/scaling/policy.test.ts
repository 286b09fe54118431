import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policiesOfWeb } from '../../../api/native/scaling/policies-examples.js';
import { ownDirectory } from '../../support/directories.js';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { service } from '../stub-objects.js';

const path = '/services/12/roles/web/policies';
const at = '2026-11-28T12:00:00.000Z';
const [peak, target] = policiesOfWeb.policies;
const counting = { at, verdict: 'counting', why: '2 of 3 periods', found: 'max(CPU)[95] > 90', operation: null };

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /services', { body: { items: [service(12, 'shop')], next_cursor: null } });
  const seen = { ...peak, true_evals: 2, last_eval: at, last: counting, log: [counting] };
  api.on(`GET ${path}`, { body: { ...policiesOfWeb, waits: 'cooldown for 41 s', policies: [seen, target] } });
  for (const request of [`PUT ${path}`, `POST ${path}/1/pause`, `POST ${path}/1/resume`])
    api.on(request, { body: policiesOfWeb });
});
afterEach(() => api.stop());

const policy = (...args: string[]) => runArcus(['service', 'policy', ...args], api.environment);
const sent = () =>
  api.asked.flatMap(({ method, path: to, body }) => (method === 'GET' ? [] : [[method, to, body && JSON.parse(body)]]));

it('shows the rules of each role with the service, how far each has counted, and what it has come to', async () => {
  const [role] = service(12, 'shop').roles;
  const rules = [
    { type: 'CHANGE', adjust: 2, expression: 'ATT > 50', period_number: 3, period: 10, true_evals: 2, last: counting },
    { type: 'PERCENTAGE_CHANGE', adjust: -10, min_adjust_step: 2, expression: 'ATT < 20', enabled: false },
    { target: 'CPU = 60', paused_until: '2999-01-01T00:00:00Z' },
  ].map((rule) => ({ true_evals: 0, last_eval: null, last: null, ...rule }));
  api.on('GET /services/12', {
    body: service(12, 'shop', 'RUNNING', { roles: [{ ...role, elasticity_policies: rules }] }),
  });
  const { out } = await runArcus(['service', 'show', '12'], api.environment);
  const table = out.split('\n').slice(out.split('\n').indexOf('ELASTICITY RULES') + 1, -1);
  expect(table.slice(0, 4).map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['POLICY', 'ADJUST', 'EXPRESSION', 'EVALUATION', 'PERIOD', 'LAST'],
    ['0', '+ 2', 'ATT > 50', '2 / 3', '10s', 'counting: 2 of 3 periods, by max(CPU)[95] > 90'],
    ['1', '- 10 % (2)', 'ATT < 20', '0 / 1', '0s', 'paused'],
    ['2', '-', 'target CPU = 60', '0 / 1', '0s', 'paused until 2999-01-01T00:00:00Z'],
  ]);
});

describe('arcus service policy', () => {
  it('lists the rules of a role as the guide does, with what each has come to', async () => {
    const { out } = await policy('list', 'shop', 'web');
    for (const line of [
      /^MIN VMS +: 1$/m,
      /^WAITS +: cooldown for 41 s$/m,
      /^ +0 +\+ 1 +max\(CPU\) > 90 +2 \/ 3 +10s +counting: 2 of 3 periods$/m,
      /^ +1 +- +target REQUESTS = 200 +0 \/ 1 +0s +-$/m,
    ])
      expect(out).toMatch(line);
  });

  it('shows one with its decisions', async () => {
    const { out } = await policy('show', '12', 'web', '0');
    expect(out).toMatch(/^EXPRESSION +: max\(CPU\) > 90$/m);
    expect(out).toContain(`${at} counting: 2 of 3 periods, by max(CPU)[95] > 90`);
    expect((await policy('show', '12', 'web', '7')).err).toContain('Role web has no policy 7.');
  });

  it('pauses one until a time, resumes it, and gives the role others', async () => {
    await policy('pause', 'shop', 'web', '1', '--until', at);
    await policy('resume', 'shop', 'web', '1');
    const file = join(ownDirectory(), 'policies.yaml');
    writeFileSync(file, 'elasticity_policies: []\n');
    const { out } = await policy('update', 'shop', 'web', '-f', file);
    expect(out).toContain('role web has 2 policies now.');
    expect(sent()).toEqual([
      ['POST', `${path}/1/pause`, { until: at }],
      ['POST', `${path}/1/resume`, ''],
      ['PUT', path, { elasticity_policies: [] }],
    ]);
  });

  it.each([
    [['hold', 'shop', 'web'], '"hold" is none of list, show, pause, resume, update.'],
    [['pause', 'shop', 'web'], 'Say which policy, by its number.'],
    [['update', 'shop', 'web'], '--file: is needed'],
  ])('says what is missing: %j', async (args, text) => {
    const { code, err } = await policy(...args);
    expect([code, err]).toEqual([2, expect.stringContaining(text)]);
    expect(sent()).toEqual([]);
  });
});
