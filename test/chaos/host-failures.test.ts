import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { openStates } from '../../domain/operation-states.js';
import { SimulatedDomain, SimulatedHosts } from '../../schemas/hosts/simulator.js';
import type { OperationState } from '../../schemas/operations/operation.js';
import { Cluster } from '../support/cluster.js';
import { seeded } from '../support/cluster-chance.js';
import { armHosts, makeHosts, makeServiceTemplate } from '../support/cluster-clouds.js';
import { checkConsistency } from '../support/cluster-consistency.js';
import { powerProgram } from '../support/power-program.js';
import { eventually } from '../support/processes.js';

const hosts = Number(process.env.ARCUS_FAILING_HOSTS ?? 50);
const services = Number(process.env.ARCUS_FAILING_SERVICES ?? 10);
const rounds = Number(process.env.ARCUS_FAILING_ROUNDS ?? 8);
const interval = 5;
const HostWithDomains = z.object({ domains: z.array(SimulatedDomain) });

/** Hosts that die, hang, go away for a while and flap, one after the other and two at once, while a process of Arcus or of its servers is killed or frozen. */
describe(`a cloud of ${hosts} hosts and ${services * 100} VMs, of which hosts fail`, () => {
  let cluster: Cluster;
  let names: string[];
  const programs = mkdtempSync(join(tmpdir(), 'arcus-fencing-'));
  const dice = seeded('ARCUS_CHAOS_SEED');
  const pick = <T>(of: readonly T[]): T => {
    const one = of[Math.floor(dice() * of.length)];
    if (one === undefined) throw new Error('there is nothing to choose from');
    return one;
  };
  const ids: number[] = [];

  beforeAll(async () => {
    const environment = { ARCUS_MONITORING_INTERVAL: String(interval), ARCUS_FENCING_DIRECTORY: programs };
    cluster = await Cluster.start({
      ...{ workers: 1, apis: 1, settings: { boot_ms: 100 } },
      binaries: { mongod: inject('mongodPath'), temporal: inject('temporalPath') },
      environments: { worker: environment, api: environment },
    });
    names = await makeHosts(cluster.client, hosts, 15, 16_384);
    const fencing = [powerProgram(programs, cluster.simulator.address)];
    await armHosts(cluster.client, names, { action: 'recreate', polls: 2, fencing });
    const template = await makeServiceTemplate(cluster.client, 'shop', {
      roles: [
        { name: 'db', cardinality: 20 },
        { name: 'web', cardinality: 80, parents: ['db'] },
      ],
    });
    for (let at = 0; at < services; at++) ids.push(await cluster.client.instantiate(template));
    for (const id of ids) await cluster.client.awaitService(id, 'RUNNING');
  });
  afterAll(async () => {
    await cluster?.stop();
    rmSync(programs, { recursive: true, force: true });
  });

  const faults = async (host: string, body: object): Promise<void> => {
    const { status } = await cluster.simulator.send('PUT', `/hosts/${host}/faults`, body);
    expect(status).toBeLessThan(300);
  };

  /** The hosts on which a VM runs, whatever Arcus thinks; a host without power runs nothing. */
  async function runningOn(): Promise<Map<number, string[]>> {
    const { items } = await cluster.simulator.ask(SimulatedHosts, 'GET', '/hosts');
    const found = new Map<number, string[]>();
    for (const { name, faults: its, domains: count } of items) {
      if (its.dead || count === 0) continue;
      const { domains } = await cluster.simulator.ask(HostWithDomains, 'GET', `/hosts/${encodeURIComponent(name)}`);
      for (const { vm, state } of domains)
        if (state === 'running' || state === 'booting') found.set(vm, [...(found.get(vm) ?? []), name]);
    }
    return found;
  }

  /** VMs that were seen to run twice, and still did when looked at again, on the same hosts: looks at two hosts are not of one moment. */
  function watched(): { twice: string[]; looks: () => number; stop: () => Promise<void> } {
    const twice: string[] = [];
    let [looks, isOver] = [0, false];
    const done = (async () => {
      while (!isOver) {
        const suspects = [...(await runningOn())].filter(([, at]) => at.length > 1);
        const again = suspects.length === 0 ? null : await runningOn();
        for (const [vm, at] of suspects)
          if (String(again?.get(vm)) === String(at)) twice.push(`VM ${vm} runs on ${at.join(' and ')}`);
        looks += 1;
        await sleep(100);
      }
    })();
    return {
      twice,
      looks: () => looks,
      stop: async () => {
        isOver = true;
        await done;
      },
    };
  }

  /** Each returns the hosts that are to be mended after it. */
  const failures: Record<string, () => Promise<string[]>> = {
    'a host dies': async () => {
      const host = pick(names);
      await faults(host, { dead: true });
      return [host];
    },
    'a host hangs, and runs on': async () => {
      const host = pick(names);
      await faults(host, { hang: true });
      return [host];
    },
    'two hosts die, one after the other': async () => {
      const [first, second] = [pick(names), pick(names)];
      await faults(first, { dead: true });
      await sleep(Math.round(dice() * 15_000));
      await faults(second, { dead: true });
      return [first, second];
    },
    'a host is away for less than it has to be': async () => {
      const host = pick(names);
      await faults(host, { hang: true });
      await sleep(interval * 1_000);
      await faults(host, {});
      return [host];
    },
    'a host returns while it is failed over': async () => {
      const host = pick(names);
      await faults(host, { hang: true });
      const before = new Date();
      await eventually(async () => (await failoversOf(host, before)) > 0);
      await sleep(Math.round(dice() * 3_000));
      // With what it ran, if its power has not been cut by then.
      await faults(host, {});
      return [host];
    },
    'a host flaps': async () => {
      const host = pick(names);
      for (let times = 0; times < 4; times++) {
        await faults(host, { hang: true });
        await sleep(Math.round(interval * 1_000 * (0.5 + dice())));
        await faults(host, {});
        await sleep(Math.round(interval * 500 * dice()));
      }
      return [host];
    },
  };

  const staysAway = new Set(['a host dies', 'a host hangs, and runs on', 'two hosts die, one after the other']);
  async function failoversOf(name: string, since: Date, states?: readonly OperationState[]): Promise<number> {
    const { hosts: all, operations } = cluster.store;
    const found = await all.model.findOne({ name }, { _id: 1 }).lean().exec();
    return operations.model.countDocuments({
      ...{ kind: 'failoverHost', 'resource.id': found?._id ?? -1, created_at: { $gte: since } },
      ...(states && { state: { $in: [...states] } }),
    });
  }

  const breaks: Record<string, () => Promise<void>> = {
    nothing: async () => {},
    'the worker is killed': () => again(cluster.worker(0)),
    'the api is killed': () => again(cluster.api(0)),
    'Temporal is killed': () => again(cluster.servers.temporal),
    'MongoDB is killed': async () => {
      for (const member of cluster.servers.mongodb.members) await again(member);
      await cluster.servers.mongodb.primary();
    },
    'the worker is frozen': async () => {
      cluster.worker(0).freeze();
      await sleep(12_000);
      cluster.worker(0).thaw();
    },
  };
  const again = async (process: { kill(): Promise<unknown>; startAgain(): Promise<unknown> }): Promise<void> => {
    await process.kill();
    await process.startAgain();
  };

  /** Nothing is at work any more, all hosts take VMs, and all services run. */
  const isWell = async (): Promise<boolean> => {
    const { operations, hosts: all, services: kept, vms } = cluster.store;
    if ((await operations.model.countDocuments({ state: { $in: [...openStates] } })) > 0) return false;
    if ((await all.model.countDocuments({ state: { $ne: 'MONITORED' } })) > 0) return false;
    if ((await kept.model.countDocuments({ state: 'RUNNING' })) !== services) return false;
    return (await vms.model.countDocuments({ lcm_state: 'RUNNING', hold: null })) === services * 100;
  };

  it('runs no VM twice, loses none, and is whole again each time', async () => {
    const watch = watched();
    try {
      const kinds = Object.keys(failures);
      for (let round = 0; round < rounds; round++) {
        const failure = kinds[round % kinds.length] ?? '';
        const breaking = pick(Object.keys(breaks));
        console.error(`${round}: ${failure}; ${breaking}`);
        const begun = Date.now();
        const before = new Date();
        const failing = failures[failure]?.() ?? Promise.resolve([]);
        await sleep(Math.round(dice() * 15_000));
        await breaks[breaking]?.();
        const struck = await failing;
        // Those that stay away are failed over, whatever dies meanwhile.
        if (staysAway.has(failure))
          for (const host of struck) await eventually(async () => (await failoversOf(host, before, ['succeeded'])) > 0);
        // As long as hosts are away everything runs elsewhere, or where they have come back by themselves.
        await eventually(async () => {
          const { vms, operations } = cluster.store;
          const open = await operations.model.countDocuments({ state: { $in: [...openStates] } });
          return open === 0 && (await vms.model.countDocuments({ lcm_state: 'RUNNING' })) === services * 100;
        });
        for (const host of struck) await faults(host, {});
        await eventually(isWell);
        console.error(`${round}: whole again after ${Math.round((Date.now() - begun) / 1_000)} s`);
        expect(watch.twice).toEqual([]);
      }
    } finally {
      await watch.stop();
    }
    expect(watch.looks()).toBeGreaterThan(rounds);
    const all = await cluster.store.vms.model.find({}, { _id: 1 }).lean().exec();
    // None was lost, and none replaced by another.
    expect(all).toHaveLength(services * 100);
    expect(await checkConsistency(cluster, { replaced: all.map(({ _id }) => _id) })).toEqual([]);
    const failed = await cluster.store.operations.model.find({ state: 'failed' }, { kind: 1, error: 1 }).lean().exec();
    expect(failed).toEqual([]);
  });
});
