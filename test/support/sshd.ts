import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { SshConnection } from '../../adapters/storage/ssh/connection.js';
import { choosePort, isPortFree } from '../../runtime/processes/ports.js';
import { eventually } from './processes.js';
import { ensurePrograms } from './programs.js';

const sshd = '/usr/sbin/sshd';

const keyAt = (path: string, ...given: string[]): string => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path, ...given]);
  return path;
};
const publicOf = (path: string): string => readFileSync(`${path}.pub`, 'utf8').split(' ').slice(0, 2).join(' ').trim();

/** A directory that is only there, as on another machine: `is` lies at `at` for the server alone. Root alone can have one. */
export type Elsewhere = { at: string; is: string };

/** A real sshd, as an ordinary process with keys and settings of its own, on loopback. Whoever comes is the user who runs the test. */
export class Sshd {
  readonly #directory: string;
  readonly port: number;
  #process: ChildProcess;

  private constructor(
    directory: string,
    port: number,
    readonly elsewhere?: Elsewhere,
  ) {
    this.#directory = directory;
    this.port = port;
    this.#process = this.#spawn();
  }

  /** `settings`: lines of its configuration before the others, of which the first counts. */
  static async start(settings: readonly string[] = [], elsewhere?: Elsewhere): Promise<Sshd> {
    ensurePrograms('sshd');
    // As root it gives up its rights there.
    if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const directory = mkdtempSync('/tmp/arcus-sshd-');
    const port = await choosePort();
    for (const name of ['host', 'other-host', 'user', 'other-user']) keyAt(join(directory, name));
    writeFileSync(join(directory, 'authorized'), `${publicOf(join(directory, 'user'))}\n`, { mode: 0o600 });
    const lines = [
      ...settings,
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(directory, 'host')}`,
      `AuthorizedKeysFile ${join(directory, 'authorized')}`,
      `PidFile ${join(directory, 'pid')}`,
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      // The directory of the test is in one that everybody may write to.
      'StrictModes no',
      'UsePAM no',
      ...(settings.some((line) => line.startsWith('Subsystem')) ? [] : ['Subsystem sftp internal-sftp']),
      // By which bash leaves out what people have set for themselves: seconds, on some machines.
      'SetEnv SHLVL=2',
    ];
    writeFileSync(join(directory, 'config'), `${lines.join('\n')}\n`);
    const server = new Sshd(directory, port, elsewhere);
    await server.#listens();
    return server;
  }

  /** How a datastore of it is reached, in a directory of its own. */
  connection(change: Partial<SshConnection> = {}): SshConnection {
    return {
      ...{ host: '127.0.0.1', port: this.port, user: userInfo().username },
      ...{ host_keys: [this.hostKey()], directory: join(this.#directory, 'data') },
      ...{ private_key: this.privateKey(), ...change },
    };
  }
  hostKey = (name: 'host' | 'other-host' = 'host'): string => publicOf(join(this.#directory, name));
  privateKey = (name: 'user' | 'other-user' = 'user'): string => readFileSync(join(this.#directory, name), 'utf8');

  /** Those who are connected stay so: each has a process of its own. */
  async stopListening(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }
  async listenAgain(): Promise<void> {
    await this.stopListening();
    this.#process = this.#spawn();
    await this.#listens();
  }
  async stop(): Promise<void> {
    await this.stopListening();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const words = [sshd, '-D', '-e', '-f', join(this.#directory, 'config')];
    const { at, is } = this.elsewhere ?? {};
    const script = 'mount --make-rprivate / && mount --bind "$0" "$1" && shift && exec "$@"';
    const [program = sshd, ...rest] =
      at === undefined || is === undefined ? words : ['unshare', '--mount', 'sh', '-c', script, is, at, ...words];
    const child = spawn(program, rest, { stdio: 'ignore' });
    process.once('exit', () => child.kill('SIGKILL'));
    return child;
  }
  async #listens(): Promise<void> {
    await eventually(async () => !(await isPortFree(this.port)));
  }
}
