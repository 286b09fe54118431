import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Machine } from '../../adapters/storage/machine/machine.js';
import type { SshConnection } from '../../adapters/storage/ssh/connection.js';
import { controlDirectory } from '../../adapters/storage/ssh/control-directory.js';
import { sshStorage } from '../../adapters/storage/ssh/ssh.js';
import { sshMachine } from '../../adapters/storage/ssh/ssh-machine.js';
import { problemOf } from '../../domain/problems.js';
import { ownDirectory } from '../support/directories.js';
import { writeNoise } from '../support/disks.js';
import { connectionGiven } from '../support/given-connection.js';
import { eventually, launchBuilt } from '../support/processes.js';
import { ensurePrograms } from '../support/programs.js';
import { commandOf, sessionsOf } from '../support/ssh-sessions.js';
import { Sshd } from '../support/sshd.js';

let server: Sshd;
beforeAll(async () => {
  ensurePrograms('disks');
  server = await Sshd.start();
});
afterAll(() => server?.stop());

const MiB = 1024 ** 2;
const signal = (): AbortSignal => AbortSignal.timeout(60_000);
const commandsWith = (text: string): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandOf(pid))
    .filter((command) => command.includes(text));
/** What runs on the other machine, which is this one: not the ssh that asked for it, nor the shell that watches it. */
const qemus = (directory: string): string[] =>
  commandsWith(directory).filter((command) => command.startsWith('qemu-img'));
/** A conversion that takes hours, and names this directory. */
function slowConversion(): { directory: string; given: string[] } {
  const directory = ownDirectory();
  writeNoise(join(directory, 'from'), 64 * MiB);
  return {
    directory,
    given: ['convert', '-m', '1', '-r', '64K', '-O', 'raw', join(directory, 'from'), join(directory, 'to')],
  };
}
const machineOf = (change: Partial<SshConnection> = {}): Machine =>
  sshMachine(server.connection(change), ownDirectory());
