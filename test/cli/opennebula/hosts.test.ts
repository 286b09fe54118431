import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fast } from '../../../api/native/storage/datastores-examples.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { cluster, host, page } from '../stub-objects.js';
import { deployment } from '../stub-operation.js';
import { runCommand, watchCommand } from './run-one.js';

const one = {
  ...host(0, 'host-1'),
  cpu: { total: 8, reserved: 0, used: 1, outside: 0.5, free: 6.5 },
  memory: { total: 3_700, reserved: 0, used: 512, outside: 256, free: 2_932 },
  vms: [3, 4],
  cluster_id: 100,
  wilds: { count: 1, items: [{ name: 'one-12', state: 'running', cpu: 0.5, memory: 256, deploy_id: 'w-1' }] },
};
const two = { ...host(1, 'host-2', 'DISABLED'), error: 'no route' };

let api: StubApi;
let directory: string;
beforeEach(async () => {
  api = await startStubApi();
  directory = mkdtempSync(join(tmpdir(), 'onehost-'));
  api.on('GET /hosts', page(one, two));
  api.on('GET /hosts/0', { body: one });
  api.on('GET /clusters', page(cluster(0, 'default'), cluster(100, 'production', [0])));
  api.on('GET /clusters/100', { body: cluster(100, 'production', [0]) });
  for (const id of [0, 1, 2]) api.on(`PATCH /hosts/${id}`, { body: host(id, `host-${id + 1}`) });
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await api.stop();
});

const file = (text: string): string => {
  const path = join(directory, 'file.tmpl');
  writeFileSync(path, text);
  return path;
};
const run = (line: string, environment: Record<string, string> = api.environment) => runCommand(line, environment);
const sent = () =>
  api.asked.flatMap(({ method, path, body }) => (method === 'GET' ? [] : [[method, path, body && JSON.parse(body)]]));

describe('onehost', () => {
  it('lists hosts in the columns of OpenNebula 5.0', async () => {
    expect((await run('onehost list')).out).toBe(
      [
        '  ID NAME            CLUSTER   RVM      ALLOCATED_CPU      ALLOCATED_MEM STAT',
        '   0 host-1          productio   2    100 / 800 (12%)  512M / 3.6G (13%) on',
        '   1 host-2          default     0       0 / 400 (0%)       0K / 4G (0%) dsbl',
        '',
      ].join('\n'),
    );
  });

  it('lists them again and again, what is new in the place of what was there', async () => {
    const list = async () => (await run('onehost list')).out.trimEnd();
    const first = await list();
    const looks = await watchCommand('onehost top -d 1', api.environment, 4);
    expect(looks).toEqual(['clear', first, 'clear', first]);
    expect(await run('onehost top -d 0')).toMatchObject({ code: 255, err: expect.stringContaining('--delay must be') });
  });

  it('copies nothing to hosts, says so, and is content; a host that is not there it complains of', async () => {
    for (const given of ['', ' host-1,1', ' -c production --force'])
      expect(await run(`onehost sync${given}`)).toEqual({
        ...{ code: 0, err: '' },
        out: 'There is nothing to be copied: Arcus keeps no probes on hosts, and asks their hypervisors.\n',
      });
    expect(await run('onehost sync host-9')).toMatchObject({ code: 255, err: expect.stringContaining('host-9') });
    expect(sent()).toEqual([]);
  });

  it('shows one, with what runs on it that is not ours', async () => {
    const { out } = await run('onehost show host-1');
    expect(out).toMatch(
      /^HOST 0 INFORMATION\nID {20}: 0\nNAME {18}: host-1\nCLUSTER {15}: production\nSTATE {17}: MONITORED/,
    );
    expect(out).toMatch(/HOST SHARES\n[\s\S]*USED CPU \(ALLOCATED\) {2}: 100\nRUNNING VMS {11}: 2/);
    expect(out).toMatch(/WILD VIRTUAL MACHINES\n\nNAME +IMPORT_ID +CPU +MEMORY\none-12 +w-1 +0.5 +256/);
  });

  it.each([
    ['enable', 'enabled'],
    ['disable', 'disabled'],
    ['offline', 'offline'],
  ])('%s takes ids, ranges and names', async (verb, state) => {
    expect(await run(`onehost ${verb} 1..2,host-1`)).toMatchObject({ code: 0, out: '' });
    expect(sent()).toEqual([1, 2, 0].map((id) => ['PATCH', `/hosts/${id}`, { state }]));
  });

  it('creates one, of what it is told that it has, and says its id', async () => {
    api.on('POST /hosts', { status: 201, body: host(7, 'host-7') });
    expect(await run('onehost create host-7 --cpu 16 --memory 65536 -c production')).toMatchObject({ out: 'ID: 7\n' });
    expect(sent()).toEqual([
      ['POST', '/hosts', { name: 'host-7', vm_mad: 'simulated', cpu: 16, memory: 65_536, cluster_id: 100 }],
    ]);
  });

  it('imports what is not ours, and says the id of the VM', async () => {
    const body = deployment({
      ...{ type: 'importVm', state: 'accepted' },
      resource: { type: 'vm', id: 12, name: 'mail', href: '/api/v1/vms/12' },
    });
    api.on('POST /hosts/0/import', { status: 202, body });
    expect(await run('onehost importvm host-1 one-12 --name mail')).toMatchObject({ out: 'ID: 12\n' });
    expect(sent()).toEqual([['POST', '/hosts/0/import', { wild: 'one-12', name: 'mail' }]]);
  });

  it('ends with 255 and a sentence where something is wrong', async () => {
    expect(await run('onehost disable nowhere')).toMatchObject({ code: 255, err: expect.stringContaining('nowhere') });
    expect(await run('onehost dance')).toMatchObject({ code: 255, err: expect.stringContaining('dance') });
    api.on('DELETE /hosts/0', problem(409, 'in_use', 'Host 0 (host-1) holds 2 VMs.'));
    expect(await run('onehost delete 0')).toMatchObject({ code: 255, err: expect.stringContaining('holds 2 VMs') });
  });

  it('changes what is said of one by template text, alone or beside what it has', async () => {
    api.on('GET /hosts/0', { body: { ...one, attributes: { RACK: 'a', SSD: 1 } } });
    await run(`onehost update host-1 ${file('RACK = "b"\n')}`);
    await run(`onehost update 0 ${file('RACK = "b"\n')} --append`);
    expect(sent()).toEqual([
      ['PATCH', '/hosts/0', { attributes: { SSD: null, RACK: 'b' } }],
      ['PATCH', '/hosts/0', { attributes: { RACK: 'b' } }],
    ]);
  });

  it('gives none another name, and says why', async () => {
    expect(await run('onehost rename 0 other')).toMatchObject({
      ...{ code: 255, out: '', err: expect.stringContaining('is the address at which Arcus reaches it') },
    });
    expect(sent()).toEqual([]);
  });

  it('signs in by the file of ONE_AUTH', async () => {
    const file = join(directory, 'one_auth');
    writeFileSync(file, 'johndoe:secret\n');
    await run('onehost list', { ARCUS_ENDPOINT: api.endpoint, ONE_AUTH: file });
    const basic = `Basic ${Buffer.from('johndoe:secret').toString('base64')}`;
    expect(new Set(api.asked.map(({ authorization }) => authorization))).toEqual(new Set([basic]));
  });
});

