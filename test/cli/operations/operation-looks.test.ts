import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newsOf } from '../../../cli/operations/operation-progress.js';
import { createProgram, exitCodeOf } from '../../../cli/program.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { asking, deployment, operationId } from '../stub-operation.js';

// How answers look, at a time and a width that a test can choose. That real answers are such is shown in operations.test.ts.

let api: StubApi;
beforeAll(async () => {
  api = await startStubApi();
});
afterAll(() => api.stop());

/** Runs a command in this process at 14:00:10; `width` as if at a terminal of so many columns. */
async function looks(args: string, width: number | null = null) {
  const lines: string[] = [];
  const errors: string[] = [];
  const err = (text: string) => errors.push(text);
  const program = createProgram({
    environment: api.environment,
    out: (text) => lines.push(text),
    err,
    width: () => width,
    terminal: null,
    screen: null,
    person: null,
    now: () => new Date('2026-11-22T14:00:10.000Z'),
  });
  const code = await program.parseAsync(args.split(' '), { from: 'user' }).then(
    () => 0,
    (error: unknown) => exitCodeOf(error, err),
  );
  return { code, out: lines.join('\n'), err: errors.join('\n') };
}

const operation = `/operations/${operationId}`;

describe('operation show', () => {
  it('tells how far it is, each step with its tries and its error, and what can be done', async () => {
    api.on(`GET ${operation}`, { body: deployment() });
    const { out } = await looks(`operation show ${operationId}`, 80);
    expect(out).toMatchInlineSnapshot(`
      "OPERATION 01KAJ3V5Q0F8T4X2M7N9P6R1SC INFORMATION
      ID              : 01KAJ3V5Q0F8T4X2M7N9P6R1SC
      TYPE            : deployService
      RESOURCE        : service 12 (web)
      ASKED BY        : oneadmin
      STATE           : running
      CREATED         : 2026-11-22T14:00:00.000Z
      STARTED         : 2026-11-22T14:00:00.100Z
      SO FAR          : 9.9 s
      LEFT            : about 4 s (12 s is typical: median of 5 earlier runs)
      WORKFLOW        : service-12
      TEMPORAL        : http://temporal.test/namespaces/arcus/workflows/service-12

      PROGRESS
      ROLE   VMs  STATE
      db     1/1  RUNNING
      web    5/9  DEPLOYING
      all   6/10

      STEPS
      STARTED    TOOK  TRIES  STATE    STEP
      14:00:00  12 ms      1  done     start role db
      14:00:01    9 s      3  running  boot 5 VMs of role web
                                       The simulated hypervisor did not answer for
                                       host-1: connection refused
                                       try 4 in 2 s

      WHAT YOU CAN DO
        # Stop the operation at its next safe point.
        arcus operation cancel 01KAJ3V5Q0F8T4X2M7N9P6R1SC"
    `);
  });

  it('puts what a command does beside it where there is room, or no terminal', async () => {
    api.on(`GET ${operation}`, { body: asking() });
    const command = `  arcus operation answer ${operationId} retry    # Try the VMs that failed again.\n`;
    expect((await looks(`operation show ${operationId}`, 120)).out).toContain(command);
    expect((await looks(`operation show ${operationId}`)).out).toContain(command);
  });

  it('shows the question of one that waits for a person, with every answer as a command', async () => {
    api.on(`GET ${operation}`, { body: asking() });
    const { out } = await looks(`operation show ${operationId}`, 80);
    expect(out.slice(out.indexOf('QUESTION'), out.indexOf('PROGRESS'))).toMatchInlineSnapshot(`
      "QUESTION, asked at 2026-11-22T14:00:09.000Z
      VM 7 of role web cannot be deployed: out of memory. Try it again, go on without
      it, or give up?

      "
    `);
    expect(out.slice(out.indexOf('WHAT YOU CAN DO'))).toMatchInlineSnapshot(`
      "WHAT YOU CAN DO
        # Try the VMs that failed again.
        arcus operation answer 01KAJ3V5Q0F8T4X2M7N9P6R1SC retry
        # Go on without the VMs that failed, with those that run.
        arcus operation answer 01KAJ3V5Q0F8T4X2M7N9P6R1SC skip
        # End the operation as failed; what runs goes on running.
        arcus operation answer 01KAJ3V5Q0F8T4X2M7N9P6R1SC give_up
        # Stop the operation at its next safe point.
        arcus operation cancel 01KAJ3V5Q0F8T4X2M7N9P6R1SC"
    `);
  });

  it('says that the next tries are not known when Temporal did not answer', async () => {
    api.on(`GET ${operation}`, { body: deployment({ asked_engine: false }) });
    const { out } = await looks(`operation show ${operationId}`);
    expect(out).toContain('NEXT TRIES      : not known: Temporal did not answer within a second\n');
    expect(out).not.toMatch(/try \d+ (in|at work)/);
  });

  it('does not let what a hypervisor wrote steer the terminal', async () => {
    const [, boot] = deployment().steps;
    if (!boot) throw new Error('there is a second step');
    const steps = [{ ...boot, error: { code: 'deploy_refused', detail: 'a\u001B[2Jb\nc' } }];
    api.on(`GET ${operation}`, { body: deployment({ steps }) });
    expect((await looks(`operation show ${operationId}`)).out).toContain('a [2Jb c');
  });
});

