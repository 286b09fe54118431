import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptPassword, passwordOf } from '../../../../domain/hosts/fencing-methods.js';
import { makeCertificate } from '../../../support/certificates.js';
import { createWorld, type Method, type World } from '../../world.js';

let world: World;
let id: number;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
  id = (await ask('post', '/hosts', { name: 'host-1', cpu: 4, memory: 4_096 })).body.id;
});
afterAll(() => world.stop());

const secret = 'wJalrXUtnFEMI-K7MDENG';
const ask = (method: Method, path: string, body?: object) => world.ask('oneadmin', method, path, body);
const change = (ha: object | null) => ask('patch', `/hosts/${id}`, { ha });
const redfish = { kind: 'redfish', address: 'https://bmc-1.test', user: 'arcus' } as const;
const ipmi = { kind: 'ipmi', address: '10.0.9.1', user: 'arcus' } as const;
const host = async () => {
  const found = await world.store.hosts.find(id);
  if (!found) throw new Error('it is gone');
  return found;
};
/** The password that is kept for this. */
async function opened(account: typeof redfish | typeof ipmi): Promise<string | undefined> {
  const sealed = keptPassword(await host(), account);
  return sealed && world.sealer.open(sealed, passwordOf(id, account));
}

describe('what opens a BMC', () => {
  it('is kept sealed, shown nowhere, and stays as long as user and address do', async () => {
    const given = { fencing: [{ ...redfish, password: secret }, { ...ipmi, password: 'other' }, { kind: 'manual' }] };
    const { status, body, text } = await change({ action: 'recreate', ...given });
    expect(status).toBe(200);
    expect(text).not.toContain(secret);
    expect(body.ha.fencing).toEqual([
      { ...redfish, timeout: 60 },
      { ...ipmi, port: 623, timeout: 60 },
      { kind: 'manual' },
    ]);
    expect(body).toMatchObject({ armed: false, fence_test: null, expected_recovery: null });
    expect(JSON.stringify(await host())).not.toContain(secret);
    const { methods } = (await host()).ha ?? {};

    // What is shown can be sent back.
    expect((await change({ ...body.ha, polls: 7 })).status).toBe(200);
    expect([await opened(redfish), await opened(ipmi)]).toEqual([secret, 'other']);
    expect((await host()).ha?.methods).toBe(methods);
    // In another order, with another port, they are other methods.
    await change({ fencing: [{ ...ipmi, port: 624 }, redfish] });
    expect([await opened(redfish), await opened(ipmi)]).toEqual([secret, 'other']);
    expect((await host()).ha?.methods).not.toBe(methods);
    for (const path of [`/hosts/${id}`, '/hosts'])
      expect((await ask('get', path)).text).not.toMatch(/wJalr|"password"|"box"/);
  });

  it.each([
    ['another server', { address: 'https://bmc-2.test' }],
    ['the same by http', { address: 'http://bmc-1.test' }],
    ['another user', { user: 'root' }],
  ])('is not sent to %s: it is given anew for that', async (_, over) => {
    const { status, body } = await change({ fencing: [{ ...redfish, ...over }] });
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([
      { pointer: '/ha/fencing/0/password', detail: expect.stringMatching(/^is needed/) },
    ]);
    expect(await opened(redfish)).toBe(secret);
  });

  it('opens nothing where it was copied to another address, or to another host', async () => {
    const sealed = keptPassword(await host(), redfish);
    if (!sealed) throw new Error('it is kept');
    for (const place of [passwordOf(id, { ...redfish, address: 'https://bmc-2.test' }), passwordOf(id + 1, redfish)])
      expect(() => world.sealer.open(sealed, place)).toThrow(/is that of something else/);
  });

  it('is sealed anew with the other secrets, and its methods stay those that were tested', async () => {
    const { methods } = (await host()).ha ?? {};
    const before = keptPassword(await host(), ipmi);
    const { body } = await ask('post', '/secrets/rotate');
    expect(body).toMatchObject({ resealed: 2, unused: [before?.key] });
    expect(keptPassword(await host(), ipmi)?.key).toBe(body.key);
    expect([await opened(redfish), await opened(ipmi)]).toEqual([secret, 'other']);
    expect((await host()).ha?.methods).toBe(methods);
  });

  it('makes the methods others when it is another one', async () => {
    const { methods } = (await host()).ha ?? {};
    await change({ fencing: [{ ...ipmi, port: 624, password: 'third' }, redfish] });
    expect(await opened(ipmi)).toBe('third');
    expect((await host()).ha?.methods).not.toBe(methods);
  });

  it('goes with the policy', async () => {
    await change(null);
    expect(JSON.stringify(await host())).not.toContain('box');
    expect((await change({ action: 'recreate', fencing: [redfish] })).status).toBe(400);
  });
});

describe('a method', () => {
  const certificate = readFileSync(makeCertificate().certificate, 'utf8');
  it.each([
    ['an address with a path', { ...redfish, address: 'https://bmc-1.test/redfish' }, '/address'],
    ['an address with a user', { ...redfish, address: 'https://me@bmc-1.test' }, '/address'],
    ['another protocol', { ...redfish, address: 'ftp://bmc-1.test' }, '/address'],
    ['a system elsewhere', { ...redfish, system: '//evil.test/redfish' }, '/system'],
    ['a user with a colon', { ...redfish, user: 'a:b' }, '/user'],
    ['a password with a line', { ...redfish, password: 'a\nb' }, '/password'],
    ['a certificate that is none', { ...redfish, certificate: 'arcus' }, '/certificate'],
    ['one that cannot be read', { ...redfish, certificate: certificate.replace(/\n\w{20}/, '\nxxxx') }, '/certificate'],
    ['an address that is an option', { ...ipmi, address: '-H' }, '/address'],
    ['a password that IPMI cannot send', { ...ipmi, password: 'x'.repeat(21) }, '/password'],
    ['a port that is none', { ...ipmi, port: 65_536 }, '/port'],
    ['a URI that runs programs', { kind: 'libvirt', uri: 'qemu+ext:///system', domain: 'a' }, '/uri'],
    ['a domain that is an option', { kind: 'libvirt', uri: 'qemu:///system', domain: '--all' }, '/domain'],
    ['a kind that nobody knows', { kind: 'ssh' }, '/kind'],
  ])('is refused with %s, where it stands', async (_, method, at) => {
    const fencing = [{ kind: 'manual' }, method];
    const { status, body, text } = await change({ action: 'recreate', fencing });
    expect(status).toBe(400);
    expect(body.errors).toContainEqual(expect.objectContaining({ pointer: `/ha/fencing/1${at}` }));
    expect(text).not.toContain(secret);
    expect((await host()).ha ?? null).toBeNull();
  });

  it('is taken with a certificate', async () => {
    const { status, body } = await change({
      action: 'recreate',
      fencing: [{ ...redfish, certificate, password: secret }],
    });
    expect([status, body.ha.fencing[0].certificate]).toEqual([200, certificate]);
  });
});
