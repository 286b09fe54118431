import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, type Method, type World } from '../../api/world.js';
import { idleEngine } from '../../support/idle-engine.js';
import { runArcus } from '../run-arcus.js';

// The real API, on which somebody changes what `arcus` has read, before what it writes arrives.

let world: World;
let server: Server;
let directory: string;

/** What somebody does before the next request like this one arrives, so many times. */
type Meanwhile = { before?: RegExp; times?: number; change: () => Promise<unknown> };
let meanwhile: Meanwhile | null = null;

async function arrives(request: string): Promise<void> {
  const { before = /^(PUT|PATCH|DELETE) /, times = 1, change } = meanwhile ?? { change: null };
  if (change === null || !before.test(request)) return;
  meanwhile = times > 1 ? { before, times: times - 1, change } : null;
  await change();
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'arcus-meanwhile-'));
  world = await createWorld({ withTemporal: false, engine: idleEngine });
  server = createServer((request, response) => {
    if (String(request.headers['accept-encoding'] ?? 'gzip').includes('gzip')) weakenTags(response);
    void arrives(`${request.method} ${request.url}`).then(() => world.app(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await world.stop();
  rmSync(directory, { recursive: true, force: true });
});
afterEach(() => {
  expect(meanwhile, 'somebody was to change something, and nothing arrived').toBeNull();
});

/** As a proxy does that compresses what it hands on. */
function weakenTags(response: ServerResponse): void {
  const { setHeader } = response;
  response.setHeader = (name, value) =>
    setHeader.call(response, name, name.toLowerCase() === 'etag' ? `W/${String(value)}` : value);
}

const somebody = async (method: Method, path: string, body?: object) => {
  const response = await world.ask('oneadmin', method, path, body);
  expect(response.status, `${method} ${path}: ${JSON.stringify(response.body)}`).toBeLessThan(300);
  return response.body;
};
const make = async (path: string, body: object): Promise<string> =>
  `${path}/${(await somebody('post', path, body)).id}`;

const arcus = (args: string[], answer?: () => Promise<string>) => {
  const { port } = server.address() as AddressInfo;
  const environment = { ARCUS_ENDPOINT: `http://127.0.0.1:${port}`, ARCUS_AUTH: 'oneadmin:oneadmin' };
  return runArcus(args, environment, '', answer ? { ask: answer, askSecretly: answer } : null);
};
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const apply = (text: string) => arcus(['apply', '-f', file('wish.yaml', text)]);

const hostOf = (name: string) => ({ name, cpu: 4, memory: 4096 });
const templateOf = (name: string, memory = 64) => ({ name, template: { CPU: 1, MEMORY: memory } });
const serviceOf = (name: string, cardinality: number) => ({
  name,
  roles: [{ name: 'web', vm_template: 0, cardinality }],
});

describe('what somebody has changed since apply has looked at it', () => {
  const put = 'put' as const;
  const patch = 'patch' as const;
  const changes: [
    kind: string,
    at: string,
    made: object,
    wish: string,
    by: 'put' | 'patch',
    to: object,
    what: string,
  ][] = [
    [
      'vm_template',
      '/vm-templates',
      templateOf('a'),
      'template: { CPU: 1, MEMORY: 8 }',
      put,
      templateOf('a', 32),
      'template',
    ],
    [
      'service_template',
      '/service-templates',
      serviceOf('a', 1),
      'roles: [{ name: web, vm_template: 0 }, { name: db, vm_template: 0 }]',
      put,
      serviceOf('a', 3),
      'roles',
    ],
    ['host', '/hosts', hostOf('a'), 'cpu: 4\nmemory: 8192', patch, { memory: 2048 }, 'memory'],
    ['cluster', '/clusters', { name: 'a' }, 'reserved: { cpu: 10% }', patch, { reserved: { cpu: '20%' } }, 'reserved'],
    ['group', '/groups', { name: 'a' }, 'create: { users: [VM] }', patch, { create: { users: ['IMAGE'] } }, 'create'],
    ['group_quota', '/groups', { name: 'b' }, 'vms: 20', patch, { vms: 5 }, 'vms'],
    ['user_quota', '/users', { name: 'b', password: 'correct-horse' }, 'memory: 4096', patch, { memory: 64 }, 'memory'],
  ];
  it.each(changes)('is refused and left as it is: %s', async (kind, at, made, wish, method, theirs, what) => {
    const path = `${kind.endsWith('_quota') ? '/quotas' : ''}${await make(at, made)}`;
    const document = `kind: ${kind}\nname: ${Object(made).name}\n${wish}\n`;
    let left: unknown;
    meanwhile = {
      change: async () => {
        await somebody(method, path, theirs);
        left = await somebody('get', path);
      },
    };
    const { code, out, err } = await apply(document);
    expect({ code, out }, err).toEqual({ code: 4, out: '' });
    expect(await somebody('get', path)).toEqual(left);
    const [says, look, rest] = err.split('\n');
    expect(says).toMatch(/^arcus: .*wish\.yaml:[34]: [\w -]+ [ab]: Somebody has changed it meanwhile/);
    expect(says).toContain(` (${what}), and it is left as it is.`);
    expect(look).toMatch(/^See what it is now with: arcus (quota show (user|group)|[a-z-]+ show) \d+$/);
    expect(rest).toBe('Nothing has been changed. Apply it again when that is mended.');
    expect((await apply(document)).out).toMatch(/ updated\.\n$/);
    expect((await apply(document)).out).toMatch(/ unchanged\.\n$/);
  });

  it('stops apply there: what was before is done, what comes after is left', async () => {
    const path = await make('/vm-templates', templateOf('c'));
    meanwhile = { change: () => somebody('put', path, templateOf('c', 32)) };
    const { code, out, err } = await apply(
      'kind: host\nname: c\ncpu: 4\nmemory: 4096\n---\nkind: vm_template\nname: c\ntemplate: { CPU: 1, MEMORY: 8 }\n---\nkind: service_template\nname: c\nroles: [{ name: web, vm_template: c }]\n',
    );
    expect({ code, out }, err).toEqual({ code: 4, out: expect.stringMatching(/^host \d+ \(c\) created\.\n$/) });
    expect(err).toContain('\nWhat is told above is done; 2 of 3 are left. ');
  });

  it('is no reason to refuse where the document says nothing of it', async () => {
    const path = await make('/hosts', hostOf('d'));
    meanwhile = { change: () => somebody('patch', path, { state: 'disabled', attributes: { RACK: 'r2' } }) };
    const { code, out, err } = await apply('kind: host\nname: d\ncpu: 4\nmemory: 8192\n');
    expect({ code, out, err }).toEqual({ code: 0, out: expect.stringMatching(/ \(d\) updated\.\n$/), err: '' });
    expect(await somebody('get', path)).toMatchObject({
      ...{ state: 'DISABLED', attributes: { RACK: 'r2' }, memory: { total: 8192 } },
    });
  });

  it('and changes again before each try is refused in the end', async () => {
    const path = await make('/hosts', hostOf('e'));
    let reserved = 0;
    meanwhile = { times: 5, change: () => somebody('patch', path, { reserved: { memory: ++reserved } }) };
    const { code, err } = await apply('kind: host\nname: e\ncpu: 4\nmemory: 8192\n');
    expect({ code, reserved }).toEqual({ code: 4, reserved: 5 });
    expect(err).toMatch(/host e: host \d+ has been changed by somebody since it was read: nothing is done to it\.\n/);
    expect(await somebody('get', path)).toMatchObject({ memory: { total: 4096 } });
  });

  it('to what is wished is unchanged', async () => {
    const path = await make('/hosts', hostOf('f'));
    meanwhile = { change: () => somebody('patch', path, { memory: 8192 }) };
    const { code, out } = await apply('kind: host\nname: f\ncpu: 4\nmemory: 8192\n');
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/ \(f\) unchanged\.\n$/) });
  });

  it('keeps the name that it was given', async () => {
    const path = await make('/clusters', { name: 'g' });
    meanwhile = { before: /^GET .*\/clusters\/\d+$/, change: () => somebody('patch', path, { name: 'g-old' }) };
    const { code, out } = await apply('kind: cluster\nname: g\nreserved: { cpu: 10% }\n');
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/ \(g\) created\.\n$/) });
    expect(await somebody('get', path)).toMatchObject({ name: 'g-old', reserved: { cpu: null } });
  });
});

