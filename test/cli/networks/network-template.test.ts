import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { isolated, ofIsolated } from '../../../api/native/networks/network-templates-examples.js';
import { ownDirectory } from '../../support/directories.js';
import { runCommand } from '../opennebula/run-one.js';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { page } from '../stub-objects.js';

let api: StubApi;
beforeAll(async () => {
  api = await startStubApi();
  api.on('GET /network-templates', page(isolated));
  api.on('GET /network-templates/0', { body: isolated });
  api.on('POST /network-templates', { status: 201, body: isolated });
  api.on('PATCH /network-templates/0', { body: isolated });
  api.on('POST /network-templates/0/instantiate', { status: 201, body: ofIsolated });
});
afterAll(() => api.stop());
beforeEach(() => {
  api.asked.length = 0;
});

const run = (line: string) => runArcus(line.split(' ').slice(1), api.environment);
const one = (line: string) => runCommand(line, api.environment);
const sent = () =>
  api.asked.flatMap(({ method, path, body }) => (method === 'GET' ? [] : [[method, path, body && JSON.parse(body)]]));

it('a template is made, changed and instantiated in the words of networks', async () => {
  const range = [{ type: 'IP4', ip: '10.0.0.1', size: 100 }];
  const made = await run(
    'arcus network-template create isolated --vn-mad vxlan --phydev eth0 --ip 10.0.0.1 --size 100',
  );
  expect(made.out, made.err).toBe('network template 0 (isolated) created.\n');
  await run('arcus network-template update 0 --attribute DNS=9.9.9.9');
  const { out } = await run('arcus network-template instantiate isolated lab --ip 10.0.0.1 --size 100');
  expect(out).toBe('network 2 (lab) created.\n');
  expect(sent()).toEqual([
    ['POST', '/network-templates', { name: 'isolated', vn_mad: 'vxlan', phydev: 'eth0', address_ranges: range }],
    ['PATCH', '/network-templates/0', { attributes: { DNS: '9.9.9.9' } }],
    ['POST', '/network-templates/0/instantiate', { name: 'lab', address_ranges: range }],
  ]);
  expect((await run('arcus network-template show 0')).out).toMatch(/DRIVER +:? ?vxlan\n/);
  const short = await run('arcus network-template instantiate 0 lab --ip 10.0.0.1');
  expect([short.code, short.err]).toEqual([2, expect.stringContaining('has a size')]);
});

it('onevntemplate has the verbs of OpenNebula', async () => {
  expect((await one('onevntemplate list')).out).toMatch(/^ +ID USER +GROUP +NAME\n +0 oneadmin +oneadmin +isolated\n$/);
  expect((await one('onevntemplate show 0')).out).toContain('VN_MAD="vxlan"');
  const file = join(ownDirectory(), 'net.txt');
  writeFileSync(file, 'NAME = lab\nVN_MAD = bridge\nAR = [ TYPE = IP4, IP = 10.0.0.1, SIZE = 10 ]\n');
  expect((await one(`onevntemplate create ${file}`)).out).toBe('ID: 0\n');
  writeFileSync(file, 'GATEWAY = 10.0.0.254\n');
  expect((await one(`onevntemplate instantiate isolated ${file} --name lab`)).out).toBe('VN ID: 2\n');
  expect(sent()).toEqual([
    [
      'POST',
      '/network-templates',
      { name: 'lab', vn_mad: 'bridge', address_ranges: [{ type: 'IP4', size: 10, ip: '10.0.0.1' }] },
    ],
    [
      'POST',
      '/network-templates/0/instantiate',
      { name: 'lab', attributes: { GATEWAY: '10.0.0.254' }, address_ranges: [] },
    ],
  ]);
});
