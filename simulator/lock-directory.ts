import { createHash } from 'node:crypto';
import { realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the shortest of the systems takes as the path of a socket, in bytes. */
const longestPath = 100;

/**
 * Keeps a second simulator from the directory: two would write over each other's log. The lock is a socket that is listened
 * on, so that the system itself says whether the holder lives, however it died. Resolves to what unlocks; throws when
 * another has it.
 */
export async function lockDirectory(directory: string): Promise<() => void> {
  const path = socketPath(realpathSync(directory));
  for (;;) {
    const server = await listen(path);
    if (server) return () => server.close();
    if (await answers(path)) throw new Error(`${directory} is in use by another simulator.`);
    rmSync(path, { force: true });
  }
}

function socketPath(directory: string): string {
  const path = join(directory, 'lock.sock');
  if (Buffer.byteLength(path) <= longestPath) return path;
  return join(tmpdir(), `arcus-sim-${createHash('sha1').update(directory).digest('hex').slice(0, 16)}.sock`);
}

/** The server, or null where the socket exists already. */
function listen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy()).unref();
    server.once('error', (error) => ('code' in error && error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    server.listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
