import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { office } from '../../../api/native/networks/networks-examples.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { page } from '../stub-objects.js';
import { runCommand } from './run-one.js';

const taken_at = '2026-11-29T12:00:00.000Z';
const lease = (ip: string, holder: object) => ({
  ...{ mac: '02:00:c0:a8:00:0a', ip, ip6_link: null, ip6_global: null, ip6_ula: null, ar_id: 0, taken_at },
  holder: { id: null, nic_id: null, ...holder },
});

let api: StubApi;
let directory: string;
beforeEach(async () => {
  api = await startStubApi();
  directory = mkdtempSync(join(tmpdir(), 'onevnet-'));
  api.on('GET /virtual-networks', page(office));
  api.on('GET /virtual-networks/0', { body: { ...office, attributes: { DNS: '9.9.9.9', NOTE: 'x' } } });
  const leases = [
    lease('192.168.0.10', { type: 'vm', id: 3, nic_id: 0 }),
    lease('192.168.0.11', { type: 'network', id: 7 }),
    lease('192.168.0.12', { type: 'hold' }),
  ];
  api.on('GET /virtual-networks/0/leases', page(...leases));
  for (const path of ['', '/0/address-ranges', '/0/hold', '/0/release', '/0/reserve'])
    api.on(`POST /virtual-networks${path}`, { body: { ...office, id: 8 } });
  api.on('PATCH /virtual-networks/0', { body: office });
  api.on('PUT /virtual-networks/0/address-ranges/0', { body: office });
  api.on('DELETE /virtual-networks/0', { status: 204, body: '' });
  api.on('DELETE /virtual-networks/0/address-ranges/1', { status: 204, body: '' });
});
afterEach(async () => {
  rmSync(directory, { recursive: true });
  await api.stop();
});

const run = (line: string) => runCommand(line, api.environment);
const sent = () =>
  api.asked.flatMap(({ method, path, body }) => (method === 'GET' ? [] : [[method, path, body && JSON.parse(body)]]));
function file(text: string): string {
  writeFileSync(join(directory, 'text'), text);
  return join(directory, 'text');
}

it('lists networks in the columns of OpenNebula 5.0', async () => {
  expect((await run('onevnet list')).out).toBe(
    [
      '  ID USER         GROUP        NAME                CLUSTERS   BRIDGE   LEASES',
      `   0 oneadmin     oneadmin     office              -          onebr0   ${String(office.used_leases).padStart(6)}`,
      '',
    ].join('\n'),
  );
});

it('shows one with its ranges, and who has which address', async () => {
  const { out } = await run('onevnet show office');
  expect(out).toMatch(/^VIRTUAL NETWORK 0 INFORMATION\nID {13}: 0\nNAME {11}: office\n[\s\S]*BRIDGE {9}: onebr0\n/);
  expect(out).toContain('VIRTUAL NETWORK TEMPLATE\nDNS="9.9.9.9"\nNOTE="x"\n');
  expect(out).toMatch(/ADDRESS RANGE POOL\nAR 0\nTYPE {11}: IP4\n[\s\S]*IP {3,}192\.168\.0\.10 {3,}192\.168\.0\.\d+\n/);
  const rows = out.slice(out.indexOf('LEASES\nAR')).trim().split('\n').slice(2);
  expect(rows.map((line) => line.trim().split(/\s+/).slice(0, 4))).toEqual([
    ['0', 'V:3', '02:00:c0:a8:00:0a', '192.168.0.10'],
    ['0', 'NET:7', '02:00:c0:a8:00:0a', '192.168.0.11'],
    ['0', 'V:-1', '02:00:c0:a8:00:0a', '192.168.0.12'],
  ]);
});

it('makes one of template text', async () => {
  const text = [
    ...['NAME = "Private"', 'VN_MAD = "802.1Q"', 'PHYDEV = eth0', 'VLAN_ID = 50', 'NETWORK_MASK = 255.255.255.0'],
    ...['AR = [ TYPE = "IP4", IP = "10.0.0.1", SIZE = "10" ]', 'AR = [ SIZE = 4, GLOBAL_PREFIX = "2001:db8::" ]', ''],
  ].join('\n');
  expect(await run(`onevnet create ${file(text)}`)).toMatchObject({ code: 0, out: 'ID: 8\n' });
  expect(sent()).toEqual([
    [
      'POST',
      '/virtual-networks',
      {
        ...{ name: 'Private', vn_mad: '802.1Q', phydev: 'eth0', vlan_id: 50 },
        attributes: { NETWORK_MASK: '255.255.255.0' },
        address_ranges: [
          { type: 'IP4', ip: '10.0.0.1', size: 10 },
          { type: 'IP6', size: 4, global_prefix: '2001:db8::' },
        ],
      },
    ],
  ]);
});

it('changes ranges, addresses and attributes, and reserves', async () => {
  await run('onevnet addar office -i 10.0.1.1 -s 5');
  await run(`onevnet addar 0 ${file('AR = [ TYPE = ETHER, SIZE = 3 ]\n')}`);
  await run('onevnet updatear 0 0 --size 20');
  await run(`onevnet updatear 0 0 ${file('SIZE = 30\n')}`);
  await run('onevnet rmar 0 1');
  await run('onevnet hold office 192.168.0.20');
  await run('onevnet release office 02:00:c0:a8:00:14');
  expect((await run('onevnet reserve office -n mine -s 4 -a 0')).out).toBe('Reservation ID: 8\n');
  // As OpenNebula has it: the reservation that they are added to stands behind the network.
  expect((await run('onevnet reserve office 0 -s 2')).out).toBe('Reservation ID: 8\n');
  await run(`onevnet update 0 ${file('GATEWAY = 10.0.0.254\n')}`);
  await run(`onevnet update 0 ${file('GATEWAY = 10.0.0.254\n')} --append`);
  await run('onevnet rename 0 backoffice');
  await run('onevnet delete 0');
  const at = '/virtual-networks/0';
  expect(sent()).toEqual([
    ['POST', `${at}/address-ranges`, { type: 'IP4', ip: '10.0.1.1', size: 5 }],
    ['POST', `${at}/address-ranges`, { type: 'ETHER', size: 3 }],
    ['PUT', `${at}/address-ranges/0`, { size: 20 }],
    ['PUT', `${at}/address-ranges/0`, { size: 30 }],
    ['DELETE', `${at}/address-ranges/1`, ''],
    ['POST', `${at}/hold`, { ip: '192.168.0.20' }],
    ['POST', `${at}/release`, { mac: '02:00:c0:a8:00:14' }],
    ['POST', `${at}/reserve`, { name: 'mine', size: 4, ar_id: 0 }],
    ['POST', `${at}/reserve`, { network_id: 0, size: 2 }],
    ['PATCH', at, { attributes: { DNS: null, NOTE: null, GATEWAY: '10.0.0.254' } }],
    ['PATCH', at, { attributes: { GATEWAY: '10.0.0.254' } }],
    ['PATCH', at, { name: 'backoffice' }],
    ['DELETE', at, ''],
  ]);
  expect(await run('onevnet reserve office -n mine')).toMatchObject({ code: 255 });
  expect(await run('onevnet addar office -i 10.0.1.1')).toMatchObject({ code: 255 });
});
