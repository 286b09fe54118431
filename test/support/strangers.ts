import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Home } from '../../runtime/home/home.js';
import { withMongo } from '../../runtime/servers/mongodb-access.js';
import { listeningOf } from './listening.js';

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

/** What each process of a home says, at each port it listens on, to another account of the machine: nothing that matters. */
const strangers: Record<string, (port: number) => Promise<void>> = {
  MongoDB: async (port) => {
    const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
    const read = withMongo(uri, (client) => client.db('arcus').collection('users').findOne({}));
    await expect(read).rejects.toMatchObject({ codeName: 'Unauthorized' });
  },
  simulator: async (port) => {
    for (const path of ['/healthz', '/hosts', '/settings'])
      expect(await statusOf(`http://127.0.0.1:${port}${path}`), path).toBe(401);
  },
  api: async (port) => {
    for (const path of ['/user', '/users', '/vms', '/tokens', '/hosts'])
      expect(await statusOf(`http://127.0.0.1:${port}/api/v1${path}`), path).toBe(401);
    // What machines ask for: how it is, and how much it has done. The port for clients of OneFlow tells nobody.
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`);
    const told = await metrics.text();
    if (metrics.status === 401) expect(told).toBe('A username and password must be provided');
    else expect(told).not.toMatch(/mongodb:|password|token|oneadmin/i);
  },
  worker: async (port) => {
    for (const path of ['/healthz', '/', '/anything'])
      expect(await (await fetch(`http://127.0.0.1:${port}${path}`)).json(), path).toEqual({
        status: expect.any(String),
      });
  },
};

/** These ask nobody for credentials, which docs/identity.md says: the development server, its web page and its own parts. */
const knownOpen = ['Temporal'];

/** Tries every port of a running home as another account of the machine could (Linux). */
export async function expectClosedToStrangers(home: Home, children: readonly { name: string; pid: number }[]) {
  const listening = listeningOf(children);
  expect(new Set(listening.map(({ name }) => name))).toEqual(new Set([...Object.keys(strangers), ...knownOpen]));
  for (const { name, address, port } of listening) {
    expect(['127.0.0.1', '::1'], `${name} at ${address}:${port}`).toContain(address);
    if (!knownOpen.includes(name)) await strangers[name]?.(port);
  }
  for (const directory of ['logs', 'temporal', 'mongodb', 'simulator'])
    expect(statSync(join(home.directory, directory)).mode & 0o077, directory).toBe(0);
  const files = ['auth', 'mongodb/key', 'mongodb/password', 'simulator/token'];
  const shown = [
    execFileSync('ps', ['-axww', '-o', 'args='], { encoding: 'utf8' }),
    ...readdirSync(home.logs).map((log) => readFileSync(join(home.logs, log), 'utf8')),
  ];
  for (const file of files) {
    const path = join(home.directory, file);
    expect(statSync(path).mode & 0o777, file).toBe(0o600);
    const secret = readFileSync(path, 'utf8').trim().replace('oneadmin:', '');
    expect(
      shown.some((text) => text.includes(secret)),
      `${file} is shown`,
    ).toBe(false);
  }
}