describe('news of an operation', () => {
  it('are of steps that have failed, not of one whose end nobody has written down yet', () => {
    const now = new Date('2026-11-22T14:00:10.000Z');
    const [, boot] = deployment().steps;
    const news = (ended_at: string | null) => {
      const steps = boot ? [{ ...boot, state: 'failed' as const, next_retry_at: null, ended_at }] : [];
      return newsOf(deployment({ steps }), now, { everyTry: false }).map(({ text }) => text);
    };
    expect(news(now.toISOString())).toEqual([expect.stringContaining('try 3 failed')]);
    expect(news(null)).toEqual([]);
  });

  it('count tries by the one that has failed, also while nobody has taken the next one', () => {
    const [, boot] = deployment().steps;
    const news = (attempts: number) => {
      const steps = boot ? [{ ...boot, attempts, failed_attempt: 1, next_retry_at: null }] : [];
      return newsOf(deployment({ steps }), new Date(), { everyTry: true }).map(({ text }) => text);
    };
    expect(news(1)).toEqual([expect.stringMatching(/: try 1 failed: .* Next: try 2 soon\.$/)]);
    expect(news(2)).toEqual([expect.stringMatching(/: try 1 failed: .* Next: try 2 at work\.$/)]);
  });
});

describe('why', () => {
  const why = {
    text: 'Service 12 (web) is DEPLOYING: deployService has run for 10 s, 6 of 10 VMs run. Booting 5 VMs of role web failed three times, last with: host-1 does not answer; the next try is in 2 s.',
    resource: { type: 'service', id: 12, name: 'web', state: 'DEPLOYING' },
    operation: operationId,
    operation_state: 'running',
    waiting_for: null,
    failures: [{ what: 'boot 5 VMs of role web', detail: 'host-1 does not answer', attempts: 3, next_retry_at: null }],
    actions: deployment().actions,
    asked_engine: true,
  };

  it('prints the paragraph, then what can be done as commands', async () => {
    api.on('GET /services/12/why', { body: why });
    expect((await looks('service why 12', 80)).out).toMatchInlineSnapshot(`
      "Service 12 (web) is DEPLOYING: deployService has run for 10 s, 6 of 10 VMs run.
      Booting 5 VMs of role web failed three times, last with: host-1 does not answer;
      the next try is in 2 s.

      What you can do:
        # Stop the operation at its next safe point.
        arcus operation cancel 01KAJ3V5Q0F8T4X2M7N9P6R1SC"
    `);
  });

  it('leaves the paragraph in one line where there is no terminal', async () => {
    api.on('GET /services/12/why', { body: why });
    expect((await looks('service why 12')).out.split('\n', 1)).toEqual([why.text]);
  });

  it.each(['service', 'vm', 'host'])('is asked of a %s by its id', async (noun) => {
    api.on(`GET /${noun}s/4/why`, { body: why });
    expect(await looks(`${noun} why 4`)).toMatchObject({ code: 0, err: '' });
  });

  it('prints all that the API said on demand', async () => {
    api.on(`GET ${operation}/why`, { body: why });
    expect(JSON.parse((await looks(`operation why ${operationId} -o json`)).out)).toEqual(why);
  });

  it('says on stderr when Temporal was not there to be asked', async () => {
    api.on('GET /services/12/why', { body: { ...why, asked_engine: false } });
    expect((await looks('service why 12')).err).toMatch(/Temporal did not answer/);
  });
});

