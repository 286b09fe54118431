import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OperationDetail } from '../../../schemas/operations/operation-resource.js';
import { Why } from '../../../schemas/operations/why.js';
import { eventually } from '../../support/processes.js';
import { launchOnTerminal } from '../launch-program.js';
import { type Shop, startShop } from '../shop.js';

// What a user does when something hangs or fails, on real processes: the simulator is broken as a host would be.

/** Milliseconds that a machine with much else to do may take to begin. */

let running: Shop;
const arcus = (...args: string[]) => running.arcus(args);
const printed = (...args: string[]) => running.printed(...args);

beforeAll(async () => {
  running = await startShop();
  const role = { name: 'web', cardinality: 3, vm_template: 0, failure_policy: { finally: 'wait' } };
  const careful = { name: 'careful', roles: [role] };
  await printed('service-template', 'create', '-f', running.file('careful.json', JSON.stringify(careful)));
});
afterAll(() => running.stop());
afterEach(() => heal());

const faults = (body: object) => running.simulator.send('PUT', '/hosts/host-1/faults', body);
const heal = () => faults({});
/** Deploys fail in a way worth another try. */
const full = () => faults({ deploy_error: { detail: 'No space left on device' } });
/** The next deploys are refused for good. */
const refuse = (times: number) => faults({ deploy_error: { retryable: false, times, detail: 'No such machine type' } });

const whyOf = async (noun: string, name: string) =>
  Why.parse(JSON.parse((await arcus(noun, 'why', name, '-o', 'json')).out));
/** Runs a command that Arcus offered, as it is, with more behind it. */
const asOffered = (command: string, ...more: string[]) => {
  const [program, ...args] = command.split(' ');
  expect(program).toBe('arcus');
  return arcus(...args, ...more);
};
const offered = (actions: OperationDetail['actions'], name: string): string => {
  const action = actions.find((candidate) => candidate.name === name);
  if (!action) throw new Error(`${name} is not among ${actions.map((candidate) => candidate.name).join(', ')}`);
  return action.command;
};

