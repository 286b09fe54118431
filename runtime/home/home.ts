import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Obstacle, systemCode } from '../processes/obstacle.js';
import { makeDirectory } from './make-directory.js';

/** Where everything of one Arcus lies. */
export type Home = {
  directory: string;
  lock: string;
  ports: string;
  /** Of an API with TLS: the certificate by which the command line knows it. */
  tls: string;
  children: string;
  auth: string;
  sample: string;
  /** The disk of the sample's guests, until Arcus has it. */
  guest: string;
  cache: string;
  logs: string;
  temporal: string;
  mongodb: string;
  simulator: string;
};

const reasons: Record<string, string> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its disk is full',
  ENOTDIR: 'a part of this path is a file',
  EEXIST: 'it is a file',
  ENOENT: 'its file system takes no directories',
};

export function homeAt(path: string): Home {
  const directory = resolve(path);
  const at = (name: string) => join(directory, name);
  return {
    directory,
    lock: at('lock'),
    ports: at('ports.json'),
    tls: at('tls.json'),
    children: at('children.json'),
    auth: at('auth'),
    sample: at('sample.json'),
    guest: at('sample-guest.qcow2'),
    cache: at('cache'),
    logs: at('logs'),
    temporal: at('temporal'),
    mongodb: at('mongodb'),
    simulator: at('simulator'),
  };
}

/** Makes the home's directories and writes a file into it. Throws an Obstacle that says why that is not possible. */
export function ensureWritable(home: Home): void {
  const probe = join(home.directory, `.writable.${process.pid}`);
  try {
    // Others may read neither data nor credentials.
    makeDirectory(home.directory, 0o700);
    for (const directory of [home.logs, home.temporal, home.mongodb, home.simulator]) {
      makeDirectory(directory, 0o700);
      // Whoever made the home may have left it open, and these from before were.
      chmodSync(directory, 0o700);
    }
    writeFileSync(probe, 'x');
    rmSync(probe);
  } catch (error) {
    const reason = reasons[systemCode(error) ?? ''] ?? String(error);
    throw new Obstacle(`the home ${home.directory} cannot be written: ${reason}; choose another with --home DIR`);
  }
}
