import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { built, checkout } from '../../../adapters/process/checkout.js';
import { createProgram } from '../../../cli/program.js';
import { exitCodes } from '../../../cli/shell/complaint.js';
import { eventually } from '../../support/processes.js';
import { launchOnTerminal } from '../launch-program.js';
import { type Shop, startShop } from '../shop.js';

const execute = promisify(execFile);

let running: Shop;
const printed = (...args: string[]) => running.printed(...args);
const file = (name: string, text: string) => running.file(name, text);

beforeAll(async () => {
  running = await startShop();
});
afterAll(() => running.stop());

describe('tables', () => {
  it('of hosts', async () => {
    await eventually(async () => (await printed('host', 'list')).includes('MONITORED'));
    expect(await printed('host', 'list')).toMatchInlineSnapshot(`
      "ID  NAME    CLUSTER  HYPERVISOR  VMS    CPU      MEMORY  STATE      HA
       0  host-1        0  simulated     3  1.5/4  768M/4096M  MONITORED  -
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
      "ID  USER      GROUP     NAME  STATE        TIME  ROLES
       1  oneadmin  oneadmin  shop  RUNNING  0d 00h00  db:1 web:2
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
    expect(await printed('operation', 'list', '--service', 'shop')).toMatchInlineSnapshot(`
      "ID          TYPE           RESOURCE   NAME  BY        STATE          TIME
      <operation>  deployService  service 1  shop  oneadmin  succeeded  0d 00h00
      "
    `);
  });
});

describe.skipIf(process.platform !== 'linux')('a table on a terminal, which util-linux makes', () => {
  it('is no wider than that: long names are cut, numbers and states never', async () => {
    const environment = { ARCUS_HOME: running.home, NO_COLOR: '1' };
    const { out } = await launchOnTerminal(['vm', 'list'], { columns: 64, environment }).ended;
    const lines = out.trimEnd().split('\r\n');
    expect(lines.map((line) => line.length)).toEqual([64, 64, 64, 64]);
    expect(lines[1]).toMatch(/^ 0 {2}oneadmin {2}db_0_\(ser… {2}RUNNING {2}0\.5 {4}256M {2}host-1 {2}0d 00h\d\d$/);
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
      TEMPLATE        : 0, revision 1
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
      <time> [I] Deployment, by oneadmin
      <time> [I] New state: DEPLOYING
      <time> [I] New state: RUNNING
      "
    `);
    expect(await printed('service', 'show', '1')).toBe(text);
  });

  it('prints a VM with its place and its past', async () => {
    // What it uses is there once its host has been looked at, which may have been already.
    const shown = (await printed('vm', 'show', 'db_0_(service_1)')).replace(/MONITORING\n(?:.+\n)+\n/, '');
    expect(shown).toMatchInlineSnapshot(`
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
      CLUSTER         : 0
      HYPERVISOR      : simulated
      STATE           : MONITORED
      CPU             : 1.5 of 4 cores taken by VMs
      MEMORY          : 768 of 4096 MB taken by VMs
      LAST MONITORED  : <time>
      VMS             : 0, 1, 2

      PERMISSIONS
      OWNER           : um-
      GROUP           : ---
      OTHER           : ---
      "
    `);
  });

  it('prints the contents of templates for create and update to take as they are', async () => {
    const given = `NAME="odd one"
CPU="0.5"
MEMORY="256"
RACK=[PLACE="a, b", SIZE="10"]
RACK=[PLACE="c"]
SCRIPT="a \\"b\\" \\\\ c
second line = [x]"
`;
    await printed('vm-template', 'create', '-f', file('odd.tmpl', given));
    const contents = await printed('vm-template', 'show', 'odd one', '--contents');
    expect(contents).toBe(given);
    await printed('vm-template', 'update', 'odd one', '-f', file('odd-again.tmpl', contents));
    expect(await printed('vm-template', 'show', 'odd one', '--contents')).toBe(given);
    await printed('vm-template', 'delete', 'odd one');
    const shop = await printed('service-template', 'show', 'shop', '--contents');
    await printed('service-template', 'update', 'shop', '-f', file('shop-again.json', shop));
    expect(await printed('service-template', 'show', 'shop', '--contents')).toBe(shop);
  });

  it('takes the examples of its own help', async () => {
    for (const [, quoted = ''] of (await printed('vm-template', 'create', '--help')).matchAll(/printf '([^']+)'/g)) {
      const input = quoted.replaceAll('\\n', '\n').replace('small', 'little');
      const { code, err } = await running.arcus(['vm-template', 'create', '-f', '-'], { input });
      expect(code, err).toBe(0);
    }
    for (const name of ['little', 'large']) await printed('vm-template', 'delete', name);
  });

  it('prints a VM template so that it can be edited and sent again', async () => {
    const text = await printed('vm-template', 'show', 'small');
    const [, contents = ''] = text.split('TEMPLATE CONTENTS\n');
    expect(contents).toBe('CPU=0.5\nMEMORY=256\n');
    await printed('vm-template', 'update', 'small', '-f', file('again.tmpl', contents));
    await printed('vm-template', 'update', 'small', '-f', file('again.yaml', 'template: { CPU: 0.5, MEMORY: 256 }\n'));
    expect(await printed('vm-template', 'show', 'small')).toBe(text);
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
    expect(err).toMatch(/table, wide, json, yaml, name/);
  });
});

describe('--version', () => {
  it('prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
    expect(await printed('--version')).toBe(`arcus ${version}\n`);
  });
});

describe('help', () => {
  it('of every command has an example', () => {
    const printed: string[] = [];
    const out = (text: string) => printed.push(text);
    const program = createProgram({
      environment: {},
      out,
      err: out,
      width: () => null,
      terminal: null,
      screen: null,
      person: null,
      now: () => new Date(),
    });
    const leaves = program.commands.flatMap((noun) => (noun.commands.length > 0 ? noun.commands : [noun]));
    expect(leaves.length).toBeGreaterThan(30);
    for (const leaf of leaves) {
      leaf.outputHelp();
      const path = leaf.parent === program ? leaf.name() : `${leaf.parent?.name()} ${leaf.name()}`;
      expect(printed.splice(0).join('\n')).toMatch(new RegExp(`Examples:\\s+\\$ .*arcus ${path}`));
    }
  });

  it('names every code that arcus can end with', async () => {
    const help = await printed('--help');
    for (const code of Object.values(exitCodes)) expect(help).toMatch(new RegExp(`^ {2}.*\\b${code} \\w`, 'm'));
  });

  it('is cut short without a word by a reader that has had enough', async () => {
    const arcus = `'${process.execPath}' '${built('arcus/main.js')}' --help`;
    const { stderr } = await execute('sh', ['-c', `{ ${arcus}; echo "ends with $?" >&2; } | true`]);
    expect(stderr).toBe('ends with 0\n');
  });

  it('comes by itself, as an error, when nothing is asked', async () => {
    const { code, out, err } = await running.arcus([]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Usage: arcus');
  });
});