describe('a deployment whose host fails', () => {
  it('says why it takes so long, can be stopped, and goes on when it is tried again', async () => {
    await full();
    const waiting = running.begin(['service', 'create', 'shop', '--name', 'slow', '--wait']);
    const why = await eventually(async () => {
      const seen = await arcus('service', 'why', 'slow');
      return seen.code === 0 && /No space left on device/.test(seen.out) ? seen : undefined;
    });
    expect(why.out).toMatch(/\n {2}arcus operation cancel 01[0-9A-Z]{24} +# /);
    const { text, failures, actions } = await whyOf('service', 'slow');
    expect(why.out.split('\n', 1)[0]?.length).toBeGreaterThan(40);
    expect(text).toMatch(/Service \d+ \(slow\)/);
    expect(failures[0]?.detail).toContain('No space left on device');

    const shown = await eventually(async () => {
      const { out } = await arcus('operation', 'show', '--service', 'slow');
      return / {2}\d+ {2}running {2}boot .*\n.*No space left on device.*\n +try \d+ (in \d+ s|at work)\n/.test(out)
        ? out
        : undefined;
    });
    expect(shown).toMatch(/^all {2,}0\/3$/m);
    // Whoever waits looks now and then: on a slow machine it may begin to when the second try is over.
    await eventually(() => /try ([2-9]|\d\d) failed: .*No space left on device/.test(waiting.err()));

    const cancelled = await asOffered(offered(actions, 'cancel'), '--wait');
    expect(cancelled, cancelled.err).toMatchObject({ code: 0, out: expect.stringMatching(/\(slow\) cancelled\.\n$/) });
    expect(await waiting.ended).toMatchObject({
      code: 1,
      err: expect.stringMatching(/\(slow\) was cancelled\.\nSee more/),
    });
    expect((await whyOf('service', 'slow')).resource.state).toBe('FAILED_DEPLOYING');

    await heal();
    const again = await arcus('operation', 'retry', '--service', 'slow', '--wait');
    expect(again, again.err).toMatchObject({ code: 0, out: expect.stringMatching(/deployService .* succeeded\.\n$/) });
    expect(await printed('service', 'show', 'slow')).toContain('SERVICE STATE   : RUNNING');
    expect(await printed('service', 'operations', 'slow')).toMatch(/succeeded.*\n.*cancelled/);
    expect((await arcus('service', 'undeploy', 'slow', '--hard', '--wait')).code).toBe(0);
  });
});

describe('a role that asks a person', () => {
  it('ends the wait with 7 and its question; each answer is a command to be copied', async () => {
    await refuse(100);
    const asked = await arcus('service', 'create', 'careful', '--name', 'first', '--wait');
    expect(asked, asked.err).toMatchObject({ code: 7, out: '' });
    expect(asked.err).toMatch(/waits for you\. .*No such machine type.*\nAnswer with one of:\n/s);
    const commands = [...asked.err.matchAll(/^ {2}(arcus operation answer \S+ \S+)/gm)].map(
      ([, command]) => command ?? '',
    );
    expect(commands.map((command) => command.split(' ').at(-1))).toEqual(['retry', 'skip', 'give_up']);
    expect(await printed('operation', 'list', '--state', 'waiting_for_you')).toContain('first');

    const stillRefused = await asOffered(commands[0] ?? '', '--wait');
    expect(stillRefused, stillRefused.err).toMatchObject({ code: 7, out: '' });
    await heal();
    const retried = await asOffered(commands[0] ?? '', '--wait');
    expect(retried, retried.err).toMatchObject({ code: 0, out: expect.stringMatching(/\(first\) succeeded\.\n$/) });
    expect((await arcus('service', 'undeploy', 'first', '--hard', '--wait')).code).toBe(0);
  });

  it('goes on without the VMs that failed, or gives up, as it is answered', async () => {
    for (const [name, answer, end] of [
      ['skipped', 'skip', 'succeeded'],
      ['given', 'give-up', 'failed, as you asked'],
    ] as const) {
      await refuse(1);
      const asked = await arcus('service', 'create', 'careful', '--name', name, '--wait');
      expect(asked.code, asked.err).toBe(7);
      const answered = await arcus('operation', 'answer', '--service', name, answer, '--wait');
      expect(answered, answered.err).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`${end}\\.\n$`)) });
      const again = await arcus('operation', 'answer', '--service', name, answer);
      expect(again).toMatchObject({ code: 4, out: '' });
      expect((await arcus('service', 'delete', name, '--wait')).code).toBe(0);
    }
  });
});

describe('a VM that fits nowhere', () => {
  it('is what its service waits for, until that is undeployed', async () => {
    const roles = [{ name: 'many', cardinality: 20, vm_template: 0 }];
    const big = running.file('big.json', JSON.stringify({ name: 'big', roles }));
    await printed('service-template', 'create', '-f', big);
    const waiting = running.begin(['service', 'create', 'big', '--wait']);
    await eventually(() => /^Waiting: capacity for \d+ VMs of role many\.$/m.test(waiting.err()));
    expect((await whyOf('service', 'big')).text).toMatch(/needs 0\.5 CPU/);
    expect((await arcus('service', 'undeploy', 'big', '--hard', '--wait')).code).toBe(0);
    expect((await waiting.ended).code).toBe(1);
  });

  it('says what it needs, and is given up by a cancel', async () => {
    expect((await arcus('vm', 'create', 'small', '--name', 'huge', '--cpu', '64')).code).toBe(0);
    const why = await eventually(async () => {
      const seen = await whyOf('vm', 'huge');
      return /needs 64 CPU/.test(seen.waiting_for ?? '') ? seen : undefined;
    });
    expect(why.text).toMatch(/needs 64 CPU/);
    const cancelled = await arcus('operation', 'cancel', '--vm', 'huge', '--wait');
    expect(cancelled, cancelled.err).toMatchObject({ code: 0, out: expect.stringMatching(/\(huge\) cancelled\.\n$/) });
    expect(await printed('vm', 'operations', 'huge')).toMatch(/deployVm .* cancelled/);
    expect((await arcus('vm', 'terminate', 'huge', '--hard', '--wait')).code).toBe(0);
  });
});

