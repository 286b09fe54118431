import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { simulatedHypervisor } from '../../adapters/hypervisor/simulated/simulated.js';
import { built } from '../../adapters/process/checkout.js';
import { parseSpan } from '../../simulator/durations.js';
import { ownDirectory } from '../support/directories.js';
import { eventually } from '../support/processes.js';
import { simulatedHost, simulatedVm } from '../support/simulated-vm.js';
import { SimulatorProcess } from '../support/simulator-process.js';

describe('arcus-sim', () => {
  let simulator: SimulatorProcess;
  const host = simulatedHost('host-1', { cpu: 800, memory: 8192 });
  const arcusSim = async (...args: string[]) => {
    const env = simulator.settings;
    const { exitCode, stdout, stderr } = await execa(process.execPath, [built('simulator/cli.js'), ...args], {
      env,
      reject: false,
    });
    return { exitCode, stdout, stderr };
  };

  beforeAll(async () => {
    simulator = await SimulatorProcess.start();
    const vm = simulatedVm(34, host, { labels: { vm: 34, role: 'worker' } });
    await simulatedHypervisor(simulator.address, 'tests').deploy(vm, new AbortController().signal);
  });
  afterAll(() => simulator.dispose());

  it('lists hosts, their VMs and the journal', async () => {
    expect((await arcusSim('hosts')).stdout).toMatch(
      /HOST.*CALLS WAITING.*FAULTS\nhost-1 +8 +1 +8192 +512 +1 +0 +none$/,
    );
    expect((await arcusSim('vms', 'host-1')).stdout).toMatch(/34 +one-34-tests +running +1/);
    expect((await arcusSim('journal', '--vm', '34')).stdout).toMatch(/deploy +host-1 +34 +1 +created +-$/);
    const json = await arcusSim('-o', 'json', 'journal', '--vm', '34');
    expect(JSON.parse(json.stdout)).toMatchObject({ items: [{ vm: 34, outcome: 'created' }], next_after: null });
  });

  it('scripts load and clears it', async () => {
    expect((await arcusSim('load', '--role', 'worker', '95')).stdout).toMatch(/worker +- +95 +-/);
    expect((await arcusSim('vms', 'host-1')).stdout).toMatch(/34 .* running +1 +95 /);
    const counted = await arcusSim('load', '--vm', '34', '--diskwrbytes', '8192', '--diskwriops', '2');
    expect(counted.stdout).toMatch(/ MEMORY % +DISKWRBYTES +DISKWRIOPS +UNTIL\n.*worker.* - +-\n.* 34 .* 8192 +2 +-$/);
    expect((await arcusSim('vms', 'host-1')).stdout).toMatch(/34 .* running +1 +95 .* 8192 +2 /);
    expect((await arcusSim('load', '--clear')).stdout).toBe('No load is scripted.');
  });

  it('sets faults of a host and heals it', async () => {
    const faulty = await arcusSim('fault', 'host-1', '--latency', '20ms', '--error-rate', '0.3');
    expect(faulty.stdout).toBe('host-1: latency 20 ms, errors 30 % (either)');
    expect((await arcusSim('fault', 'host-1', '--dead')).stdout).toBe('host-1: dead');
    expect((await arcusSim('fault', 'host-1')).stdout).toBe('host-1: dead');
    expect((await arcusSim('fault', 'host-1', '--heal', '--running')).stdout).toBe('host-1: nothing is wrong');
    expect((await arcusSim('guest', 'host-1', '34', 'failed')).stdout).toBe('VM 34 on host-1: failed');
  });

  it('changes settings, for everybody and for a role', async () => {
    await arcusSim('settings', '--boot', '2s');
    const { stdout } = await arcusSim('settings', '--boot', '500ms-1s', '--role', 'db');
    expect(stdout).toMatch(/every VM +2000 ms +0 ms\nrole db +500-1000 ms +-/);
  });

  it('shows what steers a terminal, of hosts, roles, faults and refusals, and logs it, in plain characters', async () => {
    const hostile = 'a\u202eb\u009b31mc\u200bd';
    const steers = /[\u007f-\u009f\p{Cf}]/u;
    const name = 'h\u202eb\u200bd';
    const at = `/hosts/${encodeURIComponent(name)}`;
    await simulator.ask(z.unknown(), 'PUT', at, { cpu: 100, memory: 64 });
    const faults = { deploy_error: { detail: hostile } };
    await simulator.ask(z.unknown(), 'PUT', `${at}/faults`, faults);
    const shown = [
      await arcusSim('hosts'),
      await arcusSim('load', '--role', hostile, '95'),
      await arcusSim('settings', '--boot', '0s', '--role', hostile),
      await arcusSim('fault', name),
      await arcusSim('vms', `no${name}`),
      await arcusSim('-o', 'json', 'load'),
      await arcusSim(hostile),
    ];
    for (const { stdout, stderr } of shown) {
      expect(`${stdout}${stderr}`).not.toMatch(steers);
      expect(`${stdout}${stderr}`).toMatch(/\\u\{?202e\}?b/);
    }
    expect(JSON.parse(shown[5]?.stdout ?? '')).toMatchObject([{ role: hostile }]);
    // Other tests of this file set faults of other hosts.
    const logged = await eventually(() =>
      simulator
        .said()
        .split('\n')
        .findLast((line) => line.includes('faults set') && !line.includes('host-1')),
    );
    expect(logged).not.toMatch(steers);
    expect(JSON.parse(logged)).toMatchObject({ host: name, faults });
    await arcusSim('load', '--clear');
  });

  it.each([
    [['load', 'much'], 2, /must be a percentage/],
    [['load', '--role', 'worker'], 1, /How busy\?/],
    [['fault', 'host-1', '--heal', '--dead'], 1, /--heal goes with no other fault/],
    [['fault', 'nowhere', '--dead'], 1, /There is no host nowhere/],
    [['fault', 'host-1', '--error-rate', '3'], 2, /between 0 and 1/],
    [['settings', '--boot', 'soon'], 2, /a time such as 2s/],
    [['lode'], 2, /Did you mean load\?/],
    [['--url', 'http://127.0.0.1:1', 'hosts'], 1, /No simulator answers at/],
    [['serve', '--port', '99999'], 2, /must be a port/],
  ] as const)('refuses %j with exit code %i and a sentence', async (args, code, words) => {
    const { exitCode, stdout, stderr } = await arcusSim(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/\n +at /);
  });

  it('says in one sentence that a port is in use', async () => {
    const port = new URL(simulator.url).port;
    const { exitCode, stderr } = await arcusSim('serve', '--port', port, '--directory', `${simulator.directory}/other`);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(`arcus-sim: Port ${port} is in use: choose another with --port, or 0 for a free one.`);
  });

  it('leaves a directory alone that another simulator has', async () => {
    const { exitCode, stderr } = await arcusSim('serve', '--port', '0', '--directory', simulator.directory);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(`arcus-sim: ${simulator.directory} is in use by another simulator.`);
    expect((await arcusSim('hosts')).exitCode).toBe(0);
  });

  it.skipIf(process.platform !== 'linux')(
    'says in one sentence that a directory cannot be made (Linux: /proc)',
    async () => {
      const { exitCode, stderr } = await arcusSim('serve', '--port', '0', '--directory', '/proc/arcus/simulator');
      expect(exitCode).toBe(1);
      expect(stderr).toBe('arcus-sim: /proc/arcus/simulator cannot be made: its file system takes no directories.');
    },
  );

  it('finds the simulator that the home of an Arcus on this machine names', async () => {
    const home = ownDirectory();
    const ask = () =>
      execa(process.execPath, [built('simulator/cli.js'), 'hosts'], {
        env: { ARCUS_HOME: home, ARCUS_SIMULATOR_URL: undefined },
        reject: false,
      });
    expect((await ask()).stderr).toBe('arcus-sim: Where is the simulator? Give --url, or set ARCUS_SIMULATOR_URL.');
    writeFileSync(join(home, 'ports.json'), JSON.stringify({ simulator: Number(new URL(simulator.url).port) }));
    expect((await ask()).stderr).toMatch(/^arcus-sim: The simulator asks for its token: set ARCUS_SIMULATOR_TOKEN/);
    symlinkSync(simulator.directory, join(home, 'simulator'));
    expect((await ask()).stdout).toMatch(/^HOST.*\nhost-1 /);
  });

  it('takes a token from the environment or a file, and tells that of the home to nobody else', async () => {
    const home = ownDirectory();
    writeFileSync(join(home, 'ports.json'), JSON.stringify({ simulator: 9 }));
    symlinkSync(simulator.directory, join(home, 'simulator'));
    const ask = (over: Record<string, string>) =>
      execa(process.execPath, [built('simulator/cli.js'), 'hosts'], {
        env: { ARCUS_HOME: home, ARCUS_SIMULATOR_URL: simulator.url, ...over },
        reject: false,
      });
    expect((await ask({})).stderr).toMatch(/^arcus-sim: The simulator asks for its token/);
    expect((await ask({ ARCUS_SIMULATOR_TOKEN: 'guessed' })).exitCode).toBe(1);
    expect((await ask({ ARCUS_SIMULATOR_TOKEN: simulator.token })).exitCode).toBe(0);
    expect((await ask({ ARCUS_SIMULATOR_TOKEN_FILE: join(simulator.directory, 'token') })).exitCode).toBe(0);
  });

  it('shows examples in the help of every command that needs them', async () => {
    for (const command of ['load', 'fault', 'settings', 'journal', 'guest']) {
      const { exitCode, stdout } = await arcusSim(command, '--help');
      expect(exitCode).toBe(0);
      expect(stdout, command).toMatch(new RegExp(`Examples?:\\n  arcus-sim ${command} `));
    }
  });

  it('reads times and ranges of times', () => {
    const texts = ['2s', '1.5s', '200', '200ms', '1m', '500ms-2s', '2s-1s', 'soon', '', '1s-2s-3s', '-1s'];
    expect(texts.map(parseSpan)).toEqual([
      ...[2000, 1500, 200, 200, 60_000, { min: 500, max: 2000 }],
      ...[undefined, undefined, undefined, undefined, undefined],
    ]);
  });
});