describe('a list of operations', () => {
  const { steps: _s, progress: _p, eta: _e, actions: _a, asked_engine: _g, ...item } = deployment();
  const close = { ...item, id: '01KAJ3V5Q0F8ZZZZZZZZZZZZZZ', state: 'waiting_for_you' };
  const page = { body: { items: [close, item], next_cursor: null } };

  it('names each by as many characters as tell them apart', async () => {
    api.on('GET /services/12/operations?limit=50', page);
    expect((await looks('service operations 12')).out).toMatchInlineSnapshot(`
      "ID             TYPE           RESOURCE    NAME  BY        STATE                TIME
      01KAJ3V5Q0F8Z  deployService  service 12  web   oneadmin  waiting_for_you  0d 00h00
      01KAJ3V5Q0F8T  deployService  service 12  web   oneadmin  running          0d 00h00"
    `);
  });

  it('of one service is asked for by its name', async () => {
    const named = { id: 12, name: 'web', state: 'RUNNING', uid: 0, gid: 0, uname: 'a', gname: 'a', template_id: 0 };
    const times = { created_at: item.created_at, ended_at: null, operation: operationId, roles: [] };
    const rights = { use: true, manage: true, admin: false };
    const permissions = { owner: rights, group: rights, other: rights };
    const services = { body: { items: [{ ...named, ...times, permissions }], next_cursor: null } };
    api.on('GET /services', services);
    api.on('GET /operations?resource_type=service&resource_id=12&limit=50', page);
    expect((await looks('operation list --service web')).out).toContain('01KAJ3V5Q0F8T  deployService');
    api.on('GET /services/12', { body: { operation: operationId } });
    api.on(`GET ${operation}`, { body: deployment() });
    expect((await looks('operation show --service web')).out).toContain(`ID              : ${operationId}\n`);
  });
});

describe('an operation', () => {
  const { steps: _s, progress: _p, eta: _e, actions: _a, asked_engine: _g, ...item } = deployment();
  const found = (...ids: string[]) => ({ body: { items: ids.map((id) => ({ ...item, id })), next_cursor: null } });

  it('is named by the beginning of its id, in either case', async () => {
    api.on('GET /operations?id_prefix=01KAJ3V5Q0F8T&limit=11', found(operationId));
    api.on(`GET ${operation}`, { body: deployment() });
    expect((await looks('operation show 01kaj3v5q0f8t')).out).toContain(operationId);
  });

  it('is not guessed: several of the same beginning are shown, as wrong use', async () => {
    const other = operationId.replace('F8T4', 'ZZZZ');
    api.on('GET /operations?id_prefix=01KAJ3&limit=11', found(operationId, other));
    const { code, out, err } = await looks('operation cancel 01KAJ3');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatchInlineSnapshot(`
      "arcus: More than one operation begins with 01KAJ3.
        01KAJ3V5Q0F8T4X2M7N9P6R1SC  deployService of service 12 (web), running
        01KAJ3V5Q0ZZZZX2M7N9P6R1SC  deployService of service 12 (web), running
      Give more characters of it."
    `);
  });

  const wrong: [what: string, args: string, code: number, says: RegExp][] = [
    ['too little of its id', 'operation show 01K', 2, /"01K" is not the id of an operation\.\n.*4 characters/],
    ['characters that no id has', 'operation show 01KU', 2, /"01KU" is not the id of an operation/],
    ['nothing at all', 'operation show', 2, /Which operation\?\n.*--service/],
    ['two names at once', 'operation show 01KAJ3 --vm 3', 2, /one way, not several/],
    ['a beginning that none has', 'operation wait 01KZZZ', 3, /no operation whose id begins with 01KZZZ/],
    [
      'an answer that there is not',
      'operation answer 01KAJ3 maybe',
      2,
      /"maybe" is no answer\.\nAnswer retry, skip, give-up/,
    ],
    ['no answer', 'operation answer 01KAJ3', 2, /An answer is missing/],
  ];
  it.each(wrong)('is asked for when it is named by %s', async (_what, args, code, says) => {
    api.on('GET /operations?id_prefix=01KZZZ&limit=11', found());
    const result = await looks(args);
    expect({ code: result.code, out: result.out }).toEqual({ code, out: '' });
    expect(result.err).toMatch(says);
  });
});

describe('a refusal', () => {
  it.each([
    [problem(404, 'not_found', 'There is no service 12.'), 3, 'List what there is with: arcus service list'],
    [problem(409, 'wrong_state', 'Service 12 is DONE.'), 4, 'See more with: arcus service why 12'],
    [problem(403, 'not_authorized', 'No.'), 5, 'Ask its owner, or an administrator, for the right to do this.'],
    [problem(400, 'invalid_request', 'No.'), 2, 'Correct it and try again: nothing has been changed.'],
    [problem(500, 'internal', 'No.'), 1, 'Try again in a moment; the log of the API has the reason under r-1.'],
    [{ status: 502, body: '<html>' }, 1, 'Is it the address of an Arcus of the same version?'],
  ] as const)('%j says what to do next', async (reply, code, next) => {
    api.on('POST /services/12/recover', reply);
    const result = await looks('service recover 12');
    expect(result.code).toBe(code);
    expect(result.err.split('\n').at(-1)).toContain(next);
  });
});
