import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const isOnPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));

/**
 * Sees to it that these shells are there, each a Debian package of the same name: what is missing is installed where root
 * has apt-get, and named in an error elsewhere. A test that needs them is not skipped: CI would never run it.
 */
export function ensureShells(...shells: readonly string[]): void {
  const missing = (): string[] => shells.filter((shell) => !isOnPath(shell));
  if (missing().length === 0) return;
  const names = missing().join(' and ');
  if (process.getuid?.() !== 0 || !isOnPath('apt-get'))
    throw new Error(`${names} must be installed to test completion there: with apt-get install ${missing().join(' ')}`);
  const lock = ['-o', 'DPkg::Lock::Timeout=60'];
  const install = () =>
    spawnSync('apt-get', [...lock, 'install', '-y', '--no-install-recommends', ...missing()], {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  if (install().status === 0) return;
  // A fresh machine has no lists of packages yet.
  spawnSync('apt-get', [...lock, 'update']);
  const { status, stderr } = install();
  if (status !== 0) throw new Error(`${names} could not be installed by apt-get: ${stderr}`);
}
