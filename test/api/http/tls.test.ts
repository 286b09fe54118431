import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { execa } from 'execa';
import express from 'express';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { close, listen } from '../../../api/http/serve.js';
import { readPair, type TlsFiles } from '../../../api/http/tls.js';
import { problemRefusal } from '../../../api/native/problem-refusal.js';
import { makeToken } from '../../../cli/identity/make-token.js';
import { createApiClient } from '../../../cli/shell/api-client.js';
import { fetchTrusting } from '../../../client/node/trusting-fetch.js';
import { homeAt } from '../../../runtime/home/home.js';
import { nextCommands } from '../../../runtime/sample/start-report.js';
import { runArcus } from '../../cli/run-arcus.js';
import { makeCertificate } from '../../support/certificates.js';

const loopback = { port: 0, address: '127.0.0.1', refusalOf: problemRefusal };
const logger = pino({ level: 'silent' });
const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await close(server);
});

async function serving(files: TlsFiles, log = logger) {
  const seen: (string | undefined)[] = [];
  const app = express().use((request, response) => {
    seen.push(request.headers.authorization);
    response.json({ path: request.path });
  });
  const server = await listen(app, { ...loopback, tls: { files, logger: log } });
  open.push(server);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens nowhere');
  return { port: address.port, seen };
}
const asked = async (port: number, trust: Parameters<typeof fetchTrusting>[0], name = '127.0.0.1') =>
  (await fetchTrusting(trust)(`https://${name}:${port}/here`, { headers: { authorization: 'Bearer x' } })).json();

