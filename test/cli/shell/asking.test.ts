import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/processes.js';
import { launchOnTerminal } from '../launch-program.js';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { host, page } from '../stub-objects.js';

// What takes something away, and the names by which it is named, with and without a terminal.

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /hosts', page(host(0, 'host-1'), host(1, 'host-2'), host(2, 'rack'), host(3, 'rack-2')));
  for (const id of [0, 1, 2, 3]) {
    api.on(`GET /hosts/${id}`, { body: host(id, `host-${id + 1}`) });
    api.on(`DELETE /hosts/${id}`, { body: undefined });
  }
});
afterEach(() => api.stop());

const arcus = (...args: string[]) => runArcus(args, api.environment);
const deleted = () => api.asked.filter(({ method }) => method === 'DELETE').map(({ path }) => path);

describe('without a terminal, what takes something away', () => {
  it('is done as it is said', async () => {
    expect(await arcus('host', 'delete', 'host-2')).toEqual({ code: 0, out: 'host 1 removed.\n', err: '' });
    expect(deleted()).toEqual(['/hosts/1']);
  });

  it('is refused by --no-input, and done all the same with --yes', async () => {
    const { code, err } = await arcus('host', 'delete', 'host-2', '--no-input');
    expect(code).toBe(2);
    expect(err).toMatch(/--no-input forbids to ask .*\nAdd --yes if it is\. Nothing has been changed\.\n$/);
    expect(deleted()).toEqual([]);
    expect((await arcus('host', 'delete', 'host-2', '--no-input', '--yes')).code).toBe(0);
    expect(deleted()).toEqual(['/hosts/1']);
  });

  it('is named whole', async () => {
    const { code, err } = await arcus('host', 'delete', 'rac', '--yes');
    expect({ code, deleted: deleted() }).toEqual({ code: 3, deleted: [] });
    expect(err).toMatch(/There is no host called "rac"\.\nDid you mean rack\? List what there is/);
    expect((await arcus('host', 'delete', 'rack-')).err).toContain('Did you mean rack-2?');
  });
});

describe('a name', () => {
  it('may be its beginning, for what takes nothing away', async () => {
    expect((await arcus('host', 'show', 'rack-')).out).toContain('HOST 3 INFORMATION');
  });

  it('that is whole is not the beginning of another', async () => {
    expect((await arcus('host', 'show', 'rack')).out).toContain('HOST 2 INFORMATION');
  });

  it('that several begin with is answered by them', async () => {
    const { code, out, err } = await arcus('host', 'show', 'host');
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toMatchInlineSnapshot(`
      "arcus: More than one host begins with "host".
        0  host-1
        1  host-2
      Write more of the name, or give its id.
      "
    `);
  });

  it('is never an id, which may be written with a number sign', async () => {
    await arcus('host', 'delete', '1', '--yes');
    await arcus('host', 'delete', '#3', '--yes');
    expect(deleted()).toEqual(['/hosts/1', '/hosts/3']);
  });

  it('that is mistyped is answered by what was meant', async () => {
    expect((await arcus('host', 'show', 'hots-1')).err).toContain('Did you mean host-1?');
  });
});

describe('commands', () => {
  const understood: [words: string, says: RegExp][] = [
    ['ho li', /host-1/],
    ['-o json host li', /"name": "host-1"/],
    ['--output name ho l', /^host-1$/m],
    ['ho s 0', /HOST 0 INFORMATION/],
  ];
  it.each(understood)('may be cut short: %s', async (words, says) => {
    const { code, out, err } = await arcus(...words.split(' '));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(says);
  });

  const refused: [words: string, says: RegExp][] = [
    ['ser', /^Usage: arcus service /],
    ['service-t', /^Usage: arcus service-template /],
    ['vm upd 0', /"upd" can mean more than one command\.\n {2}arcus vm update\n {2}arcus vm updateconf\n/],
    ['vm update 0', /missing required argument 'attributes'/],
    ['service-template ins', /missing required argument 'service-template'/],
    [
      'host d 0',
      /"d" can mean more than one command\.\n {2}arcus host disable\n {2}arcus host delete\nWrite more of it/,
    ],
    ['hsot list', /^arcus: unknown command 'hsot'\n\(Did you mean host\?\)/],
    ['host lsit', /Did you mean list\?/],
    ['host list --lmit 3', /Did you mean --limit\?/],
  ];
  it.each(refused)('that are not clear change nothing: %s', async (words, says) => {
    const { code, out, err } = await arcus(...words.split(' '));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(says);
    expect(api.asked).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux')('on a terminal, which util-linux makes', () => {
  const onTerminal = (...args: string[]) => launchOnTerminal(args, { columns: 80, environment: api.environment });
  const question = 'Remove host 1 (host-2)? [y/N] ';
  const answers: [keys: string, code: number, ends: RegExp, gone: string[]][] = [
    ['y\r', 0, /host 1 removed\.\r\n$/, ['/hosts/1']],
    ['Yes\r', 0, /host 1 removed\.\r\n$/, ['/hosts/1']],
    ['\r', 1, /Nothing has been changed: the answer was not yes\.\r\n/, []],
    ['n\r', 1, /Nothing has been changed: the answer was not yes\.\r\n/, []],
    ['y\u0003', 130, /\[y\/N\] y\r\n$/, []],
  ];
  it.each(answers)('is asked for, and %j is an answer', async (keys, code, ends, gone) => {
    const asked = onTerminal('host', 'delete', 'host-2');
    await eventually(() => asked.out().endsWith(question));
    asked.process.stdin?.write(keys);
    const result = await asked.ended;
    expect(result.code, result.out).toBe(code);
    expect(result.out).toMatch(ends);
    expect(deleted()).toEqual(gone);
  });

  it('is not asked for with --yes', async () => {
    const { code, out } = await onTerminal('host', 'delete', 'host-2', '-y').ended;
    expect({ code, out }).toEqual({ code: 0, out: 'host 1 removed.\r\n' });
  });

  it('is refused by --no-input there, too', async () => {
    expect((await onTerminal('host', 'delete', 'host-2', '--no-input').ended).code).toBe(2);
    expect(deleted()).toEqual([]);
  });
});
