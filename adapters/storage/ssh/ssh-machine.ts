import { execa } from 'execa';
import { Problem } from '../../../domain/problems.js';
import { inTurn } from '../../process/in-turn.js';
import { codeOf } from '../disk-fault.js';
import { called, exhaustedText, longestRun } from '../machine/here.js';
import type { Files, Machine, Manner, Ran } from '../machine/machine.js';
import { plainEnvironment } from '../unpack/run-filter.js';
import { isConnectionGone } from './arguments.js';
import type { SshConnection } from './connection.js';
import { calledBy, deniedBy, sshFault } from './fault.js';
import { Master } from './master.js';
import { ownPrograms } from './own-programs.js';
import { isExhausted, isKilled, isMissing, remoteCommand, unreached } from './remote-run.js';
import { Sftp } from './sftp.js';
import { sftpFiles } from './sftp-files.js';

/** Programs that run there at once: sshd takes ten sessions of a connection unless it is told otherwise, and one is that of files. */
const atOnce = 8;
/** Milliseconds without a question until the session of files ends, and the connection a while later. */
const restful = 30_000;

/** A machine that is reached by ssh. Nothing is done before something is asked of it. */
export function sshMachine(connection: SshConnection, home: string): Machine {
  const master = new Master(connection, home);
  const inTheirTurn = inTurn(atOnce);
  let session: Sftp | undefined;
  let opening: Promise<Sftp> | undefined;
  let boot: Promise<string | null> | undefined;
  let ending: NodeJS.Timeout | undefined;

  /** Once more where the connection had gone away unseen. */
  async function connected<T>(work: (through: string[]) => Promise<T>): Promise<T> {
    try {
      return await work(await master.through());
    } catch (error) {
      if (!(error instanceof ConnectionGone)) throw error;
      master.forget();
      return work(await master.through());
    }
  }

  const openSession = (): Promise<Sftp> =>
    connected((through) => {
      const at = through.length - 1;
      const given = [...through.slice(0, at - 1), '-s', ...through.slice(at - 1), 'sftp'];
      return Sftp.start('ssh', given, faultOf);
    });
  const faultOf = (said: string): Error =>
    isConnectionGone(said) ? new ConnectionGone(sshFault(connection, said)) : sshFault(connection, said);

  async function files(): Promise<Sftp> {
    if (!session?.isOpen) {
      boot = undefined;
      opening ??= openSession().finally(() => {
        opening = undefined;
      });
      session = await opening;
    }
    rest(session);
    return session;
  }
  function rest(sftp: Sftp): void {
    clearTimeout(ending);
    ending = setTimeout(() => {
      if (!sftp.isIdle) return rest(sftp);
      sftp.close().catch(() => {});
    }, restful).unref();
  }

  async function attempt(
    program: string,
    given: readonly string[],
    signal: AbortSignal,
    { moves, hear }: Manner,
  ): Promise<Ran | undefined> {
    const name = `${called(program, given)} on ${calledBy(connection)}`;
    return inTheirTurn(() =>
      connected(async (through) => {
        signal.throwIfAborted();
        const running = execa('ssh', [...through, remoteCommand(program, given)], {
          ...plainEnvironment,
          // Its input is open for as long as somebody waits for it.
          ...{ stdin: 'pipe', reject: false, cancelSignal: AbortSignal.any([signal]), timeout: moves ? 0 : longestRun },
          ...{ forceKillAfterDelay: 1_000, maxBuffer: 64 * 1024 * 1024 },
        });
        if (hear) running.stdout.setEncoding('utf8').on('data', hear);
        const { exitCode, stdout, stderr, timedOut } = await running;
        signal.throwIfAborted();
        if (timedOut) throw new Problem('backend_unavailable', `${name} did not end.`);
        if (exitCode === undefined || exitCode === unreached) throw faultOf(stderr);
        if (isMissing(exitCode)) return undefined;
        if (isExhausted(exitCode)) return { exitCode: 1, stdout, stderr: exhaustedText };
        if (isKilled(exitCode)) throw new Problem('backend_unavailable', `${name} was ended from outside.`);
        return { exitCode, stdout, stderr };
      }),
    );
  }

  const remote = sftpFiles(files);
  const machine: Machine = {
    ...{ key: calledBy(connection), name: calledBy(connection), bounds: true },
    files: told(connection, { ...remote, ...ownPrograms(attempt, remote, calledBy(connection)) }),
    async boot() {
      await files();
      boot ??= remote.readFile('/proc/sys/kernel/random/boot_id').then(
        (text) => text.trim(),
        () => null,
      );
      return boot;
    },
    attempt: (...asked) => said(connection, () => attempt(...asked)),
  };
  return machine;
}

/** There was no connection to go through: whoever asks has begun nothing. */
class ConnectionGone extends Error {
  constructor(cause: Problem) {
    super(cause.message, { cause });
  }
}

async function said<T>(connection: SshConnection, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw codeOf(error) === 'EACCES' ? deniedBy(connection, error) : error;
  }
}

/** The same files, of which is said in words who may not have them. */
function told(connection: SshConnection, files: Files): Files {
  const within =
    <A extends unknown[], T>(call: (...given: A) => Promise<T>) =>
    (...given: A): Promise<T> =>
      said(connection, () => call(...given));
  return {
    open: within(files.open),
    readFile: within(files.readFile),
    writeFile: within(files.writeFile),
    mkdir: within(files.mkdir),
    readdir: within(files.readdir),
    stat: within(files.stat),
    link: within(files.link),
    symlink: within(files.symlink),
    rename: within(files.rename),
    unlink: within(files.unlink),
    rmdir: within(files.rmdir),
    remove: within(files.remove),
    realpath: within(files.realpath),
    statfs: within(files.statfs),
    allocated: within(files.allocated),
    copyWithin: within(files.copyWithin),
  };
}
