import { readdir, readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { limits } from '../../../schemas/common/limits.js';
import { ownName } from '../own-name.js';
import type { LibvirtHost } from './site.js';
import { sshLogin } from './ssh-words.js';

/**
 * VMs of an installation that have a QEMU process on a host, whether its libvirt answers or not: as the processes of this machine say, or over
 * ssh those of another. null: it cannot be seen so.
 */
export async function guestsSeen(
  { connection: { uri } }: Pick<LibvirtHost, 'connection'>,
  installation: string,
  signal: AbortSignal,
): Promise<number[] | null> {
  const url = new URL(uri);
  if (url.protocol === 'qemu:' || url.protocol === 'qemu+unix:') return guestsIn(await here(signal), installation);
  if (url.protocol !== 'qemu+ssh:') return null;
  const said = await there(url, installation, signal);
  return said === null ? null : guestsIn(said, installation);
}

/** The VMs whose domains are named in command lines of QEMU: `-name guest=one-12-0a1b2c3d,debug-threads=on`. */
export function guestsIn(text: string, installation: string): number[] {
  const found = new Set<number>();
  for (const [, name = '', vm] of text.matchAll(/guest=(one-(\d{1,12})-[0-9a-f]{8})(?![\w-])/g))
    if (name === ownName(`one-${vm}`, installation)) found.add(Number(vm));
  return [...found].sort((one, other) => one - other);
}

/** The command lines of this machine's QEMUs. */
async function here(signal: AbortSignal): Promise<string> {
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const lines: string[] = [];
  for (const id of processes) {
    signal.throwIfAborted();
    // Gone meanwhile, or nobody's to see.
    const line = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
    if (line.includes('guest=one-')) lines.push(line);
  }
  return lines.join('\n');
}

/** What is asked of the other machine: fixed words, but for eight hexadecimal digits. grep: 1, nothing is found. */
const question = (installation: string): string =>
  `grep -aoh 'guest=${ownName('one-[0-9]*', installation)}' /proc/[0-9]*/cmdline 2>/dev/null; test $? -le 2`;

async function there(url: URL, installation: string, signal: AbortSignal): Promise<string | null> {
  if (!/^[0-9a-f]{8}/.test(installation)) return null;
  const { PATH, HOME, SSH_AUTH_SOCK } = process.env;
  const { exitCode, stdout } = await execa('ssh', [...sshLogin(url), question(installation)], {
    env: { PATH, HOME, LC_ALL: 'C.UTF-8', ...(SSH_AUTH_SOCK && { SSH_AUTH_SOCK }) },
    ...{ extendEnv: false, reject: false, stdin: 'ignore', cancelSignal: signal, forceKillAfterDelay: 1_000 },
    maxBuffer: limits.backendAnswer.most,
  });
  signal.throwIfAborted();
  return exitCode === 0 ? stdout : null;
}
