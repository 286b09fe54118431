import type { Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { leaseKey } from '../../../domain/networks/lease-key.js';
import { defaultPermissions } from '../../../schemas/common/common.js';
import type { AddressRange } from '../../../schemas/networks/addresses.js';
import type { LeaseHolder } from '../../../schemas/networks/lease.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { ChoiceLost, untilChosen } from '../../../store/mongo/choice-lost.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { withTransaction } from '../../../store/mongo/transaction.js';
import { createStore, type Store } from '../../../store/store.js';
import { inLanes, Racer } from '../../chaos/starting-racers.js';
import { seeded } from '../../support/cluster-chance.js';
import { ownDatabaseUri } from '../../support/servers.js';

let databaseUri: string;
let connection: Connection;
let store: Store;
beforeAll(async () => {
  databaseUri = ownDatabaseUri('leases');
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
beforeEach(async () => {
  await Promise.all([store.networks.model.deleteMany({}), store.leases.model.deleteMany({})]);
});

let networks = 0;
const range = (ar_id: number, size: number): AddressRange => ({
  ar_id,
  type: 'ETHER',
  size,
  mac: `02:00:00:0${ar_id}:00:00`,
});

/** A network with ranges of these sizes. */
async function network(...sizes: number[]): Promise<number> {
  const id = networks++;
  await withTransaction(connection, (transaction) =>
    store.networks.insert(
      {
        ...{ _id: id, name: `network-${id}`, uid: 0, gid: 0, permissions: defaultPermissions, created_at: new Date() },
        vn_mad: 'dummy',
        ...{ bridge: 'b', phydev: null, vlan_id: null, vlan_drawn: false, attributes: {}, parent: null },
        ...{ ranges: sizes.map((size, ar_id) => range(ar_id, size)), next_ar: sizes.length },
      },
      transaction,
    ),
  );
  return id;
}

const vm = (id: number, nic = 0): LeaseHolder => ({ type: 'vm', id, nic });
const takeAt = (network: number, index: number, holder: LeaseHolder, ar_id = 0) =>
  withTransaction(connection, (transaction) => store.leases.take([{ network, ar_id, index, holder }], transaction));
const choose = async (id: number, count: number) => {
  const found = await store.networks.find(id);
  return found ? store.leases.choose(found, count) : [];
};
const holders = async (id: number) => (await store.leases.holding(id, { most: 10_000 })).map(({ holder }) => holder);

describe('an address', () => {
  it('is one holder’s: another one is told, and nothing is written of what it would take with it', async () => {
    const id = await network(4);
    await takeAt(id, 1, vm(1));
    const both = [0, 1].map((index) => ({ network: id, ar_id: 0, index, holder: vm(2, index) }));
    await expect(withTransaction(connection, (transaction) => store.leases.take(both, transaction))).rejects.toThrow(
      ChoiceLost,
    );
    expect(await holders(id)).toEqual([vm(1)]);
  });

  it('is not had twice by one NIC', async () => {
    const id = await network(4);
    await takeAt(id, 1, vm(1));
    await expect(takeAt(id, 2, vm(1))).rejects.toThrow(ChoiceLost);
  });

  it('is chosen in turn: what was given back rests as long as it can, and is found when nothing else is left', async () => {
    const id = await network(3, 2);
    const next = async (holder: LeaseHolder) => {
      const [place] = await choose(id, 1);
      if (place) await takeAt(place.network, place.index, holder, place.ar_id);
      return place && [place.ar_id, place.index];
    };
    expect(await next(vm(0))).toEqual([0, 0]);
    await withTransaction(connection, (transaction) => store.leases.releaseVm(0, transaction));
    expect([await next(vm(1)), await next(vm(2)), await next(vm(3))]).toEqual([
      [0, 1],
      [0, 2],
      [0, 0],
    ]);
    expect([await next(vm(4)), await next(vm(5)), await next(vm(6))]).toEqual([[1, 0], [1, 1], undefined]);
    await withTransaction(connection, (transaction) => store.leases.releaseVm(2, transaction));
    expect(await next(vm(7))).toEqual([0, 2]);
  });

  it('is chosen among many of one range and of the next, and fewer where there are not so many', async () => {
    const id = await network(300, 300);
    await withTransaction(connection, (transaction) =>
      store.leases.take(
        Array.from({ length: 299 }, (_, at) => ({ network: id, ar_id: 0, index: at, holder: vm(1, at) })),
        transaction,
      ),
    );
    const chosen = await choose(id, 301);
    expect(new Set(chosen.map(leaseKey)).size).toBe(301);
    expect(chosen.filter(({ ar_id }) => ar_id === 0)).toEqual([{ network: id, ar_id: 0, index: 299 }]);
    expect(await choose(id, 1_000)).toHaveLength(301);
  });

  it('cannot be taken of a range that has gone, or is smaller, whoever was first', async () => {
    const id = await network(4);
    const shrink = () =>
      withTransaction(connection, async (transaction) => {
        await store.leases.shut(id, transaction);
        if ((await store.leases.holding(id, { ar_id: 0, from: 2, most: 1 }, transaction)).length > 0) return false;
        await store.networks.replace(id, { ranges: [range(0, 2)] }, transaction);
        return true;
      });
    const take = () =>
      takeAt(id, 3, vm(1)).then(
        () => true,
        (error: unknown) => {
          if (error instanceof ChoiceLost) return false;
          throw error;
        },
      );
    /** Whether it was made smaller, and the address taken. */
    const ways: (() => Promise<[boolean, boolean]>)[] = [
      async () => [await shrink(), await take()],
      async () => {
        const taken = await take();
        return [await shrink(), taken];
      },
      ...Array.from({ length: 30 }, () => () => Promise.all([shrink(), take()])),
    ];
    const outcomes = new Set<boolean>();
    for (const way of ways) {
      await store.networks.model.updateOne({ _id: id }, { $set: { ranges: [range(0, 4)] } });
      const [shrunk, taken] = await way();
      expect(shrunk).not.toBe(taken);
      outcomes.add(taken);
      await withTransaction(connection, (transaction) => store.leases.releaseVm(1, transaction));
    }
    expect(outcomes.size).toBe(2);
  });
});

const Did = z.boolean();

describe('two processes', () => {
  it('take all of a range of 1,000 at once: each address once, and none is left', async () => {
    const id = await network(1_000);
    const one = await Racer.start('take-leases.js', databaseUri);
    const other = await Racer.start('take-leases.js', databaseUri);
    // As many at once as a process has connections: of more, each transaction would wait for all others at every one of its steps.
    await inLanes(1_000, 100, async (vm) => {
      expect(await (vm % 2 === 0 ? one : other).play(Did, 0, { network: id, vm, nics: 1 }), `VM ${vm}`).toBe(true);
    });
    const found = await store.leases.holding(id, { most: 2_000 });
    expect(new Set(found.map(({ index }) => index)).size).toBe(1_000);
    expect(new Set(found.map(({ holder }) => (holder.type === 'vm' ? holder.id : -1))).size).toBe(1_000);
    expect(await one.play(Did, 0, { network: id, vm: 1_000, nics: 1 })).toBe(false);
  });

  it('take and give back in whatever order, and are killed: what a VM has it has whole, and nobody else', async () => {
    const id = await network(60);
    const chance = seeded('ARCUS_LEASE_SEED');
    const wants = new Map<number, 'something' | 'nothing' | 'either'>();
    for (let round = 0; round < 3; round += 1) {
      const racers = [
        await Racer.start('take-leases.js', databaseUri),
        await Racer.start('take-leases.js', databaseUri),
      ];
      const killedAt = 10 + Math.floor(chance() * 20);
      const dead = new Set<Racer>();
      await inLanes(40, 8, async (vm) => {
        // A VM is the business of one at a time, as holds see to it.
        const racer = racers[vm % 2];
        if (!racer || dead.has(racer)) return;
        const nics = wants.get(vm) === 'something' ? 0 : 1 + Math.floor(chance() * 3);
        const played = racer.play(Did, chance() * 5, { network: id, vm, nics });
        if (vm >= killedAt && dead.size === 0) {
          dead.add(racer);
          racer.kill();
        }
        const done = await played.catch(() => null);
        wants.set(vm, done === null ? 'either' : nics > 0 && done ? 'something' : 'nothing');
      });
      for (const racer of racers) racer.kill();
      const found = await store.leases.holding(id, { most: 100 });
      const counts = new Map<number, number>();
      for (const { holder } of found) if (holder.type === 'vm') counts.set(holder.id, (counts.get(holder.id) ?? 0) + 1);
      for (const [vm, want] of wants) {
        if (want === 'something') expect(counts.get(vm), `VM ${vm}`).toBeGreaterThan(0);
        if (want === 'nothing') expect(counts.get(vm) ?? 0, `VM ${vm}`).toBe(0);
        if (want === 'either') wants.set(vm, counts.has(vm) ? 'something' : 'nothing');
      }
      // Whole or not at all: NICs are numbered from 0 without gaps.
      for (const [vm, count] of counts)
        for (let nic = 0; nic < count; nic += 1) expect(await store.leases.ofNic(vm, nic)).not.toBeNull();
    }
    for (const [vm] of wants)
      await withTransaction(connection, (transaction) => store.leases.releaseVm(vm, transaction));
    expect(await untilChosen(() => choose(id, 60))).toHaveLength(60);
  });
});
