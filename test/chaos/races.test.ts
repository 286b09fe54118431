import type { Connection } from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { placeVms } from '../../activities/vms/place-vms.js';
import { placeOf } from '../../domain/vms/stays.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { RoleTies } from '../../schemas/placement/placement.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { seeded } from '../support/cluster-chance.js';
import { deployingService, roleNames } from '../support/deploying-service.js';
import { madeHost } from '../support/made-host.js';
import { madeVm } from '../support/made-vm.js';
import { ownDatabaseUri } from '../support/servers.js';
import { inLanes, Racer } from './starting-racers.js';

const names = z.array(z.string());
const host = (_id: number, total: Host['total']): Host => madeHost({ _id, total });

const pendingVm = (id: number, op: string): Vm =>
  madeVm({
    ...{ _id: id, state: 'PENDING', lcm_state: 'LCM_INIT' },
    capacity: { cpu: 50 + 50 * (id % 3), memory: 256 },
    hold: { op, epoch: 1, attempt: 0 },
  });

describe('two processes, each with a connection of its own,', () => {
  let databaseUri: string;
  let connection: Connection;
  let store: Store;
  beforeAll(async () => {
    databaseUri = ownDatabaseUri('races');
    const first = await connectMongodb(databaseUri);
    await bootstrapStore(first);
    await first.close();
    connection = await connectMongodb(databaseUri);
    store = createStore(connection);
  });
  afterAll(async () => {
    await connection?.dropDatabase();
    await connection?.close();
  });

  it('race work on roles against the undeployment of their service 1,000 times: no work starts once that is admitted, and it sees all that had', async () => {
    const rounds = 1_000;
    const chance = seeded('ARCUS_RACE_SEED');
    const op = 'the deployment';
    await store.services.model.insertMany(Array.from({ length: rounds }, (_, id) => deployingService(id, op)));
    const deployment = await Racer.start('take-roles.js', databaseUri);
    const undeployment = await Racer.start('admit-undeployments.js', databaseUri);
    const orders = { 'work first': 0, 'work in between': 0, 'undeployment first': 0 };
    const wrong: string[] = [];

    await inLanes(rounds, 12, async (service) => {
      const [taken, seen] = await Promise.all([
        deployment.play(names, chance() * 80, { service, op, roles: roleNames }),
        undeployment.play(names, chance() * 80, { service }),
      ]);
      if (taken.join() !== seen.join())
        wrong.push(`service ${service}: ${taken.join()} were taken, ${seen.join()} were seen`);
      orders[taken.length === 0 ? 'undeployment first' : taken.length === 3 ? 'work first' : 'work in between']++;
    });
    console.error(`race of roles: ${JSON.stringify(orders)}`);
    expect(wrong).toEqual([]);
    // A race in which one side always wins shows nothing.
    for (const [order, times] of Object.entries(orders)) expect(times, order).toBeGreaterThan(0);
  });

  const checkHosts = async (): Promise<{ placed: number; wrong: string[] }> => {
    const wrong: string[] = [];
    const hosts = await store.hosts.model.find().lean<Host[]>().exec();
    const vms = await store.vms.model.find().lean<Vm[]>().exec();
    const stays = new Map(vms.map((vm) => [vm._id, vm.state === 'ACTIVE' ? placeOf(vm)?.hid : undefined]));
    for (const { _id, vms: held, used, total } of hosts) {
      const sum = Object.values(held).reduce((cpu, each) => cpu + each.cpu, 0);
      if (used.cpu > total.cpu || used.memory > total.memory) wrong.push(`host ${_id} is overcommitted`);
      if (used.cpu !== sum || used.memory !== Object.keys(held).length * 256) wrong.push(`host ${_id}: a wrong sum`);
      for (const vm of Object.keys(held))
        if (stays.get(Number(vm)) !== _id)
          wrong.push(`host ${_id} holds VM ${vm}, which is at ${stays.get(Number(vm))}`);
    }
    for (const [vm, hid] of stays)
      if (hid !== undefined && !hosts.some(({ _id, vms: held }) => _id === hid && `${vm}` in held))
        wrong.push(`VM ${vm} is at host ${hid}, which does not hold it`);
    return { placed: [...stays.values()].filter((hid) => hid !== undefined).length, wrong };
  };

  const batches = (ids: readonly number[], size: number): number[][] =>
    Array.from({ length: Math.ceil(ids.length / size) }, (_, at) => ids.slice(at * size, (at + 1) * size));

  const freshCloud = async (vms: number, hosts: number, total: Host['total']): Promise<number[]> => {
    await Promise.all([store.vms.model.deleteMany({}), store.hosts.model.deleteMany({})]);
    await store.hosts.model.insertMany(Array.from({ length: hosts }, (_, id) => host(id, total)));
    const ids = Array.from({ length: vms }, (_, id) => id);
    await store.vms.model.insertMany(ids.map((id) => pendingVm(id, 'the deployment')));
    return ids;
  };

  it('place 600 VMs of their own on the same hosts at once: no host is overcommitted, and what fits is placed', async () => {
    // Room for 500 by memory on each of three hosts together, and CPU for all.
    const ids = await freshCloud(600, 3, { cpu: 100_000, memory: 256 * 167 });
    const racers = [
      await Racer.start('place-batches.js', databaseUri),
      await Racer.start('place-batches.js', databaseUri),
    ];
    const halves = [ids.filter((id) => id % 2 === 0), ids.filter((id) => id % 2 === 1)];
    await Promise.all(
      racers.map(async (racer, at) => {
        const mine = batches(halves[at] ?? [], 20);
        await inLanes(mine.length, 4, async (batch) => {
          await racer.play(z.int(), 0, { vms: mine[batch] });
        });
      }),
    );
    expect((await checkHosts()).wrong).toEqual([]);
    // Whoever was outrun eight times waits for the next look.
    await placeVms(store, await store.vms.byIds(ids));
    expect(await checkHosts()).toEqual({ placed: 501, wrong: [] });
  });

  it('place the same 500 VMs at once, as two tries of one step do: each VM has one host at the end', async () => {
    const ids = await freshCloud(500, 4, { cpu: 100_000, memory: 256 * 100 });
    const racers = [
      await Racer.start('place-batches.js', databaseUri),
      await Racer.start('place-batches.js', databaseUri),
    ];
    const same = batches(ids, 25);
    await inLanes(same.length, 4, async (batch) => {
      await Promise.all(racers.map((racer) => racer.play(z.int(), 0, { vms: same[batch] })));
    });
    expect((await checkHosts()).wrong).toEqual([]);
    await placeVms(store, await store.vms.byIds(ids));
    expect(await checkHosts()).toEqual({ placed: 400, wrong: [] });
  });

  it('place 1,000 VMs on 50 hosts with hardly enough room: none is overcommitted, and all that fits is placed', async () => {
    // 300 VMs of 50, 350 of 100 and 350 of 150 hundredths of a core: 1,000 cores of 1,010, in pieces that leave little over.
    const ids = await freshCloud(1_000, 50, { cpu: 2_020, memory: 256 * 40 });
    const racers = [
      await Racer.start('place-batches.js', databaseUri),
      await Racer.start('place-batches.js', databaseUri),
    ];
    const halves = [ids.slice(0, 500), ids.slice(500)];
    const begun = performance.now();
    const processes = process.cpuUsage();
    await Promise.all(racers.map((racer, at) => racer.play(z.int(), 0, { vms: halves[at] })));
    const took = performance.now() - begun;
    const { user, system } = process.cpuUsage(processes);
    console.error(
      `1,000 VMs by two placers: ${Math.round(took)} ms (this process ${Math.round((user + system) / 1000)} ms)`,
    );
    const { placed, wrong } = await checkHosts();
    expect(wrong).toEqual([]);
    // Whoever was outrun waits for the next look; what does not fit then fits on no host, for the pieces that are left.
    await placeVms(store, await store.vms.byIds(ids));
    const after = await checkHosts();
    console.error(`placed at once: ${placed}; after another look: ${after.placed}`);
    expect(after.wrong).toEqual([]);
    const most = Math.max(...(await store.hosts.snapshot()).map(({ free }) => free.cpu));
    const left = (await store.vms.byIds(ids)).filter(({ state }) => state === 'PENDING');
    expect(left.filter(({ capacity }) => capacity.cpu <= most)).toEqual([]);
    expect(after.placed).toBeGreaterThan(950);
  });

  it('place roles that are to be apart, and roles that are to be together, at once: their rules hold in every service', async () => {
    const services = 60;
    await freshCloud(0, 4, { cpu: 100_000, memory: 256 * 10_000 });
    await store.services.model.deleteMany({});
    const op = 'the deployment';
    await store.services.model.insertMany(Array.from({ length: services }, (_, id) => deployingService(id, op)));
    const rules: Record<string, RoleTies> = {
      web: { together: [], apart: ['db'] },
      db: { together: [], apart: ['web'] },
      left: { together: ['left', 'right'], apart: [] },
      right: { together: ['left', 'right'], apart: [] },
    };
    const roles = Object.keys(rules);
    const idOf = (service: number, role: number, ordinal: number) => (service * roles.length + role) * 2 + ordinal;
    await store.vms.model.insertMany(
      Array.from({ length: services }, (_, service) =>
        Object.entries(rules).flatMap(([role, placement], at) =>
          [0, 1].map(
            (ordinal): Vm => ({
              ...pendingVm(idOf(service, at, ordinal), op),
              service: { id: service, role, ordinal },
              placement,
            }),
          ),
        ),
      ).flat(),
    );
    const racers = [
      await Racer.start('place-batches.js', databaseUri),
      await Racer.start('place-batches.js', databaseUri),
    ];
    await inLanes(services, 4, async (service) => {
      await Promise.all(
        roles.map(async (_, at) => {
          await racers[at % 2]?.play(z.int(), 0, { vms: [idOf(service, at, 0), idOf(service, at, 1)] });
        }),
      );
    });
    expect((await checkHosts()).wrong).toEqual([]);
    const vms = await store.vms.model.find().lean<Vm[]>().exec();
    await placeVms(store, vms);
    const placed = await store.vms.model.find().lean<Vm[]>().exec();
    expect(placed.filter(({ state }) => state !== 'ACTIVE')).toEqual([]);
    const wrong = Array.from({ length: services }, (_, service) => {
      const hostsOf = (role: string) =>
        new Set(
          placed.filter((vm) => vm.service?.id === service && vm.service.role === role).map((vm) => placeOf(vm)?.hid),
        );
      const shared = [...hostsOf('web')].filter((hid) => hostsOf('db').has(hid));
      const together = new Set([...hostsOf('left'), ...hostsOf('right')]);
      return shared.length > 0 || together.size !== 1 ? [service] : [];
    }).flat();
    expect(wrong).toEqual([]);
  });

  it('keep nothing reserved by one that lost and died before it gave that back, once its step goes on', async () => {
    const ids = await freshCloud(2, 2, { cpu: 1_000, memory: 1_024 });
    const vms = await store.vms.byIds(ids);
    const dying: Store = {
      ...store,
      hosts: {
        ...store.hosts,
        reserve: async (reservations) => {
          await placeVms(store, vms.toReversed());
          await store.hosts.reserve(reservations);
          throw new Error('its worker is killed');
        },
      },
    };
    await expect(placeVms(dying, vms)).rejects.toThrow('is killed');
    expect((await checkHosts()).wrong).not.toEqual([]);
    await placeVms(store, await store.vms.byIds(ids));
    expect(await checkHosts()).toEqual({ placed: 2, wrong: [] });
  });

  it('keep nothing reserved for a VM that the other has placed in the meantime', async () => {
    const ids = await freshCloud(2, 2, { cpu: 1_000, memory: 1_024 });
    const vms = await store.vms.byIds(ids);
    // The other comes between this one's plan and its reservations, and has planned in another order.
    const late: Store = {
      ...store,
      hosts: {
        ...store.hosts,
        reserve: async (reservations) => {
          await placeVms(store, vms.toReversed());
          return store.hosts.reserve(reservations);
        },
      },
    };
    await placeVms(late, vms);
    expect(await checkHosts()).toEqual({ placed: 2, wrong: [] });
  });
});