describe('onecluster', () => {
  const datastore = (id: number, cluster_ids: number[]) => ({ ...fast, id, name: `ds-${id}`, cluster_ids });
  beforeEach(() => {
    api.on('GET /datastores', page(datastore(0, [0]), datastore(1, [0, 100])));
    api.on('GET /datastores/0', { body: datastore(0, [0]) });
    api.on('GET /datastores/1', { body: datastore(1, [0, 100]) });
    for (const id of [0, 1]) api.on(`PATCH /datastores/${id}`, { body: datastore(id, []) });
    api.on('PATCH /clusters/100', { body: cluster(100, 'production') });
  });

  it('lists and shows clusters, with the hosts and datastores of each', async () => {
    expect((await run('onecluster list')).out).toBe(
      [
        '   ID NAME                      HOSTS VNETS DATASTORES',
        '    0 default                       0     0          2',
        '  100 production                    1     0          1',
        '',
      ].join('\n'),
    );
    expect((await run('onecluster show production')).out).toMatch(
      /^CLUSTER 100 INFORMATION\n[\s\S]*HOSTS\n0\n\nVNETS\n\nDATASTORES\n1\n$/,
    );
  });

  it('renames one, and changes what is said of it by template text', async () => {
    const said = { ...cluster(100, 'production'), attributes: { SITE: 'paris' } };
    api.on('GET /clusters/100', { body: said });
    await run('onecluster rename production staging');
    await run(`onecluster update 100 ${file('TIER = 1\n')}`);
    expect(sent()).toEqual([
      ['PATCH', '/clusters/100', { name: 'staging' }],
      ['PATCH', '/clusters/100', { attributes: { SITE: null, TIER: expect.anything() } }],
    ]);
  });

  it('puts datastores into a cluster beside the others that they are in, and out of it', async () => {
    await run('onecluster adddatastore production ds-0,1');
    await run('onecluster deldatastore production 1');
    await run('onecluster deldatastore 0 0');
    expect(sent()).toEqual([
      ['PATCH', '/datastores/0', { cluster_ids: [0, 100] }],
      ['PATCH', '/datastores/1', { cluster_ids: [0, 100] }],
      ['PATCH', '/datastores/1', { cluster_ids: [0] }],
      ['PATCH', '/datastores/0', { cluster_ids: null }],
    ]);
  });

  it('puts hosts into a cluster, and back into the default one', async () => {
    await run('onecluster addhost production host-1,1');
    await run('onecluster delhost production host-1');
    expect(sent()).toEqual([
      ['PATCH', '/hosts/0', { cluster_id: 100 }],
      ['PATCH', '/hosts/1', { cluster_id: 100 }],
      ['PATCH', '/hosts/0', { cluster_id: 0 }],
    ]);
  });
});
