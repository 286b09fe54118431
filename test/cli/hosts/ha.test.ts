import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../../support/certificates.js';
import { runArcus } from '../run-arcus.js';
import { type StubApi, startStubApi } from '../stub-api.js';
import { host, page } from '../stub-objects.js';
import { deployment } from '../stub-operation.js';

let api: StubApi;
const bmc = { kind: 'redfish', address: 'https://bmc-1', user: 'arcus', timeout: 60 };
const policy = {
  action: 'recreate',
  polls: 3,
  stopped: false,
  restarts: 3,
  alive: 'ask',
  fencing: [bmc, { kind: 'manual' }],
};
const unarmed = { ...host(0, 'host-1'), ha: policy, ha_of: 'host', armed: false };
beforeEach(async () => {
  api = await startStubApi();
  api.on('GET /hosts', page(host(0, 'host-1')));
  api.on('GET /hosts/0', { body: host(0, 'host-1') });
  api.on('PATCH /hosts/0', { body: unarmed });
});
afterEach(() => api.stop());

const arcus = (...args: string[]) => runArcus(args, api.environment);
const withInput = (input: string, ...args: string[]) => runArcus(args, api.environment, input);
const sent = (): unknown => {
  const asked = api.asked.find(({ method }) => method === 'PATCH');
  return asked && JSON.parse(asked.body);
};

describe('arcus host ha', () => {
  it('sends each method as it is written, with the passwords of standard input, and says that it is not armed', async () => {
    const { certificate } = makeCertificate();
    const { code, out } = await withInput(
      'first\nsecond\n',
      ...['host', 'ha', 'host-1', '--fence', 'redfish:https://bmc-1,arcus,437XR1138R2', 'ipmi:10.0.9.1,root,6230'],
      ...['libvirt:qemu:///system,nested', 'command:strip,4', 'manual', '--fence-certificate', certificate],
    );
    expect([code, out]).toEqual([0, expect.stringContaining('not armed')]);
    expect(out).toContain('arcus host fence-test 0');
    expect(sent()).toEqual({
      ha: {
        fencing: [
          {
            ...{ kind: 'redfish', address: 'https://bmc-1', user: 'arcus', system: '437XR1138R2' },
            ...{ certificate: readFileSync(certificate, 'utf8'), password: 'first' },
          },
          { kind: 'ipmi', address: '10.0.9.1', user: 'root', port: 6_230, password: 'second' },
          { kind: 'libvirt', uri: 'qemu:///system', domain: 'nested' },
          { kind: 'command', program: 'strip', arguments: ['4'] },
          { kind: 'manual' },
        ],
      },
    });
  });

  it('asks for no password that the host has, unless it is told to', async () => {
    api.on('GET /hosts/0', { body: unarmed });
    expect((await arcus('host', 'ha', '0', '--fence', 'redfish:https://bmc-1,arcus')).code).toBe(0);
    expect(sent()).toEqual({ ha: { fencing: [{ kind: 'redfish', address: 'https://bmc-1', user: 'arcus' }] } });
    api.asked.length = 0;
    await withInput('third\n', 'host', 'ha', '0', '--fence', 'redfish:https://bmc-1,arcus', '--password');
    expect(sent()).toMatchObject({ ha: { fencing: [{ password: 'third' }] } });
  });

  it.each([['redfish:https://bmc-1'], ['ipmi:10.0.9.1'], ['libvirt:qemu:///system'], ['ssh:root'], ['manual:1']])(
    'refuses %s, and says what there is',
    async (method) => {
      const { code, err } = await arcus('host', 'ha', '0', '--fence', method);
      expect([code, err]).toEqual([2, expect.stringContaining('redfish:<address>,<user>[,<system>]')]);
      expect(sent()).toBeUndefined();
    },
  );
});

it('arcus host list and show say whether a policy is armed, and how its last test ended', async () => {
  const test = { at: '2026-12-01T09:33:10.000Z', operation: 'op', passed: false, failed: 'ipmi at 10.0.9.1: no route' };
  api.on('GET /hosts', page(host(1, 'host-2'), { ...unarmed, fence_test: test }));
  api.on('GET /hosts/0', { body: { ...unarmed, fence_test: test } });
  const list = (await arcus('host', 'list')).out.split('\n');
  expect(
    list.map((line) =>
      line
        .trim()
        .split(/\s{2,}/)
        .at(-1),
    ),
  ).toEqual(['HA', 'not armed', '-', '']);
  const { out } = await arcus('host', 'show', '0');
  expect(out).toMatch(
    /^HA +: not armed: recreate after 3 missed polls, fenced by redfish:https:\/\/bmc-1,arcus, then manual$/m,
  );
  expect(out).toMatch(/^FENCING TEST +: failed at 2026-12-01T09:33:10.000Z: ipmi at 10.0.9.1: no route$/m);
});

it('arcus host fence-test asks for the operation', async () => {
  const resource = { type: 'host' as const, id: 0, name: 'host-1', href: '/api/v1/hosts/0' };
  const body = deployment({ type: 'testFencing', state: 'accepted', resource });
  api.on('POST /hosts/0/fence-test', { status: 202, body });
  const { code, out } = await arcus('host', 'fence-test', 'host-1');
  expect([code, out]).toEqual([0, expect.stringContaining('testFencing accepted as operation')]);
});
