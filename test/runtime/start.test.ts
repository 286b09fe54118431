import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { checkout } from '../../adapters/process/checkout.js';
import type { Home } from '../../runtime/home/home.js';
import { isAlive } from '../../runtime/processes/process-identity.js';
import { readCredentials } from '../../runtime/servers/credentials.js';
import { leftOf, type StartedArcus, startArcus, startArcusWithNpm } from '../support/arcus.js';
import { ownDirectory } from '../support/directories.js';
import { eventually } from '../support/processes.js';
import { expectClosedToStrangers } from '../support/strangers.js';

const run = promisify(execFile);

const patience = 600_000;
const Ports = z.record(z.string(), z.int());
const portsOf = (home: Home) => Ports.parse(JSON.parse(readFileSync(home.ports, 'utf8')));

const Services = z.object({
  items: z.array(z.object({ id: z.int(), name: z.string(), state: z.string() })),
});
const Vms = z.object({ items: z.array(z.object({ id: z.int(), name: z.string(), lcm_state: z.string() })) });

async function ask<T extends z.ZodType>(home: Home, path: string, shape: T): Promise<z.infer<T>> {
  const { name, password } = readCredentials(home.auth);
  const response = await fetch(`http://127.0.0.1:${portsOf(home).api}/api/v1${path}`, {
    headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
  });
  return shape.parse(await response.json());
}

async function stop(arcus: StartedArcus): Promise<void> {
  const children = arcus.children();
  arcus.process.kill('SIGINT');
  expect(await arcus.exit, arcus.text()).toBe(0);
  expect(children.filter(({ pid }) => isAlive(pid))).toEqual([]);
  expect(leftOf(arcus.home)).toEqual([]);
}

describe('npm start', () => {
  it.skipIf(process.platform !== 'linux')(
    'listens nowhere where another account of the machine is let in, but at Temporal, and says so (Linux: /proc)',
    async () => {
      const arcus = startArcus(ownDirectory(), ['--no-sample']);
      await arcus.up;
      expect(arcus.text()).toContain('development server asks nobody for credentials');
      await expectClosedToStrangers(arcus.home, arcus.children());
      await stop(arcus);
    },
    patience,
  );

  it(
    'deploys the sample on the first start, stops with Ctrl-C, and finds all as it was on the next',
    async () => {
      const directory = ownDirectory();
      const first = startArcus(directory);
      await first.up;
      expect(first.text()).toContain('my_service is RUNNING: frontend 1/1, db_master 1/1, db_slave 3/3, worker 10/10');
      expect(statSync(first.home.auth).mode & 0o777).toBe(0o600);
      expect(readFileSync(first.home.auth, 'utf8')).toMatch(/^oneadmin:\S{20,}\n$/);
      const vms = await ask(first.home, '/vms', Vms);
      expect(vms.items).toHaveLength(15);
      expect(new Set(vms.items.map((vm) => vm.lcm_state))).toEqual(new Set(['RUNNING']));

      const [, commands = ''] = first.text().split('Next, in another terminal:\n');
      const next = commands.split('\n').filter((line) => line.startsWith('  '));
      expect(next).toEqual(
        expect.arrayContaining([`  export PATH="${join(checkout, 'bin')}:$PATH"`, '  arcus vm list']),
      );
      const { stdout } = await run('sh', ['-c', `set -e\n${next.join('\n')}`], { cwd: directory });
      for (const told of [/^SERVICE 1 INFORMATION/m, /worker_9_.* RUNNING/, /"name":"my_service"/])
        expect(stdout).toMatch(told);
      for (const [, url = ''] of first.text().matchAll(/(http:\/\/127\.0\.0\.1:\d+\S*)/g)) {
        if (url.includes('/api/v1')) continue;
        // Clients of OneFlow say who they are whatever they ask for.
        const isOneflow = first
          .text()
          .split('\n')
          .some((line) => line.includes('OneFlow') && line.includes(url));
        expect((await fetch(url)).status, url).toBe(isOneflow ? 401 : 200);
      }
      const ports = portsOf(first.home);
      await stop(first);

      const second = startArcus(directory);
      await second.up;
      expect(portsOf(second.home)).toEqual(ports);
      expect(await ask(second.home, '/vms', Vms)).toEqual(vms);
      expect((await ask(second.home, '/services', Services)).items.map(({ name, state }) => [name, state])).toEqual([
        ['my_service', 'RUNNING'],
      ]);
      await stop(second);
    },
    patience,
  );

  it(
    'starts a process again that was killed, and after kill -9 of its own never leaves two servers on one directory',
    async () => {
      const directory = ownDirectory();
      const first = startArcus(directory, ['--no-sample']);
      await first.up;
      const before = first.children();
      expect(before.map(({ name }) => name).sort()).toEqual(['MongoDB', 'Temporal', 'api', 'simulator', 'worker']);
      for (const { pid } of before) process.kill(pid, 'SIGKILL');
      await eventually(() => {
        const now = first.children();
        return now.length === before.length && !now.some(({ pid }) => before.some((child) => child.pid === pid));
      });
      await eventually(() => ask(first.home, '/services', Services).catch(() => undefined));

      const killed = first.children();
      first.process.kill('SIGKILL');
      const second = startArcus(directory, ['--no-sample']);
      await second.up;
      expect(killed.filter(({ pid }) => isAlive(pid))).toEqual([]);
      expect(second.children()).toHaveLength(5);
      expect((await ask(second.home, '/services', Services)).items).toEqual([]);
      await stop(second);
    },
    patience,
  );

  it(
    'runs two homes side by side, and refuses a third start on one of them',
    async () => {
      const [one, other] = [startArcus(ownDirectory(), ['--no-sample']), startArcus(ownDirectory(), ['--no-sample'])];
      await Promise.all([one.up, other.up]);
      const shared = Object.values(portsOf(one.home)).filter((port) =>
        Object.values(portsOf(other.home)).includes(port),
      );
      expect(shared).toEqual([]);

      const third = startArcus(one.home.directory, ['--no-sample']);
      expect(await third.exit).toBe(1);
      expect(third.text()).toBe(
        `arcus: the home ${one.home.directory} is in use by process ${one.pid}: end that one, or choose another home with --home DIR\n`,
      );
      expect(one.children()).toHaveLength(5);
      await Promise.all([stop(one), stop(other)]);
    },
    patience,
  );

  it(
    'leaves nothing behind when it is stopped while it starts',
    async () => {
      const arcus = startArcus(ownDirectory(), ['--no-sample']);
      await eventually(() => arcus.children().length >= 2);
      await stop(arcus);
      expect(arcus.text()).not.toContain('Ctrl-C stops everything');
    },
    patience,
  );

  it(
    'stops in order when npm is told to end',
    async () => {
      const arcus = startArcusWithNpm(ownDirectory());
      await eventually(() => arcus.children().length >= 2);
      arcus.process.kill('SIGTERM');
      await arcus.exit;
      await eventually(() => leftOf(arcus.home).length === 0 && !existsSync(arcus.home.lock));
      expect(arcus.text()).toContain('arcus: stopped');
    },
    patience,
  );

  it(
    'stops at once when it is told twice',
    async () => {
      const arcus = startArcus(ownDirectory(), ['--no-sample']);
      await arcus.up;
      const children = arcus.children();
      // Frozen, they heed no SIGTERM: an orderly stop would wait for them.
      const frozen = children.filter(({ name }) => name === 'worker' || name === 'api');
      for (const { pid } of frozen) process.kill(pid, 'SIGSTOP');
      arcus.process.kill('SIGINT');
      await eventually(() => arcus.text().includes('stopping'));
      await new Promise((resolve) => setTimeout(resolve, 800));
      arcus.process.kill('SIGINT');
      expect(await arcus.exit).toBe(130);
      expect(children.filter(({ pid }) => isAlive(pid))).toEqual([]);
    },
    patience,
  );
});

