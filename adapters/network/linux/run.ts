import { execa } from 'execa';
import { Problem } from '../../../domain/problems.js';

/** What may a program of the network take: milliseconds, and bytes of what it says. A host of a thousand NICs says some megabytes. */
const bounds = { milliseconds: 30_000, bytes: 32 * 1024 ** 2 } as const;

export type Ran = { exitCode: number; stdout: string; stderr: string };

/**
 * Runs a program on a host, with what it is given by standard input. Throws `backend_unavailable` where there is no such program, or it does
 * not end, and the signal's reason.
 */
export type Run = (program: string, given: readonly string[], input: string, signal: AbortSignal) => Promise<Ran>;

/** Debian's package of each program that is asked for. */
const packages: Readonly<Record<string, string>> = { ip: 'iproute2', nft: 'nftables' };

/**
 * On this machine, with the programs of these directories. Nothing of our own environment: options that somebody has set there would be options of
 * these.
 */
export const runOn =
  (path: string): Run =>
  async (program, given, input, signal) => {
    const ran = await execa(program, given, {
      ...{ extendEnv: false, env: { PATH: path, LC_ALL: 'C' } },
      ...{ input, reject: false, cancelSignal: signal, timeout: bounds.milliseconds },
      ...{ forceKillAfterDelay: 1_000, maxBuffer: bounds.bytes },
    });
    signal.throwIfAborted();
    if (ran.code === 'ENOENT') {
      const debian = packages[program];
      throw new Problem(
        'backend_unavailable',
        `${program} is not installed on the host${debian === undefined ? '' : `. On Debian: apt-get install ${debian}`}.`,
      );
    }
    if (ran.exitCode === undefined) throw new Problem('backend_unavailable', `${program} did not end.`);
    return { exitCode: ran.exitCode, stdout: ran.stdout, stderr: ran.stderr };
  };

export const runHere: Run = runOn(process.env.PATH ?? '');
