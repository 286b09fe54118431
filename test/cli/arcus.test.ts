import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/processes.js';
import { runCommand } from './opennebula/run-one.js';
import { type Shop, startShop } from './shop.js';

let running: Shop;
const printed = (...args: string[]) => running.printed(...args);
const file = (name: string, text: string) => running.file(name, text);

beforeAll(async () => {
  running = await startShop();
});
afterAll(() => running.stop());

describe('a life of VMs', () => {
  it('is made, told, and ended; a list leaves out what has ended, unless asked', async () => {
    const made = await running.arcus(['vm', 'create', 'small', '--name', 'test', '--cpu', '1', '--wait']);
    expect(made.out).toMatch(/^deployVm of vm \d+ \(test\) succeeded\.\n$/);
    expect(await printed('vm', 'update', 'test', 'READY=YES', 'COLOUR=a b')).toMatch(/^vm \d+ \(test\) updated\.\n$/);
    const shown = await printed('vm', 'show', 'test');
    expect(shown).toMatch(/^READY {11}: yes$/m);
    expect(shown).toContain('COLOUR="a b"');
    const ended = await running.arcus(['vm', 'terminate', 'test', '--hard', '--wait']);
    expect(ended.out).toMatch(/^terminateVm of vm \d+ \(test\) succeeded\.\n$/);
    expect(await printed('vm', 'list')).not.toContain('test');
    expect(await printed('vm', 'list', '--all')).toContain('test');
  });

  it('can be left to go on by Ctrl-C, which says how to come back', async () => {
    const waiting = running.begin(['vm', 'create', 'small', '--name', 'big', '--cpu', '64', '--wait']);
    await eventually(() => waiting.err().includes('Waiting: needs 64 CPU'));
    waiting.process.kill('SIGINT');
    const { code, out, err } = await waiting.ended;
    expect({ code, out }).toEqual({ code: 130, out: '' });
    const [, id = ''] = /Come back with: arcus operation wait ([0-9A-Z]{26})\n$/.exec(err) ?? [];
    const operation = await printed('operation', 'show', id);
    expect(operation).toMatch(/^STATE {11}: waiting$/m);
    expect((await running.arcus(['vm', 'terminate', 'big', '--wait'])).code).toBe(0);
    const again = await running.arcus(['operation', 'wait', id]);
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/deployVm of vm \d+ \(big\) cancelled/);
  });
});

describe('OpenNebula’s own words', () => {
  it('make a VM, switch it off and on, and end it', async () => {
    const one = (line: string) => runCommand(line, { ...process.env, ARCUS_HOME: running.home, ONE_AUTH: '' });
    const isIn = (id: string, state: string) =>
      eventually(async () => new RegExp(`STATE +: ${state}\\n`).test((await one(`onevm show ${id}`)).out));
    const made = await one('onetemplate instantiate small --name old');
    const [, id = ''] = /^VM ID: (\d+)\n$/.exec(made.out) ?? [];
    await isIn(id, 'RUNNING');
    expect((await one('onevm list')).out).toMatch(/ old +runn /);
    expect(await one('onevm poweroff old')).toEqual({ code: 0, out: '', err: '' });
    await isIn(id, 'POWEROFF');
    // Its operation ends a moment after the VM is so.
    await eventually(async () => (await one(`onevm resume ${id}`)).code === 0);
    await isIn(id, 'RUNNING');
    expect((await one(`onevm terminate ${id} --hard`)).code).toBe(0);
    await isIn(id, 'DONE');
  });
});

describe('a server that is killed', () => {
  it('is waited for by those who wait for an operation', async () => {
    const accepted = await running.arcus(['vm', 'create', 'small', '--name', 'late', '--cpu', '64', '-o', 'json']);
    const { id } = JSON.parse(accepted.out);
    const waiting = running.begin(['operation', 'wait', id]);
    await eventually(() => waiting.err().includes('Waiting: needs 64 CPU'));
    await running.restartApi('SIGKILL', () => eventually(() => waiting.err().includes('Waiting for the server')));
    expect((await running.arcus(['vm', 'terminate', 'late', '--wait'])).code).toBe(0);
    const { code, err } = await waiting.ended;
    expect(code).toBe(1);
    expect(err).toMatch(/deployVm of vm \d+ \(late\) cancelled/);
  });
});