describe('an API with a certificate', () => {
  it('is believed by that certificate alone, or by an authority that vouches for its name; others are sent nothing', async () => {
    const [own, other] = [makeCertificate(), makeCertificate()];
    const { port, seen } = await serving(own);
    expect(await asked(port, { pinned: own.certificate })).toEqual({ path: '/here' });
    expect(await asked(port, { authorities: own.certificate }, 'localhost')).toEqual({ path: '/here' });
    await expect(asked(port, { pinned: other.certificate })).rejects.toThrow('another certificate');
    await expect(asked(port, { authorities: other.certificate }, 'localhost')).rejects.toThrow('self-signed');
    await expect(asked(port, { authorities: own.certificate })).rejects.toThrow('127.0.0.1');
    await expect(asked(port, undefined, 'localhost')).rejects.toThrow();
    expect(seen).toEqual(['Bearer x', 'Bearer x']);
  });

  it('is told of by the command line when it is not trusted, with what to do', async () => {
    const { port } = await serving(makeCertificate());
    const client = createApiClient({
      endpoint: new URL(`https://localhost:${port}`),
      credentials: { token: 'arcus_x' },
    });
    await expect(client.list('/hosts', expect.anything())).rejects.toMatchObject({
      message: expect.stringContaining('is not to be trusted: self-signed certificate'),
    });
  });

  it('is told of by the command line when it is asked without TLS, and one without when it is asked with it', async () => {
    const { port } = await serving(makeCertificate());
    const server = await listen(express(), loopback);
    open.push(server);
    const plain = (server.address() as AddressInfo).port;
    const list = (ARCUS_ENDPOINT: string) => runArcus(['host', 'list'], { ARCUS_ENDPOINT, ARCUS_AUTH: 'a:b' });
    expect(await list(`http://127.0.0.1:${port}`)).toEqual({
      ...{ code: 2, out: '' },
      err: `arcus: 127.0.0.1:${port} speaks TLS, and was asked without.\nName it https://127.0.0.1:${port} in --endpoint, ARCUS_ENDPOINT or the context. What was sent has gone in the clear.\n`,
    });
    const environment = { ARCUS_ENDPOINT: `https://127.0.0.1:${plain}`, ARCUS_AUTH: 'a:b', ARCUS_HOME: '/nowhere' };
    for (const ARCUS_CA of ['', makeCertificate().certificate]) {
      const told = await runArcus(['host', 'list'], { ...environment, ARCUS_CA });
      expect(told.code).toBe(2);
      expect(told.err).toMatch(`arcus: 127.0.0.1:${plain} answers, but does not speak TLS.\n`);
      expect(told.err).toContain(`name it http://127.0.0.1:${plain} in`);
    }
  });

  it('answers curl as the start says', async () => {
    const own = makeCertificate();
    const { port, seen } = await serving(own);
    const directory = mkdtempSync(join(tmpdir(), 'arcus-curl-'));
    writeFileSync(join(directory, 'auth'), 'ann:secret');
    const commands = nextCommands({
      ...{ home: homeAt(directory), api: `https://127.0.0.1:${port}`, certificate: own.certificate, service: null },
    });
    const { stdout } = await execa('bash', ['-c', `${commands.at(-1)} -sS`]);
    expect(JSON.parse(stdout)).toEqual({ path: '/api/v1/hosts' });
    expect(seen).toEqual([`Basic ${Buffer.from('ann:secret').toString('base64')}`]);
  });

  it('is signed in to by the authorities in ARCUS_CA, and is not told the password without them', async () => {
    const own = makeCertificate();
    const { port, seen } = await serving(own);
    const signIn = (environment: Record<string, string>) =>
      makeToken({ secret: async () => 'of-a-test', environment }, new URL(`https://localhost:${port}`), 'alice', {
        name: undefined,
        expires_in: undefined,
      });
    await expect(signIn({ ARCUS_HOME: '/nowhere' })).rejects.toThrow('is not to be trusted');
    expect(seen).toEqual([]);
    // What this server answers is no token, but it was asked for one.
    await expect(signIn({ ARCUS_HOME: '/nowhere', ARCUS_CA: own.certificate })).rejects.toThrow();
    expect(seen).toEqual([`Basic ${Buffer.from('alice:of-a-test').toString('base64')}`]);
  });

  it('is asked by the authorities that a context has for it, and by no other context’s', async () => {
    const [own, other] = [makeCertificate(), makeCertificate()];
    const { port, seen } = await serving(own);
    const config = mkdtempSync(join(tmpdir(), 'arcus-ca-'));
    const arcus = (args: string[], input = '') => runArcus(args, { XDG_CONFIG_HOME: config, ARCUS_HOME: '' }, input);
    const create = (name: string, ...more: string[]) =>
      arcus(['context', 'create', name, '--endpoint', `https://localhost:${port}`, ...more], 'ann:1\n');
    expect(await create('own', '--ca', own.certificate)).toMatchObject({ code: 0, err: '' });
    expect((await arcus(['context', 'show', 'own'])).out).toMatch(`CA              : ${own.certificate}\n`);
    expect(await create('none')).toMatchObject({ code: 0 });
    expect(await create('other', '--ca', other.certificate)).toMatchObject({ code: 0 });
    // What this server answers is no list, but it was asked for one.
    expect((await arcus(['host', 'list'])).code).not.toBe(6);
    expect(seen).toHaveLength(1);
    for (const name of ['none', 'other'])
      expect(await arcus(['host', 'list', '--context', name])).toMatchObject({
        code: 6,
        err: expect.stringContaining('is not to be trusted'),
      });
    const login = await arcus(
      ['login', 'signed', '--endpoint', `https://localhost:${port}`, '--user', 'ann', '--ca', own.certificate],
      'a\n',
    );
    expect(login.code).not.toBe(6);
    expect(seen).toHaveLength(2);
    for (const file of [own.key, '/nowhere']) expect(await create('bad', '--ca', file)).toMatchObject({ code: 2 });
  });

  it('takes a new pair without a restart, and keeps the old one while the new one is broken', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'arcus-pair-'));
    const files = { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
    const [first, second] = [makeCertificate(), makeCertificate()];
    const put = (from: TlsFiles, what: keyof TlsFiles) => copyFileSync(from[what], files[what]);
    put(first, 'certificate');
    put(first, 'key');
    const warned = vi.fn();
    const { port } = await serving(files, Object.assign(pino({ level: 'silent' }), { warn: warned }));
    const shows = ({ certificate }: TlsFiles) => asked(port, { pinned: certificate });
    await shows(first);
    put(second, 'certificate');
    await vi.waitFor(() => expect(warned).toHaveBeenCalledTimes(1), { timeout: 300_000, interval: 200 });
    await shows(first);
    put(second, 'key');
    await vi.waitFor(() => shows(second), { timeout: 300_000, interval: 200 });
    writeFileSync(files.key, 'no key');
    await vi.waitFor(() => expect(warned).toHaveBeenCalledTimes(2), { timeout: 300_000, interval: 200 });
    await shows(second);
  });

  it('speaks TLS 1.2 and newer, and starts with no pair that does not fit', async () => {
    const [own, other] = [makeCertificate(), makeCertificate()];
    const { port } = await serving(own);
    const speaks = (maxVersion: 'TLSv1.1' | 'TLSv1.2') =>
      new Promise((resolve) => {
        const options = {
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          minVersion: 'TLSv1' as const,
          maxVersion,
        };
        const socket = connect({ ...options, ciphers: 'DEFAULT@SECLEVEL=0' }, () => {
          resolve(socket.getProtocol());
          socket.end();
        });
        socket.once('error', () => resolve('refused'));
      });
    expect(await speaks('TLSv1.2')).toBe('TLSv1.2');
    expect(await speaks('TLSv1.1')).toBe('refused');
    expect(() => readPair({ certificate: own.certificate, key: other.key })).toThrow('are no pair that can be used');
    await expect(serving({ certificate: '/nowhere.pem', key: own.key })).rejects.toThrow('/nowhere.pem cannot be read');
  });
});
