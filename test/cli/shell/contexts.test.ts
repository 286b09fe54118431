import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/processes.js';
import { launchOnTerminal, launchProgram } from '../launch-program.js';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';

// Contexts as people use them, with a directory of configuration of their own.

let api: StubApi;
let config: string;
let file: string;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /hosts?limit=1000', { body: { items: [], next_cursor: null } });
  config = mkdtempSync(join(tmpdir(), 'arcus-context-'));
  file = join(config, 'arcus', 'config.yaml');
});
afterEach(async () => {
  rmSync(config, { recursive: true, force: true });
  await api.stop();
});

/** No home of an Arcus in the environment: it would go before the file. */
const arcus = (
  args: string[],
  { input = '', environment }: { input?: string; environment?: Record<string, string> } = {},
) => {
  const own = { XDG_CONFIG_HOME: config, HOME: config, ARCUS_HOME: '', ...environment };
  // Only a process has a home directory of its own, which goes for one where no ARCUS_HOME is, and something piped to it.
  return environment === undefined
    ? runArcus(args, own, input)
    : launchProgram('arcus/main.js', args, { input, environment: own }).ended;
};
const create = (name: string, input: string, ...more: string[]) =>
  arcus(['context', 'create', name, '--endpoint', api.endpoint, ...more], { input });
const sentBy = async (...args: string[]) => {
  const { code, err } = await arcus(args);
  expect(code, err).toBe(0);
  return api.asked.at(-1)?.authorization;
};
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('a context', () => {
  it('is made from what standard input says, in a file that its owner alone may read', async () => {
    const words = ['context', 'create', 'prod', '--endpoint', api.endpoint];
    const made = await arcus(words, { input: 'ann:sec:ret\n', environment: {} });
    expect(made).toMatchObject({ code: 0, err: '', out: `context prod is in ${file}, and is the current one.\n` });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(config, 'arcus')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(config, 'arcus'))).toEqual(['config.yaml']);
    expect(await sentBy('host', 'list')).toBe(basic('ann:sec:ret'));
  });

  it('can hold a token, which is sent as one', async () => {
    await create('ci', 'arcus_1a2b3c\n');
    expect(await sentBy('host', 'list')).toBe('Bearer arcus_1a2b3c');
  });

  it.each(['table', 'json', 'name'])('is shown, listed and told of without its secret by -o %s', async (output) => {
    await create('prod', 'top-secret\n', '--user', 'ann');
    await create('ci', 'arcus_topsecret\n');
    for (const words of [['list'], ['show', 'prod'], ['show', 'ci'], ['current'], ['use', 'ci'], ['delete', 'ci']]) {
      const { code, out, err } = await arcus(['context', ...words, '-o', output]);
      expect(code, err).toBe(0);
      expect(out + err).not.toMatch(/secret/);
    }
    expect(readFileSync(file, 'utf8')).toContain('top-secret');
  });

  it('is chosen by use, and for one command by --context', async () => {
    await create('prod', 'ann:1\n');
    await create('test', 'bob:2\n');
    expect(await sentBy('host', 'list')).toBe(basic('ann:1'));
    expect(await sentBy('host', 'list', '--context', 'test')).toBe(basic('bob:2'));
    expect((await arcus(['context', 'use', 'test'])).code).toBe(0);
    expect(await sentBy('host', 'list')).toBe(basic('bob:2'));
    expect((await arcus(['context', 'list'])).out.replaceAll(api.endpoint, '<endpoint>')).toMatchInlineSnapshot(`
      "CURRENT  NAME  ENDPOINT                USER  CREDENTIALS
               prod  <endpoint>  ann   password
      *        test  <endpoint>  bob   password
      "
    `);
  });

  it('is no longer the current one when it has been deleted', async () => {
    await create('prod', 'ann:1\n');
    expect((await arcus(['context', 'delete', 'prod'])).code).toBe(0);
    const { code, err } = await arcus(['context', 'show']);
    expect({ code, err }).toEqual({
      code: 3,
      err: 'arcus: No context is the current one.\nChoose one with: arcus context use\n',
    });
  });

  const refusals: [what: string, args: string[], input: string, code: number, says: RegExp][] = [
    ['a name that is taken', ['create', 'prod', '--endpoint', 'http://x'], 'a:b', 4, /already\.\nChoose another name/],
    ['no address', ['create', 'other'], 'a:b', 2, /--endpoint: is needed/],
    ['an address that is none', ['create', 'other', '--endpoint', 'x'], 'a:b', 2, /is not an address of a server/],
    ['a name that cannot be typed', ['create', 'a b', '--endpoint', 'http://x'], 'a:b', 2, /must be letters, digits/],
    [
      'no secret',
      ['create', 'other', '--endpoint', 'http://x'],
      '',
      2,
      /neither a token \(arcus_…\) nor name:password/,
    ],
    ['an unknown context', ['use', 'prdo'], '', 3, /no context called "prdo"\.\nDid you mean prod\?/],
  ];
  it.each(refusals)('is refused with %s, and nothing is written', async (_what, args, input, code, says) => {
    await create('prod', 'ann:1\n');
    const before = readFileSync(file, 'utf8');
    const result = await arcus(['context', ...args], { input });
    expect(result.code, result.err).toBe(code);
    expect(result.err).toMatch(says);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });
});

