import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/processes.js';
import { launchOnTerminal, launchProgram } from '../launch-program.js';
import { runArcus } from '../run-arcus.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { asking, deployment, operationId } from '../stub-operation.js';

// Waiting as a user sees it: `arcus` as a process, on a pipe and on a terminal, with answers at the pace of the test.

/** Milliseconds that a machine with much else to do may take to begin. */

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
});
afterEach(() => api.stop());

const operation = `GET /operations/${operationId}`;
const [started, boot] = deployment().steps;
if (!started || !boot) throw new Error('the deployment of the stub has two steps');

const accepted = deployment({ state: 'accepted', started_at: null, steps: [], progress: null, eta: null });
const calm = deployment({ steps: [started] });
const failing = deployment({ steps: [started, boot] });
const ended = deployment({ state: 'succeeded', ended_at: '2026-11-22T14:00:15.000Z', steps: [], eta: null });

const begin = (...args: string[]) => launchProgram('arcus/main.js', args, { environment: api.environment });
const arcus = (...args: string[]) => runArcus(args, api.environment);
const timeless = (text: string) => text.replaceAll(/(about|in) \d+ (s|min|h|d)( \d+ (s|min|h))?/g, '$1 <time>');

describe('without a terminal', () => {
  it('prints a line only when something has changed, and the result on stdout', async () => {
    const ready = { steps: [], progress: { done: 10, total: 10, unit: 'VMs', roles: [] } };
    const looks = [accepted, accepted, calm, calm, calm, failing, failing, deployment(ready), deployment(ready), ended];
    api.on(operation, ...looks.map((body) => ({ body })));
    const { code, out, err } = await arcus('operation', 'wait', operationId);
    expect({ code, out }).toEqual({ code: 0, out: 'deployService of service 12 (web) succeeded.\n' });
    expect(timeless(err)).toMatchInlineSnapshot(`
      "deployService of service 12 (web): accepted, not begun
      deployService of service 12 (web): 6 of 10 VMs run · about <time> left
      boot 5 VMs of role web: try 3 failed: The simulated hypervisor did not answer for host-1: connection refused. Next: try 4 in <time>.
      deployService of service 12 (web): 10 of 10 VMs run · about <time> left
      "
    `);
  });

  it('tells each try of what fails, and what it waits for', async () => {
    const again = { ...boot, attempts: 4, failed_attempt: 4 };
    const waiting = deployment({
      state: 'waiting',
      waiting_for: 'needs 64 CPU; the one enabled host has 4',
      eta: null,
    });
    const looks = [
      failing,
      deployment({ steps: [again] }),
      { ...waiting, steps: [] },
      { ...waiting, steps: [] },
      ended,
    ];
    api.on(operation, ...looks.map((body) => ({ body })));
    const { err } = await arcus('operation', 'wait', operationId);
    expect(timeless(err)).toMatchInlineSnapshot(`
      "boot 5 VMs of role web: try 3 failed: The simulated hypervisor did not answer for host-1: connection refused. Next: try 4 in <time>.
      deployService of service 12 (web): 6 of 10 VMs run · about <time> left
      boot 5 VMs of role web: try 4 failed: The simulated hypervisor did not answer for host-1: connection refused. Next: try 5 in <time>.
      Waiting: needs 64 CPU; the one enabled host has 4.
      deployService of service 12 (web): 6 of 10 VMs run, waiting
      "
    `);
  });

  it('tells nothing of tries while Temporal is away, which alone knows them', async () => {
    api.on(operation, { body: { ...failing, asked_engine: false } }, { body: ended });
    const { err } = await arcus('operation', 'wait', operationId);
    expect(err).toMatch(/^deployService of service 12 \(web\): 6 of 10 VMs run[^\n]*\n$/);
  });

  it('ends with 7, the question and the answers as commands, when it waits for a person', async () => {
    api.on(operation, { body: calm }, { body: asking() });
    const { code, out, err } = await arcus('operation', 'wait', operationId);
    expect({ code, out }).toEqual({ code: 7, out: '' });
    expect(timeless(err)).toMatchInlineSnapshot(`
      "deployService of service 12 (web): 6 of 10 VMs run · about <time> left
      arcus: deployService of service 12 (web) waits for you. VM 7 of role web cannot be deployed: out of memory. Try it again, go on without it, or give up?
      Answer with one of:
        arcus operation answer 01KAJ3V5Q0F8T4X2M7N9P6R1SC retry    # Try the VMs that failed again.
        arcus operation answer 01KAJ3V5Q0F8T4X2M7N9P6R1SC skip     # Go on without the VMs that failed, with those that run.
        arcus operation answer 01KAJ3V5Q0F8T4X2M7N9P6R1SC give_up  # End the operation as failed; what runs goes on running.
      "
    `);
  });

  it('goes on over a server that is away', async () => {
    const away = problem(503, 'database_unavailable', 'The database does not answer; try again in a moment.');
    api.on(operation, { body: calm }, 'hang up', away, away, { body: calm }, { body: ended });
    const { code, err } = await arcus('operation', 'wait', operationId);
    expect(code).toBe(0);
    expect(timeless(err).replace(api.endpoint, '<endpoint>')).toMatchInlineSnapshot(`
      "deployService of service 12 (web): 6 of 10 VMs run · about <time> left
      Nothing answers at <endpoint>. Waiting for the server; the operation goes on without it.
      The server answers again.
      "
    `);
  });

  it('is left by SIGINT at once, even while the server is silent', async () => {
    api.on(operation, { body: calm }, 'silence');
    const waiting = begin('operation', 'wait', operationId);
    await eventually(() => api.asked.length === 2);
    waiting.process.kill('SIGINT');
    const { code, err } = await waiting.ended;
    expect(code).toBe(130);
    expect(err).toMatch(/Detached; operation 01K\w+ goes on\.\nCome back with: arcus operation wait 01K\w+\n$/);
  });
});

