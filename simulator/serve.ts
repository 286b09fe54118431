import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Span } from '../schemas/hosts/simulator.js';
import { simulatorApp } from './app.js';
import { lockDirectory } from './lock-directory.js';
import { makeDirectory } from './make-directory.js';
import { Simulator } from './simulator.js';
import { ensureToken } from './token.js';

/** How long calls may take to end once a stop was asked for; they are woken at once, so that it is rarely needed. */
const drainMilliseconds = 5000;

export type ServeOptions = {
  /** 0: chosen free. */
  port: number;
  /** Address to listen on. Beyond loopback only where the network is trusted: nothing is encrypted. */
  listen: string;
  /** Where the log is; made when missing. One simulator a directory. */
  directory: string;
  /** What everybody has to bring; absent: the one that is kept in the directory, made when it is missing. */
  token: string | undefined;
  /** Boot time from now on; absent: as before. */
  boot: Span | undefined;
  log: Logger;
};

/** A simulator that serves until `stop` has drained it. Rejects when the port or the directory cannot be used. */
export async function serve({
  port,
  listen,
  directory,
  token,
  boot,
  log,
}: ServeOptions): Promise<{ url: string; stop(): Promise<void> }> {
  makeDirectory(directory);
  const unlock = await lockDirectory(directory);
  const simulator = new Simulator(directory, (err) => {
    log.fatal({ err }, 'the log cannot be written: ending, so that nothing is promised that is not kept');
    process.exit(1);
  });
  if (boot !== undefined) {
    await simulator.control({ kind: 'settings', settings: { ...simulator.state.settings, boot_ms: boot } });
  }
  const server = createServer(simulatorApp(simulator, log, token ?? ensureToken(directory)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, listen, 4096, resolve);
  });
  const url = `http://127.0.0.1:${portOf(server.address())}`;
  log.info({ url, directory, hosts: simulator.state.hosts.size }, 'listening');
  return {
    url,
    async stop() {
      simulator.stop();
      await new Promise<void>((resolve) => {
        const sweep = setInterval(() => server.closeIdleConnections(), 20);
        const last = setTimeout(() => server.closeAllConnections(), drainMilliseconds);
        server.close(() => {
          clearInterval(sweep);
          clearTimeout(last);
          resolve();
        });
      });
      simulator.close();
      unlock();
      log.info('stopped');
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.');
  return address.port;
}
