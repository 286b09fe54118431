import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const isOnPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));

/**
 * Sees to it that these programs are there, each with the Debian package that has it: what is missing is installed where root
 * has apt-get, and named in an error elsewhere. A test that needs them is not skipped: CI would never run it.
 */
export function ensurePrograms(programs: Readonly<Record<string, string>>): void {
  const missing = (): [program: string, debian: string][] =>
    Object.entries(programs).filter(([program]) => !isOnPath(program));
  const packages = missing().map(([, debian]) => debian);
  if (packages.length === 0) return;
  const names = missing()
    .map(([program]) => program)
    .join(' and ');
  if (process.getuid?.() !== 0 || !isOnPath('apt-get'))
    throw new Error(`${names} must be installed for these tests: with apt-get install ${packages.join(' ')}`);
  const lock = ['-o', 'DPkg::Lock::Timeout=60'];
  const install = () =>
    spawnSync('apt-get', [...lock, 'install', '-y', '--no-install-recommends', ...packages], {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  if (install().status === 0) return;
  // A fresh machine has no lists of packages yet.
  spawnSync('apt-get', [...lock, 'update']);
  const { status, stderr } = install();
  if (status !== 0) throw new Error(`${names} could not be installed by apt-get: ${stderr}`);
}
