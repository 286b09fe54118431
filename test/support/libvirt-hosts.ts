import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { HostTarget } from '../../adapters/hypervisor/port.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import { eventually } from './processes.js';
import { ensurePrograms } from './programs.js';

/** Whom QEMU runs as where the tests run as root: a daemon of root is that of the machine. */
const nobody = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;

/** Whether hosts of libvirt can neither be had here nor be installed: by who may not install programs. */
export function isLibvirtMissing(): boolean {
  try {
    ensurePrograms('libvirt', 'network');
    return false;
  } catch (error) {
    if (isRoot) throw error;
    console.warn(`left out: ${error instanceof Error ? error.message : String(error)}`);
    return true;
  }
}

const hostUuid = (): string =>
  `5a5a0000-0000-4000-8000-${Math.floor(Math.random() * 16 ** 12)
    .toString(16)
    .padStart(12, '0')}`;

/** What a machine has that no container has need not be there. */
const machineSettings = `
user = "root"
group = "root"
dynamic_ownership = 0
stdio_handler = "file"
namespaces = []
security_driver = "none"
cgroup_controllers = []
`;

/** A libvirt of a user’s own, which is a host by itself: its daemon and its guests are processes of this machine. */
export class LibvirtHost {
  readonly uri: string;
  readonly pool: string;
  static #count = Math.floor(Math.random() * 300);
  #daemon: { pid: number } | undefined;

  private constructor(
    readonly name: string,
    readonly directory: string,
    readonly total: Capacity,
    readonly isMachine = false,
    readonly ownNetwork = true,
  ) {
    this.uri = isMachine
      ? `qemu+unix:///system?socket=${directory}/run/libvirt-sock`
      : `qemu+unix:///session?socket=${directory}/run/libvirt/libvirt-sock`;
    this.pool = join(directory, 'arcus');
  }

  /** As root that of a machine, in a space of its own, or with the network of this one; else that of a user. */
  static async machine(name: string, total: Capacity, { ownNetwork = true } = {}): Promise<LibvirtHost> {
    if (!isRoot) return LibvirtHost.start(name, total);
    const directory = mkdtempSync(join(tmpdir(), 'lv-'));
    for (const part of ['run', 'lib', 'cache', 'log']) mkdirSync(join(directory, part));
    // Its settings, and nothing of what the machine's own libvirt has.
    mkdirSync(join(directory, 'etc'));
    for (const name of readdirSync('/etc/libvirt').filter((one) => one.endsWith('.conf')))
      cpSync(join('/etc/libvirt', name), join(directory, 'etc', name));
    appendFileSync(join(directory, 'etc/libvirtd.conf'), `host_uuid = "${hostUuid()}"\n`);
    appendFileSync(join(directory, 'etc/qemu.conf'), machineSettings);
    const host = new LibvirtHost(name, directory, total, true, ownNetwork);
    await host.begin();
    return host;
  }

  static async start(name: string, total: Capacity): Promise<LibvirtHost> {
    const directory = mkdtempSync(join(tmpdir(), 'lv-'));
    for (const part of ['', 'run', 'config', 'config/libvirt', 'cache', 'data']) {
      mkdirSync(join(directory, part), { recursive: true, mode: 0o700 });
      if (isRoot) chownSync(join(directory, part), nobody.uid, nobody.gid);
    }
    writeFileSync(join(directory, 'config/libvirt/libvirtd.conf'), `host_uuid = "${hostUuid()}"\n`);
    const ports = 49_200 + 20 * (LibvirtHost.#count++ % 300);
    writeFileSync(
      join(directory, 'config/libvirt/qemu.conf'),
      `migration_port_min = ${ports}\nmigration_port_max = ${ports + 19}\n`,
    );
    const host = new LibvirtHost(name, directory, total);
    await host.begin();
    return host;
  }

  get target(): HostTarget<'libvirt'> {
    const { name, total, uri, pool } = this;
    return {
      name,
      vm_mad: 'libvirt',
      connection: { total, uri, virt_type: 'qemu', directory: pool, address: '127.0.0.1' },
    };
  }

  /** Its daemon begins, and finds what still runs. */
  async begin(): Promise<void> {
    if (this.isMachine) return this.#beginMachine();
    const daemon = spawn('libvirtd', [], {
      ...(isRoot && nobody),
      cwd: this.directory,
      stdio: 'ignore',
      env: {
        ...{ PATH: `${process.env.PATH}:/usr/sbin`, HOME: this.directory },
        ...{ XDG_RUNTIME_DIR: join(this.directory, 'run'), XDG_CONFIG_HOME: join(this.directory, 'config') },
        ...{ XDG_CACHE_HOME: join(this.directory, 'cache'), XDG_DATA_HOME: join(this.directory, 'data') },
      },
    });
    if (daemon.pid === undefined) throw new Error('libvirtd does not start');
    this.#daemon = { pid: daemon.pid };
    await eventually(async () => (await this.virsh('version')) !== null);
  }

  /** In mounts and a network of its own, what it makes is nobody else’s. */
  async #beginMachine(): Promise<void> {
    const own = [
      'run:/run/libvirt',
      'etc:/etc/libvirt',
      'lib:/var/lib/libvirt',
      'cache:/var/cache/libvirt',
      'log:/var/log/libvirt',
    ];
    const mounts = own
      .map((pair) => pair.split(':'))
      .map(([from, to]) => `mkdir -p ${to} && mount --bind ${this.directory}/${from} ${to}`);
    const script = [
      'set -e',
      'mount --make-rprivate /',
      ...mounts,
      'ip link set lo up',
      `exec libvirtd --pid-file ${this.directory}/pid`,
    ].join('\n');
    const daemon = spawn('unshare', ['--mount', ...(this.ownNetwork ? ['--net'] : []), 'sh', '-c', script], {
      ...{ cwd: this.directory, stdio: 'ignore' },
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, HOME: this.directory },
    });
    if (daemon.pid === undefined) throw new Error('libvirtd does not start');
    this.#daemon = { pid: daemon.pid };
    await eventually(async () => (await this.virsh('version')) !== null);
  }

  /** The daemon is gone at once; guests run on. */
  stop(): void {
    if (this.#daemon) process.kill(this.#daemon.pid, 'SIGKILL');
    this.#daemon = undefined;
  }

  /** What virsh says; null: it fails. */
  async virsh(...words: string[]): Promise<string | null> {
    const { exitCode, stdout } = await execa('virsh', ['-c', this.uri, ...words], { reject: false });
    return exitCode === 0 ? stdout : null;
  }

  /** The processes of its guests. */
  guests(): number[] {
    const said = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
    return said
      .split('\n')
      .filter((line) => /qemu-system/.test(line) && line.includes(`${this.directory}/`))
      .map((line) => Number.parseInt(line.trim(), 10));
  }

  close(): void {
    this.stop();
    // One may be about to start still.
    for (let time = 0; time < 2; time += 1) {
      for (const pid of this.guests()) process.kill(pid, 'SIGKILL');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  log(): string {
    return readFileSync(join(this.directory, 'cache/libvirt/libvirtd.log'), 'utf8');
  }
}
