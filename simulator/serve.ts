import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Span } from '../schemas/simulator.js';
import { simulatorApp } from './app.js';
import { lockDirectory } from './lock-directory.js';
import { makeDirectory } from './make-directory.js';
import { Simulator } from './simulator.js';

/** How long calls may take to end once a stop was asked for; they are woken at once, so that it is rarely needed. */
const drainMilliseconds = 5000;

export type ServeOptions = {
  /** 0: chosen free. */
  port: number;
  /** Address to listen on. Nobody is asked for credentials: beyond loopback only where the network is trusted. */
  listen: string;
  /** Where the log is; made when missing. One simulator a directory. */
  directory: string;
  /** Boot time from now on; absent: as before. */
  boot: Span | undefined;
  log: Logger;
};

/** A simulator that serves until `stop` has drained it. Rejects when the port or the directory cannot be used. */
export async function serve({
  port,
  listen,
  directory,
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
  const server = createServer(simulatorApp(simulator, log));
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
