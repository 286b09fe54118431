import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HostTarget } from '../../adapters/hypervisor/port.js';
import { simulatedHypervisor } from '../../adapters/hypervisor/simulated/simulated.js';
import { problemOf } from '../../domain/problems.js';
import { SimulatedHost } from '../../schemas/hosts/simulator.js';
import { simulatedHost, simulatedVm } from '../support/simulated-vm.js';
import { SimulatorProcess } from '../support/simulator-process.js';

describe('faults of a simulated host', () => {
  let simulator: SimulatorProcess;
  let host: HostTarget<'simulated'>;
  let hosts = 0;
  const signal = new AbortController().signal;
  const hypervisor = () => simulatedHypervisor(simulator.address, 'tests');
  const fault = async (faults: object, at = host): Promise<void> => {
    expect((await simulator.send('PUT', `/hosts/${at.name}/faults`, faults)).status).toBe(200);
  };
  const deploy = (id: number) => hypervisor().deploy(simulatedVm(id, host), signal);
  const destroy = (id: number) => hypervisor().destroy({ ...simulatedVm(id, host), hard: true }, signal);
  const domains = async () => (await hypervisor().probe(host, signal)).domains;
  const waiting = async () =>
    (await simulator.ask(SimulatedHost.pick({ waiting: true }), 'GET', `/hosts/${host.name}`)).waiting;
  const codeOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'done',
      (error: unknown) => problemOf(error)?.code ?? String(error),
    );

  beforeAll(async () => {
    simulator = await SimulatorProcess.start();
  });
  beforeEach(async () => {
    host = simulatedHost(`host-${++hosts}`);
    await simulator.send('PUT', `/hosts/${host.name}`, host.connection.total);
  });
  afterAll(() => simulator.dispose());

  it('a host that hangs answers nobody, and everybody once it is healed', async () => {
    await deploy(1);
    await fault({ hang: true });
    let answers = 0;
    const calls = [deploy(2), domains(), destroy(1)].map((call) => call.finally(() => answers++));
    const impatient = new AbortController();
    const given = hypervisor().deploy(simulatedVm(3, host), impatient.signal);
    await expect.poll(waiting).toBe(4);
    impatient.abort(new Error('gave up'));
    await expect(given).rejects.toThrow('gave up');
    await expect.poll(waiting).toBe(3);
    expect(answers).toBe(0);
    await fault({});
    await Promise.all(calls);
    expect((await domains()).map(({ vm }) => vm)).toEqual([2]);
  });

  it('a dead host fails every call, and comes back with its VMs stopped', async () => {
    await deploy(1);
    await fault({ dead: true });
    expect(await Promise.all([deploy(2), destroy(1), domains()].map(codeOf))).toEqual(
      Array.from({ length: 3 }, () => 'backend_unavailable'),
    );
    await fault({});
    expect(await domains()).toMatchObject([{ vm: 1, state: 'stopped', cpu: 0 }]);
    expect((await simulator.journal(`&host=${host.name}`)).map(({ outcome }) => outcome)).toEqual([
      'created',
      'fault',
      'fault',
    ]);
  });

  it('a dead host comes back with its VMs running when asked to', async () => {
    await deploy(1);
    await fault({ dead: true });
    await fault({ revive: 'running' });
    expect(await domains()).toMatchObject([{ vm: 1, state: 'running' }]);
  });

  it('a host that dies ends the deploys that wait for a boot', async () => {
    await simulator.send('PUT', '/settings', { boot_ms: 60_000 });
    const waiting = codeOf(deploy(1));
    await expect.poll(domains).toMatchObject([{ state: 'booting' }]);
    await fault({ dead: true });
    expect(await waiting).toBe('backend_unavailable');
    await simulator.send('PUT', '/settings', { boot_ms: 0 });
  });

  it('a host loses VMs without a trace, and takes them again', async () => {
    await Promise.all([deploy(1), deploy(2), deploy(3)]);
    await fault({ lose: [1, 3] });
    expect((await domains()).map(({ vm }) => vm)).toEqual([2]);
    await deploy(1);
    expect((await domains()).map(({ vm }) => vm).sort((a, b) => a - b)).toEqual([1, 2]);
  });

  it('an error rate meets the same calls each time, in any order', async () => {
    const failing = async (ids: number[]): Promise<number[]> => {
      await fault({ error_rate: 0.4, seed: 11 });
      const codes = await Promise.all(ids.map(async (id) => ({ id, code: await codeOf(deploy(id)) })));
      await fault({});
      return codes
        .filter(({ code }) => code === 'backend_unavailable')
        .map(({ id }) => id)
        .sort((a, b) => a - b);
    };
    const ids = Array.from({ length: 60 }, (_, id) => id);
    const first = await failing(ids);
    expect(first.length).toBeGreaterThan(10);
    expect(first.length).toBeLessThan(40);
    expect(await failing([...ids].reverse())).toEqual(first);
  });

  it('an error after the work hides a domain that was made, and the second try finds it', async () => {
    await fault({ error_rate: 1, error_when: 'after' });
    expect(await codeOf(deploy(1))).toBe('backend_unavailable');
    await fault({});
    expect(await domains()).toHaveLength(1);
    await deploy(1);
    const journal = await simulator.journal(`&host=${host.name}`);
    expect(journal.map(({ outcome, fault }) => [outcome, fault])).toEqual([
      ['created', 'error_rate'],
      ['exists', null],
    ]);
  });

  it('an error before the work leaves nothing', async () => {
    await fault({ error_rate: 1, error_when: 'before' });
    expect(await codeOf(deploy(1))).toBe('backend_unavailable');
    await fault({});
    expect(await domains()).toEqual([]);
  });

  it('deploys fail as often as asked, then succeed', async () => {
    await fault({ deploy_error: { times: 2 } });
    expect([await codeOf(deploy(1)), await codeOf(deploy(1)), await codeOf(deploy(1))]).toEqual([
      'backend_unavailable',
      'backend_unavailable',
      'done',
    ]);
  });

  it('a deploy that is refused for good is told apart, with its reason', async () => {
    await fault({ deploy_error: { retryable: false, detail: 'The image has no boot sector' } });
    const problem = problemOf(await deploy(1).catch((error: unknown) => error));
    expect(problem).toMatchObject({ code: 'deploy_refused', message: `${host.name}: The image has no boot sector` });
    expect(await codeOf(destroy(1))).toBe('done');
  });

  it('latency delays calls, and those that wait go on when it is healed', async () => {
    await fault({ latency_ms: 60_000 });
    const impatient = new AbortController();
    const givenUp = hypervisor().deploy(simulatedVm(2, host), impatient.signal);
    let answered = false;
    const deployed = deploy(1).finally(() => {
      answered = true;
    });
    await expect.poll(waiting).toBe(2);
    impatient.abort(new Error('gave up'));
    await expect(givenUp).rejects.toThrow('gave up');
    await expect.poll(waiting).toBe(1);
    expect(answered).toBe(false);
    expect(await simulator.journal(`&host=${host.name}`)).toEqual([]);
    await fault({ latency_ms: 20 });
    await deployed;
    expect((await domains()).map(({ vm }) => vm)).toEqual([1]);
  });

  it('a guest crashes and is reported as failed, and another host knows nothing of it', async () => {
    await deploy(1);
    const { status } = await simulator.send('PUT', `/hosts/${host.name}/vms/1`, { state: 'failed' });
    expect(status).toBe(200);
    expect(await domains()).toMatchObject([{ vm: 1, state: 'failed' }]);
    const other = await hypervisor().probe(simulatedHost('another'), signal);
    expect(other.domains).toEqual([]);
  });
});
