import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Ticks of /proc: USER_HZ is 100 on every Linux that Node.js runs on. */
const ticksPerSecond = 100;

/** Seconds of CPU that a process has used, in user and kernel mode (/proc/[pid]/stat, fields 14 and 15); 0 when it is gone. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return 0;
  }
}

/** Resident memory of a process in MB (VmRSS), 0 when it is gone. */
export function residentMegabytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** Seconds that all cores together were not idle since the machine started: what waits for disks counts as idle. */
export function machineBusySeconds(): number {
  const ticks = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return ticks / 1_000;
}

/** The processes whose cost is told apart, by name. */
export type Processes = Readonly<Record<string, number>>;

/** What a stretch of time has cost: seconds of CPU by process, of everything else on the machine, and seconds that passed. */
export type Cost = { byProcess: Record<string, number>; others: number; seconds: number };

/** Begins to count; the function that it returns says what was used since. The process that counts is `generator`. */
export function startCounting(processes: Processes): () => Cost {
  const all: Processes = { ...processes, generator: process.pid };
  const read = () => Object.fromEntries(Object.entries(all).map(([name, pid]) => [name, cpuSeconds(pid)]));
  const [begin, before, busyBefore] = [performance.now(), read(), machineBusySeconds()];
  return () => {
    const now = read();
    const byProcess = Object.fromEntries(Object.entries(now).map(([name, used]) => [name, used - (before[name] ?? 0)]));
    const ours = Object.values(byProcess).reduce((sum, used) => sum + used, 0);
    return {
      byProcess,
      others: Math.max(0, machineBusySeconds() - busyBefore - ours),
      seconds: (performance.now() - begin) / 1_000,
    };
  };
}
