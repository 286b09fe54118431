import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, realpathSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the shortest of the systems takes as the path of a socket, in bytes. */
const longestPath = 100;
/** Two that see each other step back for up to so many milliseconds. */
const longestStepBack = 100;
/** Milliseconds for an answer to a knock. */
const patience = 1_000;

/**
 * Keeps a second simulator from the directory: two would write over each other's log. Each first listens on a socket of its
 * own name and then knocks at those of others, so that the system itself says who lives, however a holder died; of two, at
 * least the later one hears the other. Resolves to what unlocks; throws when another has it.
 */
export async function lockDirectory(directory: string): Promise<() => void> {
  const prefix = socketPrefix(realpathSync(directory));
  for (;;) {
    const path = `${prefix}${randomBytes(6).toString('hex')}.sock`;
    const claim = { isHeld: false };
    const server = await listen(path, claim);
    const rival = await rivalOf(prefix, path);
    if (rival === null) {
      claim.isHeld = true;
      return () => server.close();
    }
    await new Promise((resolve) => server.close(resolve));
    if (rival === 'holder') throw new Error(`${directory} is in use by another simulator.`);
    await sleep(Math.random() * longestStepBack);
  }
}

function socketPrefix(directory: string): string {
  const prefix = join(directory, 'lock-');
  if (Buffer.byteLength(`${prefix}${'0'.repeat(12)}.sock`) <= longestPath) return prefix;
  return join(tmpdir(), `arcus-sim-${createHash('sha1').update(directory).digest('hex').slice(0, 16)}-`);
}

/** Tells whoever knocks whether the directory is held or only wanted. */
function listen(path: string, claim: { isHeld: boolean }): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(claim.isHeld ? 'holder' : 'contender');
    }).unref();
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

/** Another simulator that lives. A socket at which nobody answers is removed: nobody will listen on that name again. */
async function rivalOf(prefix: string, own: string): Promise<'holder' | 'contender' | null> {
  const names = readdirSync(dirname(prefix)).filter((name) => name.startsWith(basename(prefix)));
  for (const path of names.map((name) => join(dirname(prefix), name))) {
    if (path === own || !path.endsWith('.sock')) continue;
    const answer = await knock(path);
    if (answer !== null) return answer;
    rmSync(path, { force: true });
  }
  return null;
}

/** null: nobody listens. Who takes the knock and says nothing is frozen, and may thaw. */
function knock(path: string): Promise<'holder' | 'contender' | null> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(path).setTimeout(patience, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    socket.once('close', () => resolve(said === 'contender' ? 'contender' : 'holder'));
    socket.once('error', (error) => {
      if ('code' in error && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT')) resolve(null);
    });
  });
}
