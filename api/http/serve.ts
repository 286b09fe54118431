import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Express } from 'express';
import type { Logger } from 'pino';
import { limits } from '../../schemas/common/limits.js';
import type { RefusalOf } from './refusal.js';
import { followPair, readPair, type TlsFiles } from './tls.js';
import { answerUnreadable } from './unreadable.js';
import { endUpgraded, takeUpgrades } from './upgrades.js';

/** Time that requests in progress have to end once the process is told to. */
const grace = 5_000;

export type Listening = {
  /** 0: one that is free. */
  port: number;
  address: string;
  /** How it answers what never reaches its routes: as these would. */
  refusalOf: RefusalOf;
  tls?: { files: TlsFiles; logger: Logger };
};

/** Listens, over TLS where there is a pair, or rejects with a sentence for the operator. */
export async function listen(app: Express, { port, address, refusalOf, tls }: Listening): Promise<Server> {
  const server = tls ? listener(app, tls) : createServer({ maxHeaderSize: limits.head.most }, app);
  answerUnreadable(server, refusalOf);
  takeUpgrades(server, app);
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'something else listens there' : cause.message;
      reject(new Error(`The API cannot listen on ${address}:${port}: ${reason}.`, { cause }));
    });
    server.listen(port, address, () => resolve(server));
  });
}

function listener(app: Express, { files, logger }: { files: TlsFiles; logger: Logger }): Server {
  const { expires, ...pair } = readPair(files);
  if (expires.getTime() < Date.now()) logger.warn({ expires }, 'the certificate has expired');
  const server = createTlsServer({ maxHeaderSize: limits.head.most, ...pair }, app);
  server.once('close', followPair(server, files, logger));
  return server;
}

/** Takes no new connections, waits for the requests in progress, and then closes what is left. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), grace);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
    endUpgraded(server);
  });
}
