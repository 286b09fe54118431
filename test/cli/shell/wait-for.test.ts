import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durationOf } from '../../../cli/shell/duration.js';
import { eventually } from '../../support/processes.js';
import { launchProgram } from '../launch-program.js';
import { runArcus } from '../run-arcus.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { host, service } from '../stub-objects.js';

// `wait` of objects, as scripts use it, with answers at the pace of the test.

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
});
afterEach(() => api.stop());

const arcus = (words: string) => runArcus(words.split(' '), api.environment);
const gone = problem(404, 'not_found', 'There is no service 1.');
const states = (...names: string[]) =>
  names.map((state) => ({ body: service(1, 'shop', state, { operation: '01K' }) }));

describe('wait', () => {
  it('ends with 0 when the state has come, telling on stderr what is on the way', async () => {
    api.on('GET /services/1', ...states('PENDING', 'DEPLOYING', 'DEPLOYING', 'RUNNING'));
    expect(await arcus('service wait 1 --for state=RUNNING')).toEqual({
      code: 0,
      out: 'service 1 is RUNNING.\n',
      err: 'service 1 is PENDING; waiting for RUNNING.\nservice 1 is DEPLOYING; waiting for RUNNING.\n',
    });
  });

  it('prints the object as it has become, with -o', async () => {
    api.on('GET /services/1', ...states('RUNNING'));
    const { out } = await arcus('service wait 1 --for state=running -o json');
    expect(JSON.parse(out)).toMatchObject({ id: 1, state: 'RUNNING' });
  });

  it('for deleted ends with 0 when it is gone, has ended, or was never there', async () => {
    api.on('GET /services/1', ...states('UNDEPLOYING'), gone);
    expect(await arcus('service wait 1 --for deleted')).toMatchObject({ code: 0, out: 'service 1 is gone.\n' });
    api.on('GET /services/1', ...states('UNDEPLOYING', 'DONE'));
    expect((await arcus('service wait 1 --for deleted')).code).toBe(0);
    expect((await arcus('service wait 4711 --for deleted')).code).toBe(0);
  });

  it('ends with 8 when the time is over, even while the server is silent', async () => {
    api.on('GET /services/1', ...states('DEPLOYING'));
    const { code, out, err } = await arcus('service wait 1 --for state=RUNNING --timeout 1s');
    expect({ code, out }).toEqual({ code: 8, out: '' });
    expect(err).toMatch(/service 1 is not RUNNING after 1 s, but DEPLOYING\.\nCome back with: arcus service wait 1/);
    api.on('GET /services/1', 'silence');
    expect((await arcus('service wait 1 --for state=RUNNING --timeout 1s')).code).toBe(8);
  });

  const failed = { body: service(1, 'shop', 'FAILED_DEPLOYING') };
  const never: [what: string, replies: Parameters<StubApi['on']>[1][], code: number, says: RegExp][] = [
    [
      'has failed, with nothing at work',
      [...states('DEPLOYING'), failed],
      1,
      /it is FAILED_DEPLOYING, and nothing is at/,
    ],
    ['has ended', states('UNDEPLOYING', 'DONE'), 1, /will not be RUNNING: it is DONE\.\n/],
    ['is gone', [...states('UNDEPLOYING'), gone], 1, /will not be RUNNING: it is gone\.\n/],
    ['was never there', [gone], 3, /There is no service 1\.\n/],
  ];
  it.each(never)('ends early when what is waited for %s', async (_what, replies, code, says) => {
    api.on('GET /services/1', ...replies);
    const result = await arcus('service wait 1 --for state=RUNNING');
    expect({ code: result.code, out: result.out }).toEqual({ code, out: '' });
    expect(result.err).toMatch(says);
  });

  it('goes on while an operation is at work on what has failed', async () => {
    api.on('GET /services/1', ...states('FAILED_DEPLOYING', 'DEPLOYING', 'RUNNING'));
    expect((await arcus('service wait 1 --for state=RUNNING')).code).toBe(0);
  });

  it('goes on over a server that is away', async () => {
    api.on('GET /hosts/0', { body: host(0, 'a', 'INIT') }, 'hang up', 'hang up', { body: host(0, 'a') });
    expect((await arcus('host wait 0 --for state=MONITORED')).code).toBe(0);
  });

  it('is left by Ctrl-C with 130 and the way back', async () => {
    api.on('GET /services/1', ...states('DEPLOYING'));
    const waiting = launchProgram('arcus/main.js', ['service', 'wait', '1', '--for', 'state=RUNNING'], {
      environment: api.environment,
    });
    await eventually(() => waiting.err().includes('DEPLOYING'));
    waiting.process.kill('SIGINT');
    const { code, err } = await waiting.ended;
    expect(code).toBe(130);
    expect(err).toMatch(/Come back with: arcus service wait 1 --for state=RUNNING\n$/);
  });

  const refused: [words: string, says: RegExp][] = [
    ['service wait 1', /--for: is needed/],
    ['service wait 1 --for state=ASLEEP', /cannot be waited for\.\nWrite deleted, or state= and one of RUNNING/],
    ['service wait 1 --for deleted --timeout soon', /--timeout: must be a time, such as 90s/],
  ];
  it.each(refused)('is refused, before anything is asked: %s', async (words, says) => {
    const { code, err } = await arcus(words);
    expect(code).toBe(2);
    expect(err).toMatch(says);
    expect(api.asked).toEqual([]);
  });
});

it.each([
  ['90', 90_000],
  ['1.5', 1500],
  ['90s', 90_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['', undefined],
  ['5 m', undefined],
  ['m', undefined],
  ['-1s', undefined],
])('a time of %j is %s milliseconds', (text, milliseconds) => {
  expect(durationOf(text)).toBe(milliseconds);
});
