import { readdirSync, readFileSync } from 'node:fs';

/** Connections of ssh that lead to a port of this machine, and outlive whoever has made them: none is a child of ours. */
export const sessionsOf = (port: number): number[] =>
  readdirSync('/proc').flatMap((pid) => {
    const command = /^\d+$/.test(pid) ? commandOf(pid) : '';
    return command.startsWith('ssh -M ') && command.includes(` -p ${port} `) ? [Number(pid)] : [];
  });

/** What a process was started with; of one that is gone, nothing. */
export function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