describe('a VM template without a name in its file', () => {
  it('is not given back the name that somebody has just changed', async () => {
    const path = await make('/vm-templates', templateOf('h'));
    meanwhile = { change: () => somebody('put', path, templateOf('i')) };
    const { code, out, err } = await arcus(['vm-template', 'update', 'h', '-f', file('h.tmpl', 'CPU=2\nMEMORY=64\n')]);
    expect({ code, out }).toEqual({ code: 4, out: '' });
    const id = path.split('/').at(-1);
    expect(err).toBe(
      `arcus: vm-template ${id} has been changed by somebody since it was read: nothing is done to it.\nSee what it is now with: arcus vm-template show ${id}\nIf you mean it still, give the command again.\n`,
    );
    expect(await somebody('get', path)).toMatchObject(templateOf('i'));
  });
});

describe('what somebody has changed since a person was asked about it', () => {
  const user = { name: 'k', password: 'correct-horse' };
  const removals: [command: string, at: string, made: { name: string }, by: 'put' | 'patch', to: object][] = [
    ['host delete', '/hosts', hostOf('k'), 'patch', { memory: 2048 }],
    ['cluster delete', '/clusters', { name: 'k' }, 'patch', { reserved: { cpu: '20%' } }],
    ['vm-template delete', '/vm-templates', templateOf('k'), 'put', templateOf('k', 32)],
    ['service-template delete', '/service-templates', serviceOf('k', 1), 'put', serviceOf('k', 2)],
    ['group delete', '/groups', { name: 'k' }, 'patch', { shared_view: true }],
    ['user disable', '/users', user, 'patch', { umask: '137' }],
    ['user delete', '/users', { ...user, name: 'l' }, 'patch', { umask: '137' }],
  ];
  it.each(removals)('stays as it is, whatever the answer: %s', async (command, at, made, method, theirs) => {
    const path = await make(at, made);
    let left: unknown;
    const answer = async () => {
      await somebody(method, path, theirs);
      left = await somebody('get', path);
      return 'y';
    };
    const words = [...command.split(' '), made.name];
    const { code, out, err } = await arcus(words, answer);
    expect({ code, out }, err).toEqual({ code: 4, out: '' });
    expect(err).toContain(' has been changed by somebody since it was read: nothing is done to it.\n');
    expect(await somebody('get', path)).toEqual(left);
    expect(await arcus(words, async () => 'y')).toMatchObject({ code: 0, err: '' });
  });

  it('is no question to who says --yes', async () => {
    const path = await make('/hosts', hostOf('m'));
    meanwhile = { change: () => somebody('patch', path, { memory: 2048 }) };
    expect(await arcus(['host', 'delete', 'm', '--yes'])).toMatchObject({ code: 0, err: '' });
  });
});