describe('what goes wrong', () => {
  const cases: [what: string, args: string[], code: number, says: RegExp][] = [
    [
      'an unknown name',
      ['service', 'show', 'nothing'],
      3,
      /There is no service called "nothing"\.\nList .*arcus service list/,
    ],
    ['an unknown id', ['vm', 'show', '4711'], 3, /There is no VM 4711\./],
    ['a wrong state', ['service', 'recover', 'shop'], 4, /Service 1 is RUNNING: only FAILED_DEPLOYING/],
    ['a name that is taken', ['host', 'create', 'host-1', '--cpu', '1', '--memory', '1'], 4, /host "host-1" already/],
    ['something in use', ['vm-template', 'delete', 'small'], 4, /Service template 0 \(shop\) uses VM template 0/],
    [
      'a value that the server refuses',
      ['host', 'create', 'x', '--cpu', '0', '--memory', '1'],
      2,
      /\/cpu must be at least 0\.01/,
    ],
    ['a value that is no number', ['host', 'create', 'x', '--cpu', 'many'], 2, /--cpu: must be a number of cores\./],
    [
      'a file that is not there',
      ['vm-template', 'create', '-f', '/nowhere.json'],
      2,
      /\/nowhere\.json does not exist\./,
    ],
    ['a missing file option', ['vm-template', 'create'], 2, /--file: is needed/],
    ['a missing argument', ['vm', 'show'], 2, /missing required argument 'vm'/],
    ['an unknown command', ['service', 'shwo'], 2, /unknown command 'shwo'\n\(Did you mean show\?\)/],
    ['an unknown option', ['service', 'list', '--sort'], 2, /unknown option '--sort'/],
    ['an attribute without a value', ['vm', 'update', '0', 'READY'], 2, /"READY" is not of the form NAME=VALUE/],
    [
      'options that exclude each other',
      ['service', 'undeploy', 'shop', '--hard', '--soft'],
      2,
      /--hard: cannot go with --soft/,
    ],
    ['a state that does not exist', ['service', 'list', '--state', 'ASLEEP'], 2, /\/state must be one of PENDING/],
    ['an id that is no operation’s', ['operation', 'show', '12'], 2, /"12" is not the id of an operation/],
    ['an operation that is not there', ['operation', 'show', '0000'], 3, /no operation whose id begins with 0000\.\n/],
    ['an unknown name, asked why', ['service', 'why', 'nothing'], 3, /There is no service called/],
  ];
  it.each(cases)('%s', async (_what, args, code, says) => {
    const result = await running.arcus(args);
    expect({ code: result.code, out: result.out }).toEqual({ code, out: '' });
    expect(result.err).toMatch(says);
    expect(result.err).not.toMatch(/\n {4}at |node:internal|Error:/);
  });

  it('is told from each line of a file', async () => {
    const text = await running.arcus(['vm-template', 'create', '-f', '-'], { input: 'NAME=x\nCPU\nMEMORY="1\n' });
    expect(text.code).toBe(2);
    expect(text.err).toMatch(/standard input:2:4: .*\n.*standard input:3:8: /);
    const json = await running.arcus(['service-template', 'create', '-f', '-'], {
      input: '{ "name": "x",\n  "roles": [,] }',
    });
    expect(json.code).toBe(2);
    expect(json.err).toMatch(/standard input:2:13: value expected/);
    const yaml = await running.arcus(['service-template', 'create', '-f', file('bad.yaml', 'name: x\nroles: [')]);
    expect(yaml.code).toBe(2);
    expect(yaml.err).toMatch(/bad\.yaml is not valid YAML\.\n {2}\S*bad\.yaml:2:9: /);
  });

  it('is told all at once, each with its place', async () => {
    const body = 'name: x\nroles:\n  - { name: a, vm_template: 0, parents: [b] }\n  - { name: a, vm_template: 9 }\n';
    const { code, err } = await running.arcus(['service-template', 'create', '-f', file('x.yaml', body)]);
    expect(code).toBe(2);
    expect(err).toMatch(/x\.yaml:3: \/roles\/0\/parents\/0: .*\n/);
    expect(err).toMatch(/x\.yaml:4: \/roles\/1\/vm_template: .*\n/);
  });

  it('is told once, with its line and its path', async () => {
    const twice = 'name: x\ntemplate:\n  CPU: 1\n  cpu: 2\n  MEMORY: 1\n';
    const { code, err } = await running.arcus(['vm-template', 'create', '-f', file('twice.yaml', twice)]);
    expect(code).toBe(2);
    expect(err).toMatch(/^arcus: \S*twice\.yaml:4: \/template\/cpu is given twice, in different letter case\.\n/);
  });

  it('is a name that two objects have', async () => {
    const first = await running.arcus(['vm', 'create', 'small', '--name', 'twin', '--wait']);
    const second = await running.arcus(['vm', 'create', 'small', '--name', 'twin', '--wait']);
    expect([first.code, second.code]).toEqual([0, 0]);
    const { code, err } = await running.arcus(['vm', 'terminate', 'twin']);
    expect(code).toBe(4);
    expect(err).toMatch(/More than one vm is called "twin": \d+, \d+\.\nName it by its id\.\n/);
  });

  it('is the wrong password, no password, or no server', async () => {
    const wrong = await running.arcus(['host', 'list'], { environment: { ARCUS_AUTH: 'oneadmin:wrong' } });
    expect(wrong).toMatchObject({ code: 5, out: '', err: expect.stringMatching(/name or the password is wrong/) });
    const none = await running.arcus(['host', 'list'], { environment: { ARCUS_HOME: '/nowhere' } });
    expect(none).toMatchObject({ code: 5, out: '', err: expect.stringMatching(/ARCUS_AUTH/) });
    const nobody = await running.arcus(['host', 'list', '--endpoint', 'http://127.0.0.1:1']);
    expect(nobody).toMatchObject({ code: 6, out: '', err: expect.stringMatching(/npm start/) });
    const stranger = await running.arcus(['host', 'list', '--endpoint', 'ftp://x']);
    expect(stranger).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/not an address/) });
  });

  it('is a server that is no Arcus, whatever it answers', async () => {
    const web = createServer((request, response) => {
      response.writeHead(request.url?.includes('hosts') ? 200 : 502, { 'content-type': 'text/html' }).end('<html>');
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = z.object({ port: z.int() }).parse(web.address());
      const environment = { ARCUS_ENDPOINT: `http://127.0.0.1:${port}`, ARCUS_AUTH: 'oneadmin:x' };
      for (const noun of ['host', 'vm'])
        expect(await running.arcus([noun, 'list'], { environment })).toMatchObject({
          code: 1,
          out: '',
          err: expect.stringMatching(/not as an Arcus does\.\nIs it the address of an Arcus/),
        });
    } finally {
      web.close();
    }
  });
});

