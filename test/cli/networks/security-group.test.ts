import { afterEach, beforeEach, expect, it } from 'vitest';
import { web } from '../../../api/native/networks/security-groups-examples.js';
import { runCommand } from '../opennebula/run-one.js';
import { runArcus } from '../run-arcus.js';
import { problem, type StubApi, startStubApi } from '../stub-api.js';
import { page } from '../stub-objects.js';
import { deployment } from '../stub-operation.js';

let api: StubApi;
const all = {
  ...web,
  vms: [12],
  rules: [...web.rules, { protocol: 'UDP' as const, rule_type: 'inbound' as const, ip: '10.0.0.1', size: 50 }],
};
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /security-groups', page(all));
  api.on(`GET /security-groups/${web.id}`, { body: all });
  api.on('POST /security-groups', { status: 201, body: web });
  api.on(`PATCH /security-groups/${web.id}`, { body: web });
});
afterEach(() => api.stop());

const run = (line: string) => runArcus(line.split(' ').slice(1), api.environment);
const sent = () =>
  api.asked.flatMap(({ method, path, body }) => (method === 'GET' ? [] : [[method, path, body && JSON.parse(body)]]));

it('a security group is made of rules in a word each', async () => {
  const line = 'arcus security-group create web --inbound tcp:22,80:90@10.0.0.1+50 icmp:8 all@network:3 --outbound all';
  expect((await run(line)).code).toBe(0);
  expect(sent()).toEqual([
    [
      'POST',
      '/security-groups',
      {
        name: 'web',
        rules: [
          { protocol: 'TCP', rule_type: 'inbound', range: '22,80:90', ip: '10.0.0.1', size: 50 },
          { protocol: 'ICMP', rule_type: 'inbound', icmp_type: 8 },
          { protocol: 'ALL', rule_type: 'inbound', network_id: 3 },
          { protocol: 'ALL', rule_type: 'outbound' },
        ],
      },
    ],
  ]);
});

it('what is no rule is refused, with one that is', async () => {
  const { code, err } = await run('arcus security-group create web --inbound @10.0.0.1');
  expect([code, err]).toEqual([2, expect.stringMatching(/^arcus: "@10\.0\.0\.1" is no rule\.\nSuch as: arcus /)]);
  expect(sent()).toEqual([]);
});

it('a NIC is attached with security groups by their names or ids', async () => {
  api.on('POST /vms/3/nics', { status: 202, body: deployment() });
  await run('arcus vm nic-attach 3 --network office --security-group web');
  expect(sent()).toEqual([['POST', '/vms/3/nics', { network: 'office', security_groups: [web.id] }]]);
});

it('an ICMP rule by a word is refused with what it is to be', async () => {
  const { code, err } = await run('arcus security-group create web --inbound icmp:echo');
  expect([code, err]).toEqual([
    2,
    expect.stringContaining('"icmp:echo" is no rule: of ICMP the number of a type is named'),
  ]);
  expect(sent()).toEqual([]);
});

it('onesecgroup tells once what is wrong, in the words of the API', async () => {
  const detail = 'must be ports from 0 to 65535, such as 22,53,80:90';
  const said = `/rules/0/range ${detail}.`;
  api.on('POST /security-groups', problem(400, 'invalid_request', said, [{ pointer: '/rules/0/range', detail }]));
  const { code, err } = await runCommand('onesecgroup clone web other', api.environment);
  expect([code, err.split('\n').filter((line) => line.includes(detail))]).toEqual([255, [said]]);
});

it('a security group is shown with its rules and who has it', async () => {
  const { out } = await run('arcus security-group show web');
  expect(out).toMatch(/VMS +:? ?12\n/);
  expect(out).toMatch(/inbound +TCP +80,443 +any\n/);
  expect(out).toMatch(/inbound +UDP +all +10\.0\.0\.1 \+49\n/);
});

it('onesecgroup lists and shows as OpenNebula 5.0 does', async () => {
  const one = (line: string) => runCommand(line, api.environment);
  expect((await one('onesecgroup list')).out).toBe(
    '  ID USER         GROUP        NAME\n 100 oneadmin     oneadmin     web\n',
  );
  const { out } = await one('onesecgroup show web');
  expect(out).toMatch(/^SECURITY GROUP 100 INFORMATION\nID {13}: 100\nNAME {11}: web\n/);
  expect(out).toContain('inbound  TCP                  Any                          80,443');
  expect(out).toContain('inbound  UDP                  Start: 10.0.0.1, Size: 50    All');
  expect(out).toContain('RULE=[\n  PROTOCOL="TCP",\n  RULE_TYPE="inbound",\n  RANGE="80,443" ]');
  expect((await one('onesecgroup clone web other')).out).toBe('ID: 100\n');
  expect(sent()).toEqual([['POST', '/security-groups', { name: 'other', rules: all.rules }]]);
});