describe('the end that is waited for', () => {
  const failed = { error: { code: 'roles_failed', detail: 'Role web failed.' }, steps: [], eta: null };
  const cases: [what: string, args: string[], end: 'cancelled' | 'failed' | 'succeeded', code: number, says: RegExp][] =
    [
      ['a cancel that stops it', ['cancel'], 'cancelled', 0, /service 12 \(web\) cancelled\.\n$/],
      ['a cancel that comes too late', ['cancel'], 'succeeded', 4, /had succeeded before it could be stopped/],
      ['giving up', ['answer', 'give-up'], 'failed', 0, /service 12 \(web\) failed, as you asked\.\n$/],
      [
        'an answer that does not help',
        ['answer', 'skip'],
        'failed',
        1,
        /failed: Role web failed\.\nSee more with: arcus service why 12\n$/,
      ],
      ['a new try', ['retry'], 'succeeded', 0, /service 12 \(web\) succeeded\.\n$/],
    ];
  it.each(cases)('of %s decides how arcus ends', async (_what, [verb = '', ...answer], state, code, says) => {
    api.on(`POST /operations/${operationId}/${verb}`, { status: 202, body: accepted });
    api.on(operation, { body: accepted }, { body: calm }, { body: deployment({ ...failed, state }) });
    const result = await arcus('operation', verb, operationId, ...answer, '--wait');
    expect(result.code, result.err).toBe(code);
    expect(code === 0 ? result.out : result.err).toMatch(says);
  });
});

