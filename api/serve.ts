import { createServer, type Server } from 'node:http';
import type { Express } from 'express';
import { limits } from '../schemas/limits.js';
import { answerUnreadable } from './unreadable.js';

/** Time that requests in progress have to end once the process is told to. */
const grace = 5_000;

/** Listens, or rejects with a sentence for the operator. Port 0: one that is free. */
export function listen(app: Express, port: number, address: string): Promise<Server> {
  const server = createServer({ maxHeaderSize: limits.head.most }, app);
  answerUnreadable(server);
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'something else listens there' : cause.message;
      reject(new Error(`The API cannot listen on ${address}:${port}: ${reason}.`, { cause }));
    });
    server.listen(port, address, () => resolve(server));
  });
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
  });
}
