import { MockActivityEnvironment } from '@temporalio/testing';
import type { Connection } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monitoringActivities } from '../../../activities/supervision/monitoring.js';
import { simulatedHypervisor } from '../../../adapters/hypervisor/simulated/simulated.js';
import { domainName } from '../../../domain/operations/names.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore, type Store } from '../../../store/store.js';
import { idleEngine } from '../../support/idle-engine.js';
import { ownDatabaseUri } from '../../support/servers.js';
import { simulatedHost } from '../../support/simulated-vm.js';
import { SimulatorProcess } from '../../support/simulator-process.js';

const size = { cpu: 100, memory: 512 };
const signal = new AbortController().signal;

/** A database and an adapter of its own, on hosts that others have too. */
async function home(name: string, simulator: SimulatorProcess) {
  const connection: Connection = await connectMongodb(ownDatabaseUri(`strays-${name}`));
  await bootstrapStore(connection);
  const store: Store = createStore(connection);
  const hypervisor = simulatedHypervisor(simulator.address, await store.installation.id());
  const { monitorHosts } = monitoringActivities({ store, hypervisors: { of: () => hypervisor }, engine: idleEngine });
  const hosts = store.hosts.model.collection;
  for (const _id of [1, 2])
    await hosts.insertOne({
      ...{ _id, name: `host-${_id}`, vm_mad: 'simulated', state: 'MONITORED', error: null, uid: 0, gid: 0 },
      ...{ total: { cpu: 1_000, memory: 8_192 }, used: { cpu: 0, memory: 0 }, vms: {}, vm_count: 0 },
      ...{ created_at: new Date(), last_monitored_at: null },
    } as never);
  const host = async (id: number) => {
    const found = await store.hosts.find(id);
    if (!found) throw new Error(`there is no host ${id}`);
    return found;
  };
  const own = {
    store,
    host,
    look: () => new MockActivityEnvironment().run(monitorHosts, [1, 2]),
    /** A domain of one of its VMs, whatever is written of it. */
    plant: async (vm: number, on = 1, epoch = 1) =>
      hypervisor.deploy(
        {
          ...{ id: vm, domain: domainName(vm), host: simulatedHost(`host-${on}`), capacity: size, epoch },
          ...{ labels: { vm }, template: {} },
        },
        signal,
      ),
    /** A VM that runs, as it is written down and on its host. */
    async run(vm: number, on = 1, epoch = 1) {
      await store.vms.model.collection.insertOne({
        ...{ _id: vm, state: 'ACTIVE', lcm_state: 'RUNNING', epoch, hold: null, operation: null, wanted: null },
        ...{ history: [{ seq: 0, hid: on, hostname: `host-${on}`, epoch, etime: null }] },
      } as never);
      await store.hosts.reserve([{ vm, host: on, capacity: size }]);
      await own.plant(vm, on, epoch);
    },
    ends: (vm: number) =>
      store.vms.model.updateOne({ _id: vm }, { $set: { state: 'DONE', lcm_state: 'LCM_INIT', history: [] } }),
    async has(on = 1) {
      const { domains } = await hypervisor.probe(simulatedHost(`host-${on}`), signal);
      return domains.map(({ vm }) => vm).sort((one, other) => one - other);
    },
    zombies: async (on = 1) => (await host(on)).strays?.zombies.map(({ vm, reason }) => `${vm} ${reason}`) ?? [],
    async stop() {
      await connection.dropDatabase();
      await connection.close();
    },
  };
  return own;
}

let simulator: SimulatorProcess;
let here: Awaited<ReturnType<typeof home>>;
let there: Awaited<ReturnType<typeof home>>;
beforeAll(async () => {
  simulator = await SimulatorProcess.start();
  [here, there] = await Promise.all([home('here', simulator), home('there', simulator)]);
});
afterAll(async () => {
  await Promise.all([here?.stop(), there?.stop()]);
  await simulator?.dispose();
});

