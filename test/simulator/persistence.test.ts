import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulatedHypervisor } from '../../adapters/hypervisor/simulated/simulated.js';
import { LoadRules, SimulatedHosts, SimulatorSettings } from '../../schemas/hosts/simulator.js';
import { simulatedHost, simulatedVm } from '../support/simulated-vm.js';
import { SimulatorProcess } from '../support/simulator-process.js';

describe('what a simulator keeps', () => {
  let simulator: SimulatorProcess;
  const host = simulatedHost('host-1');
  const signal = new AbortController().signal;
  const hypervisor = () => simulatedHypervisor(simulator.address, 'tests');
  const log = () => join(simulator.directory, 'log.jsonl');

  beforeEach(async () => {
    simulator = await SimulatorProcess.start();
  });
  afterEach(() => simulator.dispose());

  it('makes each VM once, however often it is killed while they are deployed', async () => {
    const deployed = async (id: number): Promise<void> => {
      for (;;) {
        try {
          await hypervisor().deploy(simulatedVm(id, host), signal);
          return;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    await simulator.send('PUT', '/settings', { boot_ms: { min: 0, max: 400 } });
    let done = false;
    const all = Promise.all(Array.from({ length: 150 }, (_, id) => deployed(id))).then(() => {
      done = true;
    });
    let kills = 0;
    while (!done && kills < 4) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await simulator.end('SIGKILL');
      kills += 1;
      await simulator.startAgain();
    }
    await all;
    const made = (await simulator.journal()).filter(({ outcome }) => outcome === 'created' || outcome === 'replaced');
    expect(kills).toBeGreaterThan(0);
    expect(made.map(({ vm }) => vm).sort((a, b) => a - b)).toEqual(Array.from({ length: 150 }, (_, id) => id));
    expect((await hypervisor().probe(host, signal)).domains).toHaveLength(150);
  });

  it('boots to the end what was booting when it was killed', async () => {
    await simulator.holdBoots();
    const interrupted = hypervisor()
      .deploy(simulatedVm(1, host), signal)
      .catch(() => 'interrupted');
    await expect
      .poll(async () => (await hypervisor().probe(host, signal)).domains)
      .toMatchObject([{ state: 'booting' }]);
    await simulator.end('SIGKILL');
    expect(await interrupted).toBe('interrupted');
    await simulator.startAgain();
    const again = hypervisor().deploy(simulatedVm(1, host), signal);
    await expect.poll(async () => (await simulator.journal()).length).toBe(2);
    await simulator.endBoots();
    await again;
    expect((await hypervisor().probe(host, signal)).domains).toMatchObject([{ vm: 1, state: 'running' }]);
    expect((await simulator.journal()).map(({ outcome }) => outcome)).toEqual(['created', 'exists']);
  });

  it('keeps hosts, faults, load and settings across a kill', async () => {
    await simulator.send('PUT', '/hosts/host-9', { cpu: 400, memory: 2048 });
    await simulator.send('PUT', '/hosts/host-9/faults', { latency_ms: 5, error_rate: 0.5 });
    await simulator.send('PUT', '/load', { role: 'worker', cpu_percent: 95 });
    await simulator.send('PUT', '/settings', { boot_ms: 7, roles: { worker: { boot_ms: { min: 1, max: 2 } } } });
    await simulator.end('SIGKILL');
    await simulator.startAgain();
    expect(await simulator.ask(SimulatedHosts, 'GET', '/hosts')).toMatchObject({
      items: [{ name: 'host-9', cpu: 400, memory: 2048, faults: { latency_ms: 5, error_rate: 0.5 } }],
    });
    expect(await simulator.ask(LoadRules, 'GET', '/load')).toMatchObject({
      items: [{ role: 'worker', cpu_percent: 95 }],
    });
    const settings = await simulator.ask(SimulatorSettings, 'GET', '/settings');
    expect(settings).toMatchObject({ boot_ms: 7, roles: { worker: { boot_ms: { min: 1, max: 2 } } } });
  });

  it('drops a last line that was cut short, and goes on behind it', async () => {
    await hypervisor().deploy(simulatedVm(1, host), signal);
    await simulator.end('SIGKILL');
    const whole = statSync(log()).size;
    appendFileSync(log(), '{"n":99,"time":"2026-01-01T00:00:00.000Z","kind":"call","ca');
    await simulator.startAgain();
    expect(statSync(log()).size).toBe(whole);
    await hypervisor().deploy(simulatedVm(2, host), signal);
    await simulator.end('SIGKILL');
    await simulator.startAgain();
    expect((await simulator.journal()).map(({ vm }) => vm)).toEqual([1, 2]);
  });

  it('refuses to start on a log that is damaged in its middle, and says where', async () => {
    await hypervisor().deploy(simulatedVm(1, host), signal);
    await simulator.end('SIGKILL');
    appendFileSync(log(), 'not a record\n');
    await expect(simulator.startAgain()).rejects.toThrow(
      /ended with 1: arcus-sim: .*log\.jsonl cannot be read after record \d+/,
    );
  });

  it('comes back the same with its snapshot, without it, and with a useless one', async () => {
    for (const id of [1, 2, 3]) await hypervisor().deploy(simulatedVm(id, host), signal);
    const snapshot = join(simulator.directory, 'snapshot.json');
    expect(await simulator.end('SIGTERM')).toBe(0);
    expect(JSON.parse(readFileSync(snapshot, 'utf8'))).toMatchObject({ state: { hosts: [{ name: 'host-1' }] } });
    const changes = [() => {}, () => rmSync(snapshot), () => writeFileSync(snapshot, '{"n":2,"offset":17,"state":{}}')];
    for (const change of changes) {
      change();
      await simulator.startAgain();
      expect((await hypervisor().probe(host, signal)).domains.map(({ vm }) => vm)).toEqual([1, 2, 3]);
      expect((await simulator.journal()).map(({ vm }) => vm)).toEqual([1, 2, 3]);
      expect(await simulator.end('SIGKILL')).toBe(null);
    }
  });

  it('ends calls that wait, and then itself, on SIGTERM', async () => {
    await simulator.send('PUT', '/settings', { boot_ms: 60_000 });
    const waiting = hypervisor().deploy(simulatedVm(1, host), signal);
    const failure = expect(waiting).rejects.toMatchObject({ code: 'backend_unavailable' });
    await expect.poll(async () => (await hypervisor().probe(host, signal)).domains).toHaveLength(1);
    expect(await simulator.end('SIGTERM')).toBe(0);
    await failure;
  });

  it('pages through the journal, by VM and by host', async () => {
    const other = simulatedHost('host-2');
    for (let id = 0; id < 25; id++) await hypervisor().deploy(simulatedVm(id, id % 2 ? other : host), signal);
    const all = await simulator.journal('&limit=4');
    expect(all.map(({ vm }) => vm)).toEqual(Array.from({ length: 25 }, (_, id) => id));
    expect((await simulator.journal('&limit=4&host=host-2')).map(({ vm }) => vm)).toEqual([
      1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23,
    ]);
    expect(await simulator.journal('&vm=2')).toHaveLength(1);
  });
});
