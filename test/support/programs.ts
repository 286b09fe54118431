import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ipmiPrograms } from '../../schemas/hosts/ipmi-programs.js';
import { guestPrograms, libvirtHostPrograms, libvirtPrograms } from '../../schemas/hosts/libvirt-programs.js';
import { imagePrograms, sshPrograms } from '../../schemas/storage/image-programs.js';

/** Programs of the system that tests need, by what for, each with the package of Debian that has it. */
const testPrograms = {
  disks: { ...imagePrograms, tar: 'tar' },
  ssh: { ...sshPrograms, 'ssh-keygen': 'openssh-client' },
  // libvirt over ssh goes by `nc` to a socket that is named.
  sshd: { ...sshPrograms, 'ssh-keygen': 'openssh-client', sshd: 'openssh-server', nc: 'netcat-openbsd' },
  libvirt: { ...libvirtPrograms, ...libvirtHostPrograms },
  ipmi: ipmiPrograms,
  // No program: what Python imports, beside /usr/bin.
  virtualbmc: { '../lib/python3/dist-packages/libvirt.py': 'python3-libvirt' },
  guest: guestPrograms,
  network: { ip: 'iproute2', nft: 'nftables', ping: 'iputils-ping' },
  shells: { zsh: 'zsh', fish: 'fish' },
} as const;

/** What tests need programs of the system for. */
export type ProgramUse = keyof typeof testPrograms;

/** Where root finds programs, and others often do not look. */
const forRoot = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
const isThere = (program: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), ...forRoot].some((directory) => existsSync(join(directory, program)));

type Missing = [program: string, debian: string][];
const missingOf = (uses: readonly ProgramUse[]): Missing => [
  ...new Map(uses.flatMap((use) => Object.entries(testPrograms[use]).filter(([program]) => !isThere(program)))),
];
const packagesOf = (missing: Missing): string[] => [...new Set(missing.map(([, debian]) => debian))];
const mayInstall = (): boolean => process.getuid?.() === 0 && isThere('apt-get');

/** Why what is missing could not be installed by apt-get, or null. */
function install(uses: readonly ProgramUse[]): string | null {
  // Another process of the tests may be at it.
  const lock = ['-o', 'DPkg::Lock::Timeout=600'];
  const once = () =>
    spawnSync('apt-get', [...lock, 'install', '-y', '--no-install-recommends', ...packagesOf(missingOf(uses))], {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  if (once().status === 0) return null;
  // A fresh machine has no lists of packages yet.
  spawnSync('apt-get', [...lock, 'update']);
  const { status, stderr } = once();
  return status === 0 ? null : stderr;
}

/**
 * Sees to it that the programs for these uses are there: what is missing is installed where root has apt-get, and named in an
 * error elsewhere. A test that needs them is not skipped: CI would never run it.
 */
export function ensurePrograms(...uses: ProgramUse[]): void {
  const missing = missingOf(uses);
  if (missing.length === 0) return;
  const names = missing.map(([program]) => program).join(' and ');
  if (!mayInstall())
    throw new Error(
      `${names} must be installed for these tests: with apt-get install ${packagesOf(missing).join(' ')}`,
    );
  const fault = install(uses);
  if (fault !== null) throw new Error(`${names} could not be installed by apt-get: ${fault}`);
}

/**
 * All that any test needs, at once, where they can be installed: files that run beside each other would wait for each other's.
 * What cannot be had is told by the tests that need it.
 */
export function installAllPrograms(say: (line: string) => void): void {
  const uses: ProgramUse[] = ['disks', 'ssh', 'sshd', 'libvirt', 'ipmi', 'virtualbmc', 'guest', 'network', 'shells'];
  const missing = missingOf(uses);
  if (missing.length === 0 || !mayInstall()) return;
  say(`installing ${packagesOf(missing).join(', ')} for the tests`);
  install(uses);
}
