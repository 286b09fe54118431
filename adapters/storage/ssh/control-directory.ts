import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { Problem } from '../../../domain/problems.js';

/**
 * Where sockets of connections are, for this user alone: whoever can open one is that user on the other machine. Its name is short whatever the home is called,
 * for the system takes a hundred characters for a socket; so it is not in the home. One that somebody else has made is refused.
 */
export async function controlDirectory(home: string): Promise<string> {
  const { uid } = userInfo();
  const path = `/tmp/arcus-ssh-${createHash('sha256').update(`${uid} ${home}`).digest('hex').slice(0, 12)}`;
  await mkdir(path, { mode: 0o700 }).catch(() => {});
  const about = await lstat(path);
  if (about.isDirectory() && (uid < 0 || about.uid === uid) && (about.mode & 0o077) === 0) return path;
  throw new Problem(
    'backend_unavailable',
    `${path} is not a directory of this user alone: it is where connections by ssh are kept. Remove it.`,
  );
}
