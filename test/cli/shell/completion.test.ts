import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkout } from '../../../adapters/process/checkout.js';
import { runArcus } from '../run-arcus.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { group, host, page, user } from '../stub-objects.js';

let api: StubApi;
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /hosts', page(host(0, 'host-1'), host(1, 'host-2'), host(7, 'rack (left)')));
  api.on('GET /users', page(user(0, 'oneadmin'), user(2, 'alice')));
  api.on('GET /groups', page(group(100, 'web-team')));
  api.on('GET /users?filter=name%3D%22alice%22', page(user(2, 'alice')));
  api.on('GET /tokens', page({ id: 1, name: 'mine' }));
  api.on('GET /users/2/tokens', page({ id: 2, name: 'ci' }));
  api.on('GET /acls', page({ id: 0, rule: '* VM/* USE *' }));
  api.on('GET /vms', page(host(3, 'twin'), host(4, 'twin'), host(5, 'other')));
});
afterEach(() => api.stop());

const arcus = (...args: string[]) => runArcus(args, api.environment);
const complete = async (...words: string[]) => {
  const { code, out, err } = await arcus('complete', 'bash', '--', ...words);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out.split('\n').filter((line) => line !== '');
};

describe('what may come next', () => {
  const cases: [words: string[], next: string[]][] = [
    [['serv'], ['service', 'service-template']],
    [
      ['host', 'd'],
      ['disable', 'delete'],
    ],
    [['ho', 'sho'], ['show']],
    [
      ['host', 'show', ''],
      ['host-1', 'host-2', 'rack (left)'],
    ],
    [
      ['host', 'show', 'host-'],
      ['host-1', 'host-2'],
    ],
    [['host', 'show', '7'], ['7']],
    [
      ['vm', 'show', ''],
      ['3', '4', 'other'],
    ],
    [['host', 'show', 'host-1', ''], []],
    [['host', 'list', '--st'], ['--state']],
    [['host', 'list', '--state', 'O'], ['OFFLINE']],
    [['host', 'list', '--state=O'], ['--state=OFFLINE']],
    [['host', 'wait', 'host-1', '--for', 'state=E'], ['state=ERROR']],
    [['-o', 'w'], ['wide']],
    [['-o', 'json', 'host', 'sh'], ['show']],
    [['operation', 'list', '--vm', 'o'], ['other']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['quota', 'show', 'g'], ['group']],
    [
      ['quota', 'set', 'user', ''],
      ['oneadmin', 'alice'],
    ],
    [['user', 'add-group', 'alice', 'w'], ['web-team']],
    [['host', 'chown', 'host-1', 'a'], ['alice']],
    [['token', 'revoke', ''], ['mine']],
    [['token', 'revoke', '--user', 'alice', ''], ['ci']],
    [['acl', 'delete', ''], ['0']],
    [['apply', '-f', ''], [':files']],
    [['nothing', 'of', 'this'], []],
  ];
  it.each(cases)('after %j', async (words, next) => {
    expect(await complete(...words)).toEqual(next);
  });

  it('is nothing, and no error, when the server refuses, is away or is silent', async () => {
    api.on('GET /hosts', problem(500, 'internal', 'no'), 'hang up', 'silence');
    for (const _failure of ['refuses', 'is away', 'is silent']) expect(await complete('host', 'show', '')).toEqual([]);
  });
});

describe('the scripts', () => {
  it('are printed for bash, zsh and fish, and for no other shell', async () => {
    expect((await arcus('completion', 'zsh')).out).toMatch(/^#compdef arcus\n[\s\S]*compdef _arcus arcus\n/);
    expect((await arcus('completion', 'fish')).out).toMatch(/complete -c arcus -f -a '\(__arcus_complete\)'\n$/);
    expect(await arcus('completion', 'tcsh')).toMatchObject({ code: 2, out: '' });
  });

  it('complete in bash itself, with what is no word quoted', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'arcus-bash-'));
    try {
      const program = join(directory, 'arcus');
      writeFileSync(
        program,
        `#!/bin/sh\nexec '${process.execPath}' '${join(checkout, 'dist', 'cli', 'main.js')}' "$@"\n`,
      );
      chmodSync(program, 0o755);
      const script = (await arcus('completion', 'bash')).out;
      /** What bash offers for a line with the cursor at its end. */
      const offered = (line: string) =>
        new Promise<string[]>((resolve) => {
          const ask = `${script}\nCOMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=() COMP_CWORD=0\n_arcus_completion\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
          const environment = { ...process.env, ...api.environment, PATH: `${directory}:${process.env.PATH}` };
          const bash = spawn('bash', ['--norc', '--noprofile', '-c', ask], { env: environment });
          let out = '';
          bash.stdout.on('data', (chunk: Buffer) => {
            out += chunk;
          });
          bash.on('close', () => resolve(out.split('\n').filter((text) => text !== '')));
        });
      expect(await offered('arcus service-t')).toEqual(['service-template']);
      expect(await offered('arcus host show ho')).toEqual(['host-1', 'host-2']);
      expect(await offered('arcus host show ra')).toEqual(['rack\\ \\(left\\)']);
      expect(await offered('arcus host wait 0 --for state=MO')).toEqual(['MONITORED']);
      expect(await offered('arcus host list --state=OF')).toEqual(['OFFLINE']);
      expect(await offered('arcus host show $(touch x)')).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