describe('what is asked of a host', () => {
  it('is answered for one that is well and for one that is disabled', async () => {
    expect((await whyOf('host', 'host-1')).resource.state).toBe('MONITORED');
    await printed('host', 'disable', 'host-1');
    const { text, actions } = await whyOf('host', 'host-1');
    expect(text).toMatch(/is disabled/);
    expect((await asOffered(offered(actions, 'enable'))).code).toBe(0);
  });
});

describe('an operation that ended', () => {
  it('shows its steps, and can be named by the beginning of its id', async () => {
    const [last] = OperationDetail.array().parse(
      await Promise.all(
        JSON.parse((await arcus('service', 'operations', 'shop', '-o', 'json')).out).map(
          async ({ id }: { id: string }) => JSON.parse((await arcus('operation', 'show', id, '-o', 'json')).out),
        ),
      ),
    );
    if (!last) throw new Error('shop was deployed');
    const shown = await arcus('operation', 'show', last.id.slice(0, 16).toLowerCase());
    expect(shown.out).toMatch(/^STARTED +TOOK +TRIES +STATE +STEP$/m);
    expect(shown.out).toMatch(/ 1 {2}done +boot \d VMs? of role web$/m);
    const ambiguous = await arcus('operation', 'show', last.id.slice(0, 4));
    expect(ambiguous).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/More than one operation begins with/),
    });
  });

  it('cannot be cancelled any more, which is said with what can be done', async () => {
    const { code, err } = await arcus('operation', 'cancel', '--service', 'shop');
    expect(code).toBe(4);
    expect(err).toMatch(/\nSee more with: arcus operation why 01[0-9A-Z]{24}\n$/);
  });
});

describe.skipIf(process.platform !== 'linux')('on a terminal, which util-linux makes', () => {
  it('shows progress and what is left, is left by Ctrl-C, and is come back to', async () => {
    await running.simulator.send('PUT', '/settings', { boot_ms: 3000 });
    const roles = [
      { name: 'db', vm_template: 0 },
      { name: 'web', cardinality: 2, parents: ['db'], vm_template: 0 },
    ];
    const paced = running.file('paced.json', JSON.stringify({ name: 'paced', deployment: 'straight', roles }));
    await printed('service-template', 'create', '-f', paced);
    // How long it takes is known from an earlier time.
    expect((await arcus('service', 'create', 'paced', '--name', 'before', '--wait')).code).toBe(0);
    expect((await arcus('service', 'delete', 'before', '--wait')).code).toBe(0);
    await running.simulator.holdBoots();
    const environment = { ARCUS_HOME: running.home };
    const create = ['service', 'create', 'paced', '--name', 'watched', '--wait'];
    const watching = launchOnTerminal(create, { columns: 100, environment });
    await eventually(() => /\(watched\): [01] of 3 VMs run · about \d+ s left/.test(watching.out()));
    watching.process.stdin?.write('\u0003');
    const { code, out } = await watching.ended;
    expect(code).toBe(130);
    const [, id = ''] = /Come back with: arcus operation wait (\w+)/.exec(out) ?? [];
    await running.simulator.endBoots();
    const back = await arcus('operation', 'wait', id);
    expect(back, back.err).toMatchObject({ code: 0, out: expect.stringMatching(/\(watched\) succeeded\.\n$/) });
    expect((await arcus('service', 'delete', 'watched', '--wait')).code).toBe(0);
  });
});