describe('two homes on one hypervisor', () => {
  it('have VMs of the same ids on one host, see each other’s as wild, and touch none', async () => {
    await here.run(1);
    await there.run(1);
    await there.run(2);
    // To the one home, VM 2 is DONE; the domain of that id is the other's.
    await here.run(2);
    await here.ends(2);
    await here.store.hosts.release([{ vm: 2, host: 1, capacity: size }]);
    for (const _ of [1, 2, 3]) {
      await here.look();
      await there.look();
    }
    expect(await here.has()).toEqual([1]);
    expect(await there.has()).toEqual([1, 2]);
    const { strays, outside } = await here.host(1);
    expect(strays).toMatchObject({ zombie_count: 0, wild_count: 2 });
    expect(strays?.wilds.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^one-1-/),
      expect.stringMatching(/^one-2-/),
    ]);
    expect(outside).toEqual({ cpu: 200, memory: 1_024 });
  });

  it('do not reserve what the other has taken', async () => {
    const big = { cpu: 750, memory: 1_024 };
    expect(await here.store.hosts.reserve([{ vm: 50, host: 1, capacity: big }])).toEqual([]);
    const [free] = (await here.store.hosts.snapshot()).map((host) => host.free);
    expect(free).toEqual({ cpu: 700, memory: 6_656 });
    const fits = [{ vm: 50, host: 1, capacity: { cpu: 700, memory: 1_024 } }];
    expect(await here.store.hosts.reserve(fits)).toEqual(fits);
    await here.store.hosts.release(fits);
  });
});

describe('a database of yesterday', () => {
  it('has no VM of today destroyed, nor its id given again, until somebody says so', async () => {
    await here.run(10, 2, 4);
    await here.look();
    const { vms, hosts, counters } = Object.fromEntries(
      await Promise.all(
        (['vms', 'hosts', 'counters'] as const).map(async (name) => [
          name,
          await here.store.connection.collection(name).find().toArray(),
        ]),
      ),
    );
    // Today: VM 10 is moved, others are made.
    await here.store.vms.model.updateOne(
      { _id: 10 },
      { $set: { epoch: 6, history: [{ seq: 1, hid: 1, hostname: 'host-1', epoch: 6, etime: null }] } },
    );
    await here.plant(10, 1, 6);
    await simulator.send('PUT', '/hosts/host-2/faults', { lose: [10] });
    for (const vm of [900, 901, 902]) await here.run(vm, 2);
    // The backup is put back.
    for (const [name, documents] of Object.entries({ vms, hosts, counters })) {
      await here.store.connection.collection(name).deleteMany({});
      await here.store.connection.collection(name).insertMany(documents);
    }
    for (const _ of [1, 2, 3]) await here.look();
    expect(await here.has(2)).toEqual([900, 901, 902]);
    expect(await here.has(1)).toEqual([1, 10]);
    expect(await here.zombies(2)).toEqual(['900 unknown', '901 unknown', '902 unknown']);
    expect(await here.zombies(1)).toEqual(['10 last_copy']);
    expect((await here.host(2)).outside).toEqual({ cpu: 300, memory: 1_536 });
    expect(await here.store.counters.one('vm')).toBe(903);

    const zombie = (await here.host(2)).strays?.zombies.find(({ vm }) => vm === 901);
    await here.store.hosts.model.updateOne(
      { _id: 2 },
      { $set: { condemned: [{ vm: 901, deploy_id: zombie?.deploy_id ?? '' }] } },
    );
    await here.look();
    expect(await here.has(2)).toEqual([900, 902]);
    await here.look();
    expect(await here.host(2)).toMatchObject({ condemned: [], strays: { zombie_count: 2 } });
  });
});

describe('a copy of what is over', () => {
  it('goes at the second look; of more than five, none does', async () => {
    const gone = [20, 21, 22, 23, 24, 25];
    for (const vm of gone) {
      await here.run(vm, 1);
      await here.ends(vm);
      await here.store.hosts.release([{ vm, host: 1, capacity: size }]);
    }
    for (const _ of [1, 2, 3]) await here.look();
    expect(await here.has(1)).toEqual([1, 10, ...gone]);
    await simulator.send('PUT', '/hosts/host-1/faults', { lose: [20] });
    await here.look();
    expect(await here.has(1)).toEqual([1, 10]);
    await here.look();
    expect(await here.zombies(1)).toEqual(['10 last_copy']);
  });

  it('of a VM that runs elsewhere goes, and that one stays', async () => {
    await here.run(30, 2, 5);
    await here.plant(30, 1, 4);
    await here.look();
    expect(await here.has(1)).toContain(30);
    await here.look();
    expect(await here.has(1)).not.toContain(30);
    expect(await here.has(2)).toContain(30);
  });
});