const failure = async (call: Promise<unknown>) => {
  const problem = problemOf(
    await call.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
  return problem && { code: problem.code, text: problem.message };
};

describe('a program on another machine', () => {
  it('is given words as they are, and says what it says', async () => {
    const words = ['', ' ', "it's", '$HOME', '`id`', '*', '\\', '"', '-n', 'a\nb', '!x', '#', '~', '; exit 3', 'ä€😀'];
    const ran = await machineOf().attempt('printf', ['%s\\0', ...words], signal(), { moves: false });
    expect(ran).toEqual({ exitCode: 0, stdout: words.map((word) => `${word}\0`).join(''), stderr: '' });
  });

  it('fails as it fails, and is missing where it is', async () => {
    const machine = machineOf();
    const ran = await machine.attempt('sh', ['-c', 'echo no >&2; exit 7'], signal(), { moves: false });
    expect(ran).toEqual({ exitCode: 7, stdout: '', stderr: 'no' });
    expect(await machine.attempt('no-such-program', [], signal(), { moves: false })).toBeUndefined();
    const killed = machine.attempt('sh', ['-c', 'kill -KILL $$'], signal(), { moves: false });
    expect(await failure(killed)).toMatchObject({ text: expect.stringMatching(/sh on .* was ended from outside/) });
  });

  it('is ended when the call is aborted', async () => {
    const { directory, given } = slowConversion();
    const control = new AbortController();
    const running = machineOf().attempt('qemu-img', given, control.signal, { moves: true });
    await eventually(() => qemus(directory).length === 1);
    control.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await eventually(() => commandsWith(directory).length === 0);
  });

  it('is ended when who asked for it is killed', async () => {
    const { directory, given } = slowConversion();
    const environment = connectionGiven(server.connection());
    const asker = launchBuilt('test/contracts/run-remotely.js', [ownDirectory(), 'qemu-img', ...given], environment);
    await eventually(() => qemus(directory).length === 1);
    asker.process.kill('SIGKILL');
    await asker.exit;
    await eventually(() => commandsWith(directory).length === 0);
  });

  it('is ended when the connection is cut, and another one is made', async () => {
    const { directory, given } = slowConversion();
    const own = await Sshd.start();
    onTestFinished(() => own.stop());
    const machine = sshMachine(own.connection(), ownDirectory());
    const running = machine.attempt('qemu-img', given, signal(), { moves: true });
    const failed = failure(running);
    await eventually(() => qemus(directory).length === 1);
    const masters = sessionsOf(own.port);
    expect(masters).toHaveLength(1);
    for (const pid of masters) process.kill(pid, 'SIGKILL');
    expect(await failed).toMatchObject({ code: 'backend_unavailable' });
    await eventually(() => commandsWith(directory).length === 0);
    expect(await machine.files.readdir(directory)).toContain('from');
  });
});

describe('a connection', () => {
  it('leaves no file of what it was made with: a socket, which is this user’s alone', async () => {
    const home = ownDirectory();
    await sshMachine(server.connection(), home).files.stat('/');
    const directory = await controlDirectory(home);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const [socket, ...more] = readdirSync(directory).map((name) => statSync(join(directory, name)));
    expect(more).toEqual([]);
    expect(socket?.isSocket()).toBe(true);
    expect(readdirSync(home)).toEqual([]);
  });

  it('is not kept where somebody else may be', async () => {
    const home = ownDirectory();
    const directory = await controlDirectory(home);
    for (const spoil of [
      () => chmodSync(directory, 0o770),
      () => {
        rmSync(directory, { recursive: true });
        symlinkSync(home, directory);
      },
    ]) {
      spoil();
      const text = expect.stringMatching(/is not a directory of this user alone/);
      expect(await failure(sshMachine(server.connection(), home).files.stat('/'))).toMatchObject({ text });
    }
    rmSync(directory);
  });

  it('may have its private key in the home', async () => {
    const home = ownDirectory();
    mkdirSync(join(home, 'ssh'));
    writeFileSync(join(home, 'ssh', 'identity'), server.privateKey(), { mode: 0o600 });
    const machine = sshMachine(server.connection({ private_key: null }), home);
    expect(await machine.files.readdir(home)).toEqual(['ssh']);
  });
});

describe('what fails between here and there is told apart:', () => {
  const stat = (change: Partial<SshConnection> = {}, at = server) =>
    failure(sshMachine(at.connection(change), ownDirectory()).files.stat('/'));

  it('nobody listens', async () => {
    const gone = await Sshd.start();
    const connection = gone.connection();
    await gone.stop();
    expect(await failure(sshMachine(connection, ownDirectory()).files.stat('/'))).toMatchObject({
      ...{ code: 'backend_unavailable', text: expect.stringMatching(/refuses the connection: see whether sshd runs/) },
    });
  });

  it.each<[string, RegExp, () => Partial<SshConnection>]>([
    ['no name', /The name of .*no-such-machine\.invalid.* is not known/, () => ({ host: 'no-such-machine.invalid' })],
    [
      'another host key',
      /another host key than the datastore has/,
      () => ({ host_keys: [server.hostKey('other-host')] }),
    ],
    [
      'a key that is refused',
      /refuses the key: put the public one/,
      () => ({ private_key: server.privateKey('other-user') }),
    ],
    ['a user that there is not', /nobody-at-all@.* refuses the key/, () => ({ user: 'nobody-at-all' })],
    ['no key', /There is no private key .* ssh\/identity of the home/, () => ({ private_key: null })],
    [
      'a key that is none',
      /private key .* cannot be read/,
      () => ({ private_key: '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n' }),
    ],
  ])('%s', async (_what, text, change) => {
    expect(await stat(change())).toMatchObject({ code: 'backend_unavailable', text: expect.stringMatching(text) });
  });

  it('one of several keys that is not that of the machine is no harm', async () => {
    const keys = [server.hostKey('other-host'), server.hostKey()];
    expect(await stat({ host_keys: keys })).toBeUndefined();
  });

  it('no SFTP, and a shell that says something by itself', async () => {
    const text = expect.stringMatching(/does not speak SFTP as OpenSSH does/);
    for (const setting of ['Subsystem other internal-sftp', 'ForceCommand echo Welcome to this machine'])
      expect(await withSshd([setting], (at) => stat({}, at))).toMatchObject({ code: 'backend_unavailable', text });
  });

  it('too few sessions', async () => {
    await withSshd(['MaxSessions 1'], async (at) => {
      const machine = sshMachine(at.connection(), ownDirectory());
      await machine.files.stat('/');
      const text = expect.stringMatching(/MaxSessions/);
      expect(await failure(machine.attempt('true', [], signal(), { moves: false }))).toMatchObject({ text });
    });
  });

  it('a program that it lacks', async () => {
    const home = ownDirectory();
    mkdirSync(join(home, 'bin'));
    for (const program of ['sh', 'printf', 'prlimit']) symlinkSync(pathOf(program), join(home, 'bin', program));
    await withSshd([`SetEnv PATH=${join(home, 'bin')} SHLVL=2`], async (at) => {
      const storage = sshStorage(home, async () => at.connection());
      const empty = storage.createEmpty(
        { id: 1, datastore: { id: 1, ds_mad: 'ssh' }, epoch: 1 },
        { format: 'qcow2', size: MiB },
        signal(),
      );
      expect(await failure(empty)).toEqual({
        code: 'backend_unavailable',
        text: expect.stringMatching(/qemu-img is not installed on \S+@127\.0\.0\.1:\d+: .* apt-get install qemu-utils/),
      });
    });
  });
});

async function withSshd<T>(settings: string[], work: (server: Sshd) => Promise<T>): Promise<T> {
  const at = await Sshd.start(settings);
  try {
    return await work(at);
  } finally {
    await at.stop();
  }
}
const pathOf = (program: string): string => {
  const found = (process.env.PATH ?? '').split(':').map((directory) => join(directory, program));
  return found.find((path) => existsSync(path)) ?? program;
};