describe('where the server is and who asks', () => {
  it('can come from the environment, the credentials from a file', async () => {
    const auth = file('other-auth', 'oneadmin:pass:word\n');
    const environment = { ARCUS_HOME: '/nowhere', ARCUS_ENDPOINT: running.endpoint, ARCUS_AUTH: auth };
    expect((await running.arcus(['host', 'list'], { environment })).code).toBe(0);
  });
});

// As a process: it looks at what its process has around it.
describe('doctor', () => {
  it('tells what it finds, in the format that is asked for', async () => {
    const { out } = await running.begin(['doctor', '-o', 'json']).ended;
    const findings: { subject: string; level: string }[] = JSON.parse(out);
    expect(findings.find(({ subject }) => subject === 'home')?.level).toBe('ok');
    expect((await running.begin(['doctor']).ended).out).toMatch(/^(ok|--) {2}Node\.js/);
  });

  it('ends with 1 and advice when something keeps Arcus from working', async () => {
    const { code, out, err } = await running.begin(['doctor'], {
      environment: { ARCUS_HOME: join(file('not-a-directory', ''), 'home') },
    }).ended;
    expect(code).toBe(1);
    expect(out).toMatch(/!! {2}home .*\n.*→ make it writable/);
    expect(err).toMatch(/keeps Arcus from working/);
  });
});

describe('the end of a service', () => {
  it('is undeployment: its VMs are gone, and the service stays as DONE', async () => {
    const undeployed = await running.arcus(['service', 'undeploy', 'shop', '--wait']);
    expect(undeployed).toMatchObject({ code: 0, out: 'undeployService of service 1 (shop) succeeded.\n' });
    expect(await printed('vm', 'list')).not.toContain('service_1');
    expect(await printed('service', 'list')).not.toContain('shop');
    expect(await printed('service', 'list', '--all')).toMatch(/shop {2}DONE/);
    expect(await printed('service', 'show', 'shop')).toContain('SERVICE STATE   : DONE');
  });

  it('or deletion, from RUNNING as from DONE: nothing is left of it', async () => {
    const made = await running.arcus(['service', 'create', 'shop', '--name', 'short', '--wait']);
    expect(made.code, made.err).toBe(0);
    for (const name of ['short', 'shop']) {
      const deleted = await running.arcus(['service', 'delete', name, '--wait']);
      expect(deleted.code, deleted.err).toBe(0);
      expect(deleted.out).toMatch(new RegExp(`^undeployService of service \\d+ \\(${name}\\) succeeded\\.\n$`));
      expect((await running.arcus(['service', 'show', name])).code).toBe(3);
    }
    expect(await printed('service', 'list', '--all')).toBe('ID  USER  GROUP  NAME  STATE  TIME  ROLES\n');
  });
});
