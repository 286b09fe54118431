import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../../schemas/common/limits.js';
import { plainEnvironment } from '../unpack/run-filter.js';
import { masterOptions, optionsOf, sharedOptions } from './arguments.js';
import type { SshConnection } from './connection.js';
import { controlDirectory } from './control-directory.js';
import { sshFault } from './fault.js';

/** A connection to a machine that is there when it is asked for: a program of its own, which outlives the one that asked by a minute at most. */
export class Master {
  readonly #connection: SshConnection;
  readonly #home: string;
  #connecting: Promise<string> | undefined;
  #socket: string | undefined;

  constructor(connection: SshConnection, home: string) {
    this.#connection = connection;
    this.#home = home;
  }

  /** Words behind `ssh` by which something goes through it, up to the machine. It is made if it is not there. */
  async through(): Promise<string[]> {
    if (this.#socket !== undefined && !existsSync(this.#socket)) this.forget();
    // Of many who ask at once, one makes it.
    this.#connecting ??= this.#connect();
    const socket = await this.#connecting;
    return [...sharedOptions(socket), ...optionsOf(this.#connection, alias, '/dev/null'), '--', this.#connection.host];
  }

  /** It was found not to be there: the next who asks has another. */
  forget(): void {
    this.#socket = undefined;
    this.#connecting = undefined;
  }

  async #connect(): Promise<string> {
    try {
      this.#socket = await this.#connected();
      return this.#socket;
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  async #connected(): Promise<string> {
    const directory = await controlDirectory(this.#home);
    const name = `${process.pid.toString(36)}.${randomBytes(4).toString('hex')}`;
    const [socket, known] = [join(directory, name), join(directory, `${name}.hosts`)];
    const { host, host_keys, private_key } = this.#connection;
    const lines = host_keys.map((key) => `${alias} ${key}\n`).join('');
    await writeFile(known, lines, { mode: 0o600, flag: 'wx' });
    try {
      const ssh = [
        ...masterOptions(socket),
        ...optionsOf(this.#connection, alias, known),
        ...(private_key === null
          ? ['-o', 'IdentitiesOnly=yes', '-i', join(this.#home, 'ssh', 'identity')]
          : // What there is in the agent, and no file.
            ['-o', 'IdentityFile=none']),
        ...['--', host],
      ];
      const { code, said } =
        private_key === null
          ? await ran('ssh', ssh, '')
          : await ran('ssh-agent', ['sh', '-c', withKey, 'sh', ...ssh], private_key);
      if (code !== 0) throw sshFault(this.#connection, said);
      return socket;
    } finally {
      await unlink(known);
    }
  }
}

/** A machine is known by its keys, not by how it is reached. */
const alias = 'arcus-datastore';

/**
 * The key is in the memory of an agent for as long as the connection takes to be made: it is in no file and among no arguments. It comes over a pipe, and what
 * asks people for words is not there.
 */
const withKey = 'ssh-add -q - && exec ssh "$@"';

/** Longer than it takes to be told that nobody answers, in milliseconds. */
const patience = 20_000;

/** Runs what goes on by itself, behind the one that was started: what ends is waited for, and not what it has left open. */
function ran(program: string, given: readonly string[], input: string): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve) => {
    const env = { ...plainEnvironment.env, SSH_ASKPASS_REQUIRE: 'force', SSH_ASKPASS: '/bin/false' };
    const child = spawn(program, given, {
      env,
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: patience,
      killSignal: 'SIGKILL',
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (words: string) => {
      said = (said + words).slice(-limits.quoted.most);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const end = (code: number | null, words: string): void => {
      child.stderr.destroy();
      resolve({ code, said: words });
    };
    child.once('error', () => end(null, 'ENOENT'));
    child.once('exit', (code, signal) =>
      // What it said last may be on its way still.
      setImmediate(() => end(code, signal === null ? said : 'it does not answer in time')),
    );
  });
}
