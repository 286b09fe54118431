import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fast } from '../../../api/native/storage/datastores-examples.js';
import { data } from '../../../api/native/storage/images-examples.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { page } from '../stub-objects.js';
import { deployment } from '../stub-operation.js';
import { runCommand } from './run-one.js';

const capacity = { total: 102_400, used: 51_200, free: 51_200 };
const datastore = { ...fast, id: 1, name: 'default', limit_mb: null, capacity };
const used = { ...data, id: 7, name: 'alpine', type: 'OS' as const, state: 'USED' as const, vms: [12], size_mb: 2_048 };
const accepted = deployment({
  ...{ type: 'createImage', state: 'accepted' },
  resource: { type: 'image', id: 8, name: 'new', href: '/api/v1/images/8' },
});

let api: StubApi;
let directory: string;
beforeEach(async () => {
  api = await startStubApi();
  directory = mkdtempSync(join(tmpdir(), 'oneimage-'));
  api.on('GET /images', page(data, used));
  api.on('GET /images/7', { body: used });
  api.on('GET /datastores', page(datastore));
  api.on('GET /datastores/1', { body: datastore });
  for (const id of [0, 7]) api.on(`PATCH /images/${id}`, { body: data });
  api.on('POST /images', { status: 202, body: accepted });
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await api.stop();
});

const run = (line: string) => runCommand(line, api.environment);
const sent = () =>
  api.asked.flatMap(({ method, path, body }) => (method === 'GET' ? [] : [[method, path, body && JSON.parse(body)]]));

describe('oneimage', () => {
  it('lists images in the columns of OpenNebula 5.0', async () => {
    expect((await run('oneimage list')).out).toBe(
      [
        '  ID USER       GROUP      NAME            DATASTORE     SIZE TYPE PER STAT RVMS',
        '   0 oneadmin   oneadmin   data            default        10M   DB  No rdy     0',
        '   7 oneadmin   oneadmin   alpine          default         2G   OS  No used    1',
        '',
      ].join('\n'),
    );
  });

  it('shows one, and who uses it', async () => {
    const { out } = await run('oneimage show alpine');
    expect(out).toMatch(/^IMAGE 7 INFORMATION\nID {13}: 7\nNAME {11}: alpine\n[\s\S]*STATE {10}: used\n/);
    expect(out).toMatch(/VIRTUAL MACHINES\n12\n$/);
  });

  it('makes one of template text, and of options, which win', async () => {
    const file = join(directory, 'alpine.img');
    writeFileSync(
      file,
      'NAME = alpine\nPATH = "https://example.org/alpine.qcow2"\nTYPE = OS\nPERSISTENT = YES\nMD5 = 0cc175b9c0f1b6a831c399e269772661\nDEV_PREFIX = sd\n',
    );
    expect(await run(`oneimage create ${file} -d default --name other`)).toMatchObject({ code: 0, out: 'ID: 8\n' });
    expect(await run('oneimage create --name data --type datablock --size 1024')).toMatchObject({ code: 0 });
    expect(sent()).toEqual([
      [
        'POST',
        '/images',
        {
          ...{ name: 'other', source: { url: 'https://example.org/alpine.qcow2' }, type: 'OS', persistent: true },
          ...{ md5: '0cc175b9c0f1b6a831c399e269772661', datastore_id: 1 },
          attributes: { DEV_PREFIX: 'sd' },
        },
      ],
      ['POST', '/images', { name: 'data', source: { empty: { size_mb: 1_024 } }, type: 'DATABLOCK' }],
    ]);
    expect(await run('oneimage create --name nothing')).toMatchObject({ code: 255 });
  });

  it('changes those that ids and names say', async () => {
    await run('oneimage persistent 0,alpine');
    await run('oneimage chtype 0 cdrom');
    await run('oneimage disable 7');
    await run('oneimage lock 7');
    await run('oneimage unlock 7');
    expect(sent()).toEqual([
      ['PATCH', '/images/0', { persistent: true }],
      ['PATCH', '/images/7', { persistent: true }],
      ['PATCH', '/images/0', { type: 'CDROM' }],
      ['PATCH', '/images/7', { state: 'disabled' }],
      ['PATCH', '/images/7', { locked: true }],
      ['PATCH', '/images/7', { locked: false }],
    ]);
  });
});

describe('onedatastore', () => {
  it('lists and shows datastores with what is in them', async () => {
    expect((await run('onedatastore list')).out).toBe(
      [
        '  ID NAME                      SIZE AVAIL CLUSTERS     IMAGES TYPE DS      TM      STAT',
        '   1 default                   100G   50% 0                 2 img  fs      -       on',
        '',
      ].join('\n'),
    );
    expect((await run('onedatastore show default')).out).toMatch(/^DATASTORE 1 INFORMATION\n[\s\S]*IMAGES\n0\n7\n$/);
  });

  it('makes one of template text', async () => {
    const file = join(directory, 'ds.conf');
    writeFileSync(file, 'NAME = kernels\nDS_MAD = fs\nTM_MAD = ssh\nTYPE = FILE_DS\nLIMIT_MB = 2048\n');
    api.on('POST /datastores', { status: 201, body: { ...fast, id: 101, name: 'kernels' } });
    expect(await run(`onedatastore create ${file}`)).toMatchObject({ out: 'ID: 101\n' });
    expect(sent()).toEqual([['POST', '/datastores', { name: 'kernels', ds_mad: 'fs', type: 'file', limit_mb: 2_048 }]]);
  });
});