describe('the file of contexts', () => {
  it.each([0o644, 0o640, 0o620])('is refused when others may use it: %o', async (mode) => {
    await create('prod', 'ann:1\n');
    chmodSync(file, mode);
    const { code, out, err } = await arcus(['host', 'list']);
    expect({ code, out }).toEqual({ code: 5, out: '' });
    expect(err).toBe(
      `arcus: ${file} holds credentials, and others on this machine may use it: its mode is ${mode.toString(8)}, not 600.\nClose it with: chmod 600 ${file}\n`,
    );
    expect(api.asked).toEqual([]);
  });

  it.each([
    ['no YAML', 'contexts: {prod: [secret'],
    ['of another form', 'contexts: {prod: {endpoint: http://x, password: secret}}'],
  ])('is refused when it is %s, without repeating what is in it', async (_what, text) => {
    mkdirSync(join(config, 'arcus'));
    writeFileSync(file, text, { mode: 0o600 });
    const { code, err } = await arcus(['host', 'list']);
    expect(code).toBe(2);
    expect(err).toContain(file);
    expect(err).not.toContain('secret');
  });
});

describe('where the server and the credentials come from', () => {
  const told = async (args: string[], environment: Record<string, string> = {}) => {
    const { out, err } = await arcus(['context', 'current', ...args, '-o', 'json'], { environment });
    const { context, endpoint, credentials } = JSON.parse(out || `{"err":${JSON.stringify(err)}}`);
    return [context?.value ?? null, endpoint.value, credentials.user ?? credentials.credentials, credentials.from];
  };
  const away = 'http://other.test';

  it('is told for each: option, environment, file, this machine, in this order', async () => {
    mkdirSync(join(config, '.arcus'));
    writeFileSync(join(config, '.arcus', 'auth'), 'local:x\n');
    const local = `the file ${join(config, '.arcus', 'auth')}`;
    expect(await told([])).toEqual([null, 'http://127.0.0.1:9869', 'local', local]);

    await create('prod', 'ann:1\n');
    await create('ci', 'arcus_1\n');
    const prod = `context prod in ${file}`;
    const environment = 'ARCUS_AUTH of the environment';
    expect(await told([])).toEqual(['prod', api.endpoint, 'ann', prod]);
    expect(await told(['--context', 'ci'])).toEqual(['ci', api.endpoint, 'token', `context ci in ${file}`]);
    expect(await told([], { ARCUS_AUTH: 'eve:2' })).toEqual(['prod', api.endpoint, 'eve', environment]);
    expect(await told(['--context', 'prod'], { ARCUS_AUTH: 'eve:2', ARCUS_ENDPOINT: away })).toEqual([
      'prod',
      api.endpoint,
      'ann',
      prod,
    ]);
    expect(await told(['--context', 'prod', '--endpoint', away])).toEqual(['prod', away, 'ann', prod]);
    const home = join(config, '.arcus');
    expect(await told([], { ARCUS_HOME: home })).toEqual([null, 'http://127.0.0.1:9869', 'local', local]);
  });

  it('is, beside a home that is named, who has signed in there, wherever its Arcus is by now', async () => {
    const home = join(config, 'home');
    mkdirSync(home);
    const port = new URL(api.endpoint).port;
    writeFileSync(join(home, 'ports.json'), JSON.stringify({ api: Number(port) }));
    writeFileSync(join(home, 'auth'), 'oneadmin:of-the-home\n');
    const own = { XDG_CONFIG_HOME: config, ARCUS_HOME: home };
    const asked = async (environment: Record<string, string>) => {
      const { code, err } = await runArcus(['host', 'list'], environment);
      expect(code, err).toBe(0);
      return api.asked.at(-1)?.authorization;
    };
    api.on('POST /tokens', {
      body: {
        ...{ id: 5, name: 'a', prefix: 'Qnbdm7oo', uid: 2, expires_at: null, expired: false, last_used_at: null },
        ...{ created_at: '2026-11-26T13:36:54.578Z', token: 'arcus_Qnbdm7oo_of-alice' },
      },
    });
    expect(await asked(own)).toBe(basic('oneadmin:of-the-home'));
    const signedIn = await runArcus(['login', 'alice', '--user', 'alice'], own, 'correct-horse\n');
    expect(signedIn).toMatchObject({ code: 0, err: '' });
    expect(await asked(own)).toBe('Bearer arcus_Qnbdm7oo_of-alice');
    const current = await runArcus(['context', 'current'], own);
    expect(current.out).toMatch(
      /^CONTEXT +: alice .*\nENDPOINT +: .* \(from ARCUS_HOME of the environment .*\nCREDENTIALS +: alice/,
    );
    // Neither another home, nor a server of another address, is told of it; nor does a broken file keep anybody out.
    const elsewhere = join(config, 'other');
    mkdirSync(elsewhere);
    for (const name of ['ports.json', 'auth']) copyFileSync(join(home, name), join(elsewhere, name));
    expect(await asked({ ...own, ARCUS_HOME: elsewhere })).toBe(basic('oneadmin:of-the-home'));
    expect(await asked({ ...own, ARCUS_ENDPOINT: api.endpoint.replace('127.0.0.1', 'localhost') })).toBe(
      basic('oneadmin:of-the-home'),
    );
    expect(await asked({ ...own, ARCUS_AUTH: 'ann:1' })).toBe(basic('ann:1'));
    writeFileSync(file, 'contexts: [', { mode: 0o600 });
    expect(await asked(own)).toBe(basic('oneadmin:of-the-home'));
  });

  it('keeps the credentials of a context from a server that it does not name', async () => {
    await create('prod', 'ann:1\n');
    mkdirSync(join(config, '.arcus'));
    writeFileSync(join(config, '.arcus', 'auth'), 'local:x\n');
    expect((await told(['--endpoint', away])).slice(0, 3)).toEqual([null, away, 'local']);
    expect((await told([], { ARCUS_ENDPOINT: away })).slice(0, 3)).toEqual([null, away, 'local']);
    expect((await told([], { ARCUS_ENDPOINT: `${api.endpoint}/` })).slice(2)).toEqual([
      'ann',
      `context prod in ${file}`,
    ]);
  });
});

describe.skipIf(process.platform !== 'linux')('on a terminal, which util-linux makes', () => {
  it('the secret is asked for, and is not shown as it is typed', async () => {
    const asked = launchOnTerminal(['context', 'create', 'prod', '--endpoint', api.endpoint, '--user', 'ann'], {
      columns: 80,
      environment: { XDG_CONFIG_HOME: config },
    });
    await eventually(() => asked.out().includes('Password of ann: '));
    asked.process.stdin?.write('wrogn\u0015sec\u007Fcret\r');
    const { code, out } = await asked.ended;
    expect(code, out).toBe(0);
    expect(out).not.toMatch(/wrogn|cret/);
    expect(await sentBy('host', 'list')).toBe(basic('ann:secret'));
  });
});
