import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporalFile } from './temporal-server.js';

const files = (directory: string) => {
  const database = join(directory, temporalFile);
  return [database, `${database}-wal`, `${database}-shm`];
};

const versionFile = (directory: string) => join(directory, 'version');

/** The version of the server that has used the database file last, or null. */
function lastVersion(directory: string): string | null {
  try {
    return readFileSync(versionFile(directory), 'utf8').trim();
  } catch {
    return null;
  }
}

/**
 * Runs `startServer` on the database file in the directory. The file is replaceable: what matters is made again from MongoDB.
 * Before another version opens it, it is copied; when the server ends on it, it is put aside and an empty one is begun; when
 * it ends on that too, the file was not the reason and is put back.
 */
export async function withTemporalFile<T>(
  directory: string,
  version: string,
  say: (line: string) => void,
  startServer: () => Promise<T>,
  hasEnded: (error: unknown) => boolean,
): Promise<T> {
  const before = lastVersion(directory);
  const existed = files(directory).some(existsSync);
  if (existed && before !== null && before !== version) {
    say(`Temporal goes from ${before} to ${version}: its database file is copied first`);
    for (const file of files(directory)) if (existsSync(file)) copyFileSync(file, `${file}.before-upgrade`);
  }
  const done = (server: T): T => {
    writeFileSync(versionFile(directory), `${version}\n`);
    return server;
  };
  try {
    return done(await startServer());
  } catch (error) {
    if (!existed || !hasEnded(error)) throw error;
    say('Temporal does not start on its database file: it is put aside, and an empty one begun');
    for (const file of files(directory)) if (existsSync(file)) renameSync(file, `${file}.unusable`);
    try {
      return done(await startServer());
    } catch {
      for (const file of files(directory)) {
        rmSync(file, { force: true });
        if (existsSync(`${file}.unusable`)) renameSync(`${file}.unusable`, file);
      }
      throw error;
    }
  }
}