describe('a name that is written composed or decomposed', () => {
  const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];

  it('is the same object to apply, in the cloud and in its files', async () => {
    const wish = (name: string, memory: number) =>
      `kind: vm_template\nname: ${name}\ntemplate: { CPU: 1, MEMORY: ${memory} }\n`;
    expect((await apply(wish(decomposed, 8))).out).toMatch(/ created\.\n$/);
    expect((await apply(wish(composed, 8))).out).toMatch(/ unchanged\.\n$/);
    expect((await apply(wish(decomposed, 16))).out).toMatch(/ updated\.\n$/);
    const service = (name: string, of: string) =>
      `kind: service_template\nname: ${name}\nroles: [{ name: web, vm_template: ${of} }]\n`;
    const both = `${wish(`${decomposed}-2`, 8)}---\n${service(composed, `${composed}-2`)}---\n${service('other', decomposed)}`;
    const made = await apply(both);
    expect(made, made.err).toMatchObject({ code: 0 });
    expect((await apply(both)).out.match(/ unchanged\./g)).toHaveLength(3);
    const twice = await apply(`${wish(composed, 8)}---\n${wish(decomposed, 8)}`);
    expect(twice.code, twice.out).toBe(2);
  });

  it('is the same user to who signs in, by name and password and by login', async () => {
    const id = (await make('/users', { name: composed, password: 'correct-horse' })).split('/').at(-1);
    const { port } = server.address() as AddressInfo;
    const ARCUS_ENDPOINT = `http://127.0.0.1:${port}`;
    for (const name of [composed, decomposed]) {
      const ARCUS_AUTH = `${name}:correct-horse`;
      const { out, err } = await runArcus(['whoami', '-o', 'json'], { ARCUS_ENDPOINT, ARCUS_AUTH }, '');
      expect(JSON.parse(out), err).toMatchObject({ id: Number(id), name: composed });
      const XDG_CONFIG_HOME = join(directory, `config-${name.length}`);
      const login = ['login', '--endpoint', ARCUS_ENDPOINT, '--user', name];
      const signedIn = await runArcus(login, { XDG_CONFIG_HOME }, 'correct-horse\n');
      expect(signedIn, signedIn.err).toMatchObject({ code: 0 });
      expect((await runArcus(['whoami', '-o', 'name'], { XDG_CONFIG_HOME }, '')).out).toBe(`${composed}\n`);
    }
  });
});