describe('npm start says in one sentence why it cannot, and leaves nothing running', () => {
  const refused = async (arcus: StartedArcus, sentence: string) => {
    expect(await arcus.exit).toBe(1);
    expect(arcus.text()).toBe(`arcus: ${sentence}\n`);
    expect(leftOf(arcus.home)).toEqual([]);
  };

  it('when the home is a file', async () => {
    const file = join(ownDirectory(), 'home');
    writeFileSync(file, '');
    await refused(startArcus(file), `the home ${file} cannot be written: it is a file; choose another with --home DIR`);
  });

  it('when a part of the path is a file', async () => {
    const file = join(ownDirectory(), 'file');
    writeFileSync(file, '');
    await refused(
      startArcus(join(file, 'home')),
      `the home ${join(file, 'home')} cannot be written: a part of this path is a file; choose another with --home DIR`,
    );
  });

  it('when the home is where nobody may write', async () => {
    await refused(
      startArcus('/sys/arcus'),
      `the home /sys/arcus cannot be written: this user may not write there; choose another with --home DIR`,
    );
  });

  it.skipIf(process.platform !== 'linux')(
    'when the home is where no directory can be made (Linux: /proc)',
    async () => {
      await refused(
        startArcus('/proc/arcus/home'),
        'the home /proc/arcus/home cannot be written: its file system takes no directories; choose another with --home DIR',
      );
    },
  );

  it('when its port is in use', async () => {
    const squatter = createServer();
    onTestFinished(() => void squatter.close());
    const port = await new Promise<number>((resolve) =>
      squatter.listen(0, '127.0.0.1', () => {
        const address = squatter.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      }),
    );
    await refused(
      startArcus(ownDirectory(), [], { ARCUS_PORT: String(port) }),
      `port ${port} of 127.0.0.1 is in use: set ARCUS_PORT to another one, or to 0 to have one chosen`,
    );
  });

  it('when a setting or an option is wrong', async () => {
    await refused(
      startArcus(ownDirectory(), ['--sampel']),
      "Unknown option '--sampel': the options are --home DIR, --no-sample and --hypervisor simulated|libvirt",
    );
    const wrong = startArcus(ownDirectory(), [], { ARCUS_PORT: '70000', ARCUS_MONGODB_URI: 'localhost' });
    expect(await wrong.exit).toBe(1);
    expect(wrong.text()).toMatch(
      /^arcus: settings are wrong: ARCUS_PORT: .*; ARCUS_MONGODB_URI: must begin with mongodb/,
    );
  });

  it('when a server that it was given does not answer', async () => {
    const arcus = startArcus(ownDirectory(), [], { ARCUS_MONGODB_URI: 'mongodb://127.0.0.1:9/arcus' });
    expect(await arcus.exit).toBe(1);
    expect(arcus.text()).toContain('arcus: the MongoDB given in ARCUS_MONGODB_URI does not answer: ');
    expect(leftOf(arcus.home)).toEqual([]);
  });

  it('when Node.js is too old', async () => {
    const older = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"18.20.4"})';
    const bootstrap = join(checkout, 'runtime', 'bootstrap.mjs');
    const failure = await run(process.execPath, ['--import', older, bootstrap, 'start']).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 1,
      stderr: 'arcus: Node.js 20.19 or newer is needed, and this is 18.20.4\n',
    });
  });
});
