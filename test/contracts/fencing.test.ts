import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { problemOf } from '../../domain/problems.js';
import { FencingMethod } from '../../schemas/hosts/fencing.js';
import { fencingContract, fencedHost as host, openFencing, storedMethod } from './fencing-contract.js';

const directory = mkdtempSync(join(tmpdir(), 'arcus-fencing-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A program that does this, for a shell; what it writes besides is in the file `said`. */
function program(name: string, does: string, mode = 0o755): string {
  writeFileSync(join(directory, name), `#!/bin/sh\n${does}\n`);
  chmodSync(join(directory, name), mode);
  return name;
}
const off = (name: string, over: object = {}, signal = new AbortController().signal) =>
  openFencing(directory).off(host, storedMethod({ kind: 'command', program: name, ...over }), signal);
const failure = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => {
      const problem = problemOf(error);
      return problem ? `${problem.code}: ${problem.message}` : String(error);
    },
  );
const said = (): string => readFileSync(join(directory, 'said'), 'utf8');
const note = join(directory, 'said');

describe('a program that turns hosts off', () => {
  it('is given its arguments, what it is to do and the host as they are, and nothing of the environment but PATH', async () => {
    process.env.ARCUS_OF_THIS_TEST = 'secret';
    program('tells', `for one in "$@"; do printf '<%s>' "$one"; done > ${note}; env | cut -d= -f1 | sort >> ${note}`);
    await off('tells', { arguments: ['-H', '10.0.9.1; reboot', '$(id)'] });
    delete process.env.ARCUS_OF_THIS_TEST;
    const [given, ...names] = said().trim().split('\n');
    const [first = '', ...more] = (given ?? '').split('>').slice(0, -1);
    expect([first, ...more].map((one) => one.slice(1))).toEqual([
      ...['-H', '10.0.9.1; reboot', '$(id)', 'off', host.name].slice(0),
    ]);
    const own = names.concat(given?.slice(given.lastIndexOf('>') + 1) ?? '').filter((name) => name !== '');
    expect(own.filter((name) => !/^(ARCUS_HOST_ID|PATH|PWD|OLDPWD|SHLVL|_)$/.test(name))).toEqual([]);
  });

  it.each([
    ['fails', 'echo no route to 10.0.9.1 >&2; exit 3', 'not_fenced: fails ended with 3: no route to 10.0.9.1'],
    ['dies', 'kill -9 $$', 'not_fenced: dies was ended by SIGKILL'],
  ])('that %s has not turned it off, and says why', async (name, does, why) => {
    program(name, does);
    expect(await failure(off(name))).toBe(why);
  });

  it('that does not end in its time is ended with all that it has started', async () => {
    program('hangs', `sleep 600 & echo $! > ${note}; wait`);
    expect(await failure(off('hangs', { timeout: 1 }))).toBe('not_fenced: hangs did not end within 1 s');
    await expect.poll(() => existsSync(`/proc/${said().trim()}`)).toBe(false);
  });

  it('is ended when nobody waits for it any more', async () => {
    program('waits', `echo $$ > ${note}.pid; sleep 600`);
    const stop = new AbortController();
    const asked = failure(off('waits', {}, stop.signal));
    await expect.poll(() => existsSync(`${note}.pid`) && readFileSync(`${note}.pid`, 'utf8') !== '').toBe(true);
    stop.abort();
    expect(await asked).toBe('not_fenced: waits was stopped');
  });

  it('that is not there, may not be run, or is sought where nobody has put any, has turned nothing off', async () => {
    program('closed', 'exit 0', 0o644);
    expect(await failure(off('nowhere'))).toContain('not_fenced: nowhere could not be started (');
    expect(await failure(off('closed'))).toContain('not_fenced: closed could not be started (');
    const method = storedMethod({ kind: 'command', program: 'tells' });
    await expect(openFencing().off(host, method, new AbortController().signal)).rejects.toMatchObject({
      code: 'not_fenced',
    });
  });

  it('says of its status no more than on or off', async () => {
    program('vague', 'echo it is probably on');
    const method = storedMethod({ kind: 'command', program: 'vague' });
    const asked = openFencing(directory).status(host, method, new AbortController().signal);
    expect(await failure(asked)).toBe(
      'not_fenced: vague said neither on nor off when it was asked for the status: it is probably on',
    );
  });

  describe('as every method', () => {
    const state = join(directory, 'state');
    fencingContract(() => {
      program('switch', `case "$1" in status) cat ${state} ;; *) echo "$1" > ${state} ;; esac`);
      program('fails', 'exit 3');
      program('hangs', 'sleep 600');
      return {
        fencing: openFencing(directory),
        method: storedMethod({ kind: 'command', program: 'switch' }),
        power: async () => (readFileSync(state, 'utf8').trim() === 'on' ? 'on' : 'off'),
        put: async (power) => writeFileSync(state, `${power}\n`),
        failing: {
          'it fails': [{ kind: 'command', program: 'fails' }, /^fails ended with 3$/],
          'it hangs': [{ kind: 'command', program: 'hangs', timeout: 1 }, /^hangs did not end within 1 s$/],
        },
      };
    }, ['it fails', 'it hangs']);
  });

  it.each(['../tells', '/bin/sh', 'a/b', '.hidden', '-rf', '', 'a b', 'x'.repeat(65)])(
    'is named, and named plainly: %j is no name',
    (name) => expect(FencingMethod.safeParse({ kind: 'command', program: name }).success).toBe(false),
  );
});
