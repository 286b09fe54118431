import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../../cli/program.js';
import { eventually } from '../support/processes.js';
import { type RunningArcus, startArcus } from './running-arcus.js';

let running: RunningArcus;

/** Times, ages and operation ids differ from run to run. */
const steady = (text: string): string =>
  text
    .replaceAll(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '<operation>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '<time>')
    .replaceAll(/\d+d \d\dh\d\d/g, '0d 00h00');

/** Runs a command that must succeed and say nothing on stderr; returns what it printed. */
async function printed(...args: string[]): Promise<string> {
  const { code, out, err } = await running.arcus(args);
  expect({ code, err }, args.join(' ')).toEqual({ code: 0, err: '' });
  return steady(out);
}
const file = (name: string, text: string): string => {
  const path = join(running.home, name);
  writeFileSync(path, text);
  return path;
};

beforeAll(async () => {
  running = await startArcus();
  await printed('host', 'create', 'host-1', '--cpu', '4', '--memory', '4096');
  await printed('vm-template', 'create', '-f', file('small.tmpl', 'NAME = small # a comment\nCPU=0.5\nMEMORY=256\n'));
  const shop = `{ // two roles
    "name": "shop", "deployment": "straight",
    "roles": [{ "name": "db", "vm_template": 0 }, { "name": "web", "cardinality": 2, "parents": ["db"], "vm_template": 0 }] }`;
  await printed('service-template', 'create', '-f', file('shop.json', shop));
  const deployed = await running.arcus(['service-template', 'instantiate', 'shop', '--wait']);
  expect(deployed, deployed.err).toMatchObject({ code: 0, out: 'deployService of service 1 (shop) succeeded.\n' });
  expect(steady(deployed.err)).toBe(
    'service 1 (shop): deployService accepted as operation <operation>; waiting for its end.\n',
  );
});
afterAll(() => running.stop());

describe('tables', () => {
  it('of hosts', async () => {
    await eventually(async () => (await printed('host', 'list')).includes('MONITORED'));
    expect(await printed('host', 'list')).toMatchInlineSnapshot(`
      "ID  NAME    HYPERVISOR  VMS    CPU      MEMORY  STATE
       0  host-1  simulated     3  1.5/4  768M/4096M  MONITORED
      "
    `);
  });

  it('of VM templates', async () => {
    expect(await printed('vm-template', 'list')).toMatchInlineSnapshot(`
      "ID  USER      GROUP     NAME   CPU  MEMORY  CREATED
       0  oneadmin  oneadmin  small  0.5    256M  <time>
      "
    `);
  });

  it('of service templates', async () => {
    expect(await printed('service-template', 'list')).toMatchInlineSnapshot(`
      "ID  USER      GROUP     NAME  STRATEGY  ROLES
       0  oneadmin  oneadmin  shop  straight  db:1 web:2
      "
    `);
  });

  it('of services', async () => {
    expect(await printed('service', 'list')).toMatchInlineSnapshot(`
      "ID  USER      GROUP     NAME  STATE    ROLES           TIME
       1  oneadmin  oneadmin  shop  RUNNING  db:1 web:2  0d 00h00
      "
    `);
  });

  it('of VMs', async () => {
    expect(await printed('vm', 'list')).toMatchInlineSnapshot(`
      "ID  USER      NAME               STATE    CPU  MEMORY  HOST        TIME
       0  oneadmin  db_0_(service_1)   RUNNING  0.5    256M  host-1  0d 00h00
       1  oneadmin  web_0_(service_1)  RUNNING  0.5    256M  host-1  0d 00h00
       2  oneadmin  web_1_(service_1)  RUNNING  0.5    256M  host-1  0d 00h00
      "
    `);
  });

  it('of operations', async () => {
    expect(await printed('operation', 'list', '--service', '1')).toMatchInlineSnapshot(`
      "ID                          TYPE           RESOURCE   NAME  BY        STATE          TIME
      <operation>  deployService  service 1  shop  oneadmin  succeeded  0d 00h00
      "
    `);
  });
});

describe('show', () => {
  it('prints a service as oneflow does, by id and by name', async () => {
    const text = await printed('service', 'show', 'shop');
    expect(text).toMatchInlineSnapshot(`
      "SERVICE 1 INFORMATION
      ID              : 1
      NAME            : shop
      USER            : oneadmin
      GROUP           : oneadmin
      STRATEGY        : straight
      SERVICE STATE   : RUNNING

      PERMISSIONS
      OWNER           : um-
      GROUP           : ---
      OTHER           : ---

      ROLE db
      ROLE STATE      : RUNNING
      CARDINALITY     : 1
      VM TEMPLATE     : 0
      NODES INFORMATION
       VM_ID  NAME              STATE    HOST
           0  db_0_(service_1)  RUNNING  host-1

      ROLE web
      ROLE STATE      : RUNNING
      PARENTS         : db
      CARDINALITY     : 2
      VM TEMPLATE     : 0
      NODES INFORMATION
       VM_ID  NAME               STATE    HOST
           1  web_0_(service_1)  RUNNING  host-1
           2  web_1_(service_1)  RUNNING  host-1

      LOG MESSAGES
      <time> [I] New state: DEPLOYING
      <time> [I] New state: RUNNING
      "
    `);
    expect(await printed('service', 'show', '1')).toBe(text);
  });

  it('prints a VM with its place and its past', async () => {
    expect(await printed('vm', 'show', 'db_0_(service_1)')).toMatchInlineSnapshot(`
      "VIRTUAL MACHINE 0 INFORMATION
      ID              : 0
      NAME            : db_0_(service_1)
      USER            : oneadmin
      GROUP           : oneadmin
      STATE           : ACTIVE
      LCM_STATE       : RUNNING
      READY           : no
      HOST            : 0 (host-1)
      SERVICE         : 1, role db
      VM TEMPLATE     : 0
      CPU             : 0.5
      MEMORY          : 256M
      CREATED         : <time>

      PERMISSIONS
      OWNER           : um-
      GROUP           : ---
      OTHER           : ---

      PLACEMENT HISTORY
      SEQ  HOST        FROM                      UNTIL  REASON
        0  0 (host-1)  <time>  -      none

      USER TEMPLATE
      SERVICE_ID="1"
      ROLE_NAME="db"

      TEMPLATE
      CPU=0.5
      MEMORY=256
      "
    `);
  });

  it('prints a host', async () => {
    expect(await printed('host', 'show', 'host-1')).toMatchInlineSnapshot(`
      "HOST 0 INFORMATION
      ID              : 0
      NAME            : host-1
      USER            : oneadmin
      GROUP           : oneadmin
      HYPERVISOR      : simulated
      STATE           : MONITORED
      CPU             : 1.5 of 4 cores reserved
      MEMORY          : 768 of 4096 MB reserved
      LAST MONITORED  : <time>
      VMS             : 0, 1, 2

      PERMISSIONS
      OWNER           : um-
      GROUP           : ---
      OTHER           : ---
      "
    `);
  });

  it('prints a VM template so that it can be edited and sent again', async () => {
    const text = await printed('vm-template', 'show', 'small');
    const [, contents = ''] = text.split('TEMPLATE CONTENTS\n');
    expect(contents).toBe('CPU=0.5\nMEMORY=256\n');
    await printed('vm-template', 'update', 'small', '-f', file('again.tmpl', contents));
  });
});

describe('-o', () => {
  it('json prints what the API answers, and nothing else', async () => {
    const { out } = await running.arcus(['service', 'show', 'shop', '-o', 'json']);
    expect(JSON.parse(out)).toMatchObject({ id: 1, state: 'RUNNING', roles: [{ nodes: [{ vm_id: 0 }] }, {}] });
    expect(JSON.parse(await printed('vm', 'list', '-o', 'json'))).toHaveLength(3);
  });

  it('yaml prints the same', async () => {
    const json: unknown = JSON.parse((await running.arcus(['host', 'show', '0', '-o', 'json'])).out);
    const yaml = parse((await running.arcus(['-o', 'yaml', 'host', 'show', '0'])).out);
    expect({ ...yaml, last_monitored_at: null }).toEqual({ ...Object(json), last_monitored_at: null });
  });

  it('refuses another format, naming those there are', async () => {
    const { code, out, err } = await running.arcus(['host', 'list', '-o', 'xml']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/table, json, yaml/);
  });
});

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
    await eventually(() => waiting.err().includes('Waiting for'));
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

describe('a server that is killed', () => {
  it('is waited for by those who wait for an operation', async () => {
    const accepted = await running.arcus(['vm', 'create', 'small', '--name', 'late', '--cpu', '64', '-o', 'json']);
    const { id } = JSON.parse(accepted.out);
    const waiting = running.begin(['operation', 'wait', id]);
    await eventually(() => waiting.err().includes('Waiting for needs 64 CPU'));
    await running.restartApi('SIGKILL', () => eventually(() => waiting.err().includes('which does not answer')));
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
    expect(text.err).toMatch(/line 2, column 4: .*\n.*line 3, column/);
    const json = await running.arcus(['service-template', 'create', '-f', '-'], {
      input: '{ "name": "x",\n  "roles": [,] }',
    });
    expect(json.code).toBe(2);
    expect(json.err).toMatch(/line 2, column \d+/);
    const yaml = await running.arcus(['service-template', 'create', '-f', file('bad.yaml', 'name: x\nroles: [')]);
    expect(yaml.code).toBe(2);
    expect(yaml.err).toMatch(/bad\.yaml is not valid YAML\.\n {2}line 2, column/);
  });

  it('is told all at once, each with its place', async () => {
    const body = 'name: x\nroles:\n  - { name: a, vm_template: 0, parents: [b] }\n  - { name: a, vm_template: 9 }\n';
    const { code, err } = await running.arcus(['service-template', 'create', '-f', file('x.yaml', body)]);
    expect(code).toBe(2);
    expect(err).toMatch(/ {2}\/roles\/0\/parents\/0: .*\n/);
    expect(err).toMatch(/ {2}\/roles\/1\/vm_template: .*\n/);
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
});

describe('where the server is and who asks', () => {
  it('can come from the environment, the credentials from a file', async () => {
    const auth = file('other-auth', 'oneadmin:pass:word\n');
    const environment = { ARCUS_HOME: '/nowhere', ARCUS_ENDPOINT: running.endpoint, ARCUS_AUTH: auth };
    expect((await running.arcus(['host', 'list'], { environment })).code).toBe(0);
  });
});

describe('help', () => {
  it('of every command has an example', () => {
    const printed: string[] = [];
    const out = (text: string) => printed.push(text);
    const program = createProgram({ environment: {}, out, err: out, now: () => new Date() });
    const leaves = program.commands.flatMap((noun) => (noun.commands.length > 0 ? noun.commands : [noun]));
    expect(leaves.length).toBeGreaterThan(30);
    for (const leaf of leaves) {
      leaf.outputHelp();
      const path = leaf.parent === program ? leaf.name() : `${leaf.parent?.name()} ${leaf.name()}`;
      expect(printed.splice(0).join('\n')).toMatch(new RegExp(`Examples:\\s+\\$ .*arcus ${path}`));
    }
  });

  it('comes by itself, as an error, when nothing is asked', async () => {
    const { code, out, err } = await running.arcus([]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Usage: arcus');
  });
});

describe('doctor', () => {
  it('tells what it finds, in the format that is asked for', async () => {
    const { out } = await running.arcus(['doctor', '-o', 'json']);
    const findings: { subject: string; level: string }[] = JSON.parse(out);
    expect(findings.find(({ subject }) => subject === 'home')?.level).toBe('ok');
    expect((await running.arcus(['doctor'])).out).toMatch(/^ok {2}Node\.js/);
  });

  it('ends with 1 and advice when something keeps Arcus from working', async () => {
    const { code, out, err } = await running.arcus(['doctor'], {
      environment: { ARCUS_HOME: join(file('not-a-directory', ''), 'home') },
    });
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
    expect(await printed('service', 'list', '--all')).toBe('ID  USER  GROUP  NAME  STATE  ROLES  TIME\n');
  });
});
