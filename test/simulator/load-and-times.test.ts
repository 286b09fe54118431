import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulatedHypervisor } from '../../adapters/hypervisor/simulated/simulated.js';
import { counterNames, eachMetric } from '../../schemas/hosts/metrics.js';
import { LoadRule, LoadRules } from '../../schemas/hosts/simulator.js';
import { decideDeploy, decideDestroy } from '../../simulator/decide.js';
import { emptyState, newHost } from '../../simulator/state.js';
import { simulatedHost, simulatedVm } from '../support/simulated-vm.js';
import { SimulatorProcess } from '../support/simulator-process.js';

describe('scripted load', () => {
  let simulator: SimulatorProcess;
  const host = simulatedHost('host-1');
  const signal = new AbortController().signal;
  const use = async (vm: number) => {
    const { domains } = await simulatedHypervisor(simulator.address, 'tests').probe(host, signal);
    const domain = domains.find((one) => one.vm === vm);
    if (!domain) throw new Error(`there is no VM ${vm}`);
    return eachMetric((name) => domain[name]);
  };
  const put = (rule: object) => simulator.ask(LoadRule, 'PUT', '/load', rule);

  beforeAll(async () => {
    simulator = await SimulatorProcess.start();
    const hypervisor = simulatedHypervisor(simulator.address, 'tests');
    const capacity = { cpu: 200, memory: 1000 };
    await hypervisor.deploy(simulatedVm(1, host, { capacity, labels: { vm: 1, service: 12, role: 'worker' } }), signal);
    await hypervisor.deploy(simulatedVm(2, host, { capacity, labels: { vm: 2, service: 13, role: 'worker' } }), signal);
    await hypervisor.deploy(simulatedVm(3, host, { capacity, labels: { vm: 3 } }), signal);
  });
  afterAll(() => simulator.dispose());

  it('is light and within capacity where nothing is scripted', async () => {
    const { cpu, memory, ...counters } = await use(3);
    expect(Object.keys(counters)).toEqual(counterNames);
    expect(Object.values(counters).every(Number.isInteger)).toBe(true);
    expect(cpu).toBeGreaterThan(0);
    expect(cpu).toBeLessThan(40);
    expect(memory).toBeGreaterThanOrEqual(200 * 1_024);
    expect(memory).toBeLessThanOrEqual(450 * 1_024);
  });

  it('holds for the VMs of a role, and the newest rule wins', async () => {
    await put({ role: 'worker', cpu_percent: 95 });
    expect(await use(1)).toMatchObject({ cpu: 190 });
    expect(await use(2)).toMatchObject({ cpu: 190 });
    expect((await use(3)).cpu).toBeLessThan(40);
    await put({ role: 'worker', service: 12, cpu_percent: 10, memory_percent: 50 });
    expect(await use(1)).toMatchObject({ cpu: 20, memory: 500 * 1_024 });
    expect(await use(2)).toMatchObject({ cpu: 190 });
    await put({ vm: 2, memory_percent: 80 });
    expect(await use(2)).toMatchObject({ cpu: 190, memory: 800 * 1_024 });
  });

  it('sets what counters of the network and of disks show, and leaves the rest to other rules', async () => {
    await put({ vm: 3, cpu_percent: 50 });
    await put({ role: 'worker', service: 13, nettx: 1_000_000, netrx: 5, diskrdbytes: 8_192, diskrdiops: 2 });
    await put({ host: host.name, vm: 3, netrx: 7, diskwrbytes: 9, diskwriops: 0 });
    expect(await use(2)).toMatchObject({ cpu: 190, nettx: 1_000_000, netrx: 5, diskrdbytes: 8_192, diskrdiops: 2 });
    expect(await use(3)).toMatchObject({ cpu: 100, netrx: 7, diskwrbytes: 9, diskwriops: 0 });
    const { nettx, diskrdbytes, diskrdiops } = await use(3);
    expect([nettx, diskrdbytes, diskrdiops].every((count) => count > 0)).toBe(true);
  });

  it('is replaced by a rule for the same VMs, listed, and removed', async () => {
    await simulator.send('DELETE', '/load');
    await put({ role: 'worker', cpu_percent: 95 });
    const { id } = await put({ role: 'worker', cpu_percent: 30 });
    const { items } = await simulator.ask(LoadRules, 'GET', '/load');
    expect(items).toMatchObject([{ id, role: 'worker', cpu_percent: 30 }]);
    expect((await simulator.send('DELETE', `/load/${id}`)).status).toBe(204);
    expect((await simulator.ask(LoadRules, 'GET', '/load')).items).toEqual([]);
  });

  it('ends by itself when it was given a time', async () => {
    await put({ vm: 1, cpu_percent: 100, for_seconds: 2 });
    expect(await use(1)).toMatchObject({ cpu: 200 });
    await expect.poll(async () => (await use(1)).cpu).toBeLessThan(40);
  });
});

describe('times of boots and shutdowns', () => {
  const settings = { ...emptyState().settings, boot_ms: 100, shutdown_ms: 300 };
  const host = newHost('host-1', { cpu: 1000, memory: 10_000 });
  const call = (vm: number, role?: string) => {
    return {
      vm,
      domain: `one-${vm}`,
      epoch: 1,
      host: host.total,
      capacity: { cpu: 1, memory: 1 },
      labels: { vm, role },
    };
  };
  const bootTime = (change: object, vm = 1, role?: string) =>
    decideDeploy(host, call(vm, role), { now: 0, settings: { ...settings, ...change }, deployId: 'x' }).set?.boots_at;

  it('are those of the role, else of the host, else the general ones', () => {
    const hosts = { 'host-1': { boot_ms: 20 } };
    const roles = { db: { boot_ms: 3 } };
    expect([
      bootTime({}),
      bootTime({ hosts }),
      bootTime({ hosts, roles }, 1, 'db'),
      bootTime({ roles }, 1, 'web'),
    ]).toEqual([100, 20, 3, 100]);
  });

  it('vary within a range, and are the same for the same VM and seed', () => {
    const boot_ms = { min: 100, max: 900 };
    const times = (seed: number) => Array.from({ length: 50 }, (_, vm) => bootTime({ boot_ms, seed }, vm) ?? 0);
    expect(Math.min(...times(1))).toBeGreaterThanOrEqual(100);
    expect(Math.max(...times(1))).toBeLessThanOrEqual(900);
    expect(new Set(times(1)).size).toBeGreaterThan(30);
    expect(times(1)).toEqual(times(1));
    expect(times(1)).not.toEqual(times(2));
  });

  it('a guest takes its time to shut down, unless its power is cut', () => {
    const { set } = decideDeploy(host, call(1), { now: 0, settings, deployId: 'x' });
    const running = newHost('host-1', host.total);
    if (set) running.domains.set(1, set);
    const destroy = { vm: 1, domain: 'one-1', epoch: 1, host: host.total };
    const soft = decideDestroy(running, { ...destroy, hard: false }, { now: 1000, settings });
    expect(soft).toMatchObject({ outcome: 'destroyed', set: { gone_at: 1300 } });
    expect(decideDestroy(running, { ...destroy, hard: true }, { now: 1000, settings })).toMatchObject({ set: null });
    if (soft.set) running.domains.set(1, soft.set);
    const again = decideDestroy(running, { ...destroy, hard: false }, { now: 1200, settings });
    expect(again).toMatchObject({ outcome: 'leaving', set: { gone_at: 1300 } });
    expect(decideDestroy(running, { ...destroy, hard: false }, { now: 1300, settings }).outcome).toBe('absent');
  });
});
