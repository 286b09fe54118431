import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process that can be recognised again: a pid alone is given to somebody else sooner or later. */
export type ProcessIdentity = { pid: number; started: string };

function startedOnLinux(pid: number): string | null {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name may hold blanks and parentheses: fields are counted after the last one. See proc(5): 3 is the state, 22 the start.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : `${boot}/${fields[19]}`;
}

function startedElsewhere(pid: number): string | null {
  const answer = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  return answer === '' || answer.startsWith('Z') ? null : answer.replace(/^\S+\s+/, '');
}

/** When the process began, in the system's own words, or null when there is none (a zombie is none). */
export function startOf(pid: number): string | null {
  try {
    return process.platform === 'linux' ? startedOnLinux(pid) : startedElsewhere(pid);
  } catch {
    return null;
  }
}

/** Whether any process has this pid. */
export const isAlive = (pid: number): boolean => startOf(pid) !== null;

/** Whether the process that was seen under this pid still runs. */
export const isSame = ({ pid, started }: ProcessIdentity): boolean => startOf(pid) === started;

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid) ?? '' };
}
