import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { simulatedHypervisor } from '../../adapters/hypervisor/simulated/simulated.js';
import { simulatedHost } from '../support/simulated-vm.js';

const total = { cpu: 100, memory: 1024 };
const host = simulatedHost('host-1', total);
let server: Server | undefined;

/** A simulator's address, where `closes` says after which calls of a connection it is closed instead of an answer. */
async function served(closes: (nth: number) => boolean): Promise<{ url: string; connections: () => number }> {
  const calls = new Map<Socket, number>();
  const listening = createServer((request, response) => {
    const nth = (calls.get(request.socket) ?? 0) + 1;
    calls.set(request.socket, nth);
    if (closes(nth)) request.socket.destroy();
    else response.setHeader('content-type', 'application/json').end(JSON.stringify({ total, domains: [] }));
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, connections: () => calls.size };
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const probe = (url: string): Promise<unknown> =>
  simulatedHypervisor({ url, token: undefined }, 'tests').probe(host, new AbortController().signal);

it('calls again at once where a kept connection was closed as the call was sent', async () => {
  const { url, connections } = await served((nth) => nth === 2);
  for (let call = 0; call < 3; call++) expect(await probe(url)).toEqual({ domains: [], wilds: [] });
  expect(connections()).toBe(3);
});

it('says that the connection was lost where a new one is closed', async () => {
  const { url, connections } = await served(() => true);
  await expect(probe(url)).rejects.toThrow('host-1 cannot be reached: the connection was lost.');
  expect(connections()).toBe(1);
});