describe('a request for an operation', () => {
  const recover = 'POST /services/12/recover';
  const busy = problem(503, 'database_unavailable', 'The database does not answer; try again in a moment.');

  it('is sent again under the same key when its connection is lost or the server is not able', async () => {
    api.on(recover, 'hang up', busy, { status: 202, body: accepted });
    const { code, out, err } = await arcus('service', 'recover', '12');
    expect(code, err).toBe(0);
    expect(out).toBe(`service 12 (web): deployService accepted as operation ${operationId}.\n`);
    expect(err).toMatch(/Asking again; it will not be done twice\.\n$/);
    const keys = new Set(api.asked.map(({ key }) => key));
    expect(api.asked).toHaveLength(3);
    expect([...keys]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  });

  it('has another key when it is another request', async () => {
    api.on(recover, { status: 202, body: accepted });
    await arcus('service', 'recover', '12');
    await arcus('service', 'recover', '12');
    expect(new Set(api.asked.map(({ key }) => key)).size).toBe(2);
  });

  it('is given up after some tries, and says that it may have been accepted', async () => {
    api.on(recover, 'hang up');
    const { code, err } = await arcus('service', 'recover', '12');
    expect(code).toBe(6);
    expect(err).toMatch(/it may have been accepted\.\nSee whether it was accepted with: arcus operation list\n$/);
    expect(api.asked.length).toBeGreaterThan(3);
  });

  it('is not repeated when it was refused', async () => {
    api.on(recover, problem(409, 'wrong_state', 'Service 12 is RUNNING.'));
    expect((await arcus('service', 'recover', '12')).code).toBe(4);
    expect(api.asked).toHaveLength(1);
  });

  it('that is refused when sent again may have been what did it', async () => {
    api.on(recover, 'hang up', problem(409, 'wrong_state', 'Service 12 is RUNNING.'));
    const { code, err } = await arcus('service', 'recover', '12');
    expect(code).toBe(4);
    expect(err).toMatch(
      /Service 12 is RUNNING\. An earlier try of this request, whose answer was lost, may have done it\.\n/,
    );
  });

  it('can be left by Ctrl-C before it is answered, without a promise', async () => {
    api.on(recover, 'silence');
    const asking = begin('service', 'recover', '12');
    await eventually(() => api.asked.length === 1);
    asking.process.kill('SIGINT');
    const { code, err } = await asking.ended;
    expect(code).toBe(130);
    expect(err).toMatch(/it may have been accepted\.\nSee whether it was accepted with: arcus operation list\n$/);
  });
});

describe.skipIf(process.platform !== 'linux')('on a terminal, which util-linux makes', () => {
  const onTerminal = (columns: number, ...args: string[]) =>
    launchOnTerminal(args, { columns, environment: api.environment });
  /** The lines that stay on the screen: what was drawn over is gone. */
  const screen = (text: string) =>
    text.split('\r\n').map((line) => line.split('\u001B[2K').at(-1)?.replaceAll('\r', '') ?? '');

  it('draws one line again and again, and leaves only the news and the result', async () => {
    api.on(operation, { body: accepted }, { body: calm }, { body: failing }, { body: failing }, { body: ended });
    const { code, out } = await onTerminal(80, 'operation', 'wait', operationId).ended;
    expect(code).toBe(0);
    expect(out).toContain('deployService of service 12 (web): accepted, not begun');
    expect(out).toContain('deployService of service 12 (web): 6 of 10 VMs run');
    expect(screen(out).map(timeless)).toEqual([
      expect.stringMatching(/^boot 5 VMs of role web: try 3 failed: .*Next: try 4 in <time>\.$/),
      'deployService of service 12 (web) succeeded.',
      '',
    ]);
  });

  it('keeps that line within the width', async () => {
    api.on(operation, { body: failing }, { body: failing }, { body: ended });
    const { out } = await onTerminal(40, 'operation', 'wait', operationId).ended;
    const drawn = out
      .split('\u001B[2K')
      .slice(1)
      .map((text) => text.split('\r')[0] ?? '');
    expect(Math.max(...drawn.filter((line) => line.endsWith('…')).map((line) => Array.from(line).length))).toBe(39);
  });

  it('is left by Ctrl-C, the key, with the way back on a line of its own', async () => {
    api.on(operation, { body: calm });
    const waiting = onTerminal(80, 'operation', 'wait', operationId);
    await eventually(() => waiting.out().includes('6 of 10 VMs run'));
    waiting.process.stdin?.write('\u0003');
    const { code, out } = await waiting.ended;
    expect(code).toBe(130);
    expect(screen(out).slice(-3)).toEqual([
      `arcus: Detached; operation ${operationId} goes on.`,
      `Come back with: arcus operation wait ${operationId}`,
      '',
    ]);
  });
});
