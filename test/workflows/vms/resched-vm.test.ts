import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemOf } from '../../../domain/problems.js';
import { placeOf } from '../../../domain/vms/stays.js';
import { newWorld, type World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());

const hostOf = async (id: number) => placeOf(await world.vm(id))?.hid;

describe('a VM that is marked', () => {
  it('is migrated when another host takes it, as whoever has marked it would, and is not marked then', async () => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    const from = await hostOf(id);
    const others = { _id: { $ne: from } };
    await world.store.hosts.model.updateMany(others, { $set: { state: 'DISABLED' } });
    for (const _ of [1, 2]) expect(await world.resched(id, true)).toMatchObject({ id, resched: true });
    await world.reconcile();
    expect(await world.store.operations.lastOf({ type: 'vm', id })).toMatchObject({ _id: op });
    await world.store.hosts.model.updateMany(others, { $set: { state: 'MONITORED' } });
    // Its next try is a matter of time.
    await world.store.resched.later(id, new Date());
    await world.reconcile();
    const migration = await world.store.operations.lastOf({ type: 'vm', id });
    expect(migration).toMatchObject({ kind: 'migrateVm', requester: { id: 2 } });
    expect(await world.ended(migration?._id ?? '')).toMatchObject({ state: 'succeeded' });
    expect(await hostOf(id)).not.toBe(from);
    expect(await world.vm(id)).toMatchObject({ lcm_state: 'RUNNING', resched: null });
    await world.reconcile();
    expect(await world.store.operations.lastOf({ type: 'vm', id })).toMatchObject({ _id: migration?._id });
    await world.accounted();
  });

  it('is not marked any more once it was told to stay, or was switched', async () => {
    const { id, op } = await world.createVm();
    await world.ended(op);
    await world.resched(id, true);
    expect(await world.resched(id, false)).toMatchObject({ resched: false });
    await world.resched(id, true);
    await world.ended((await world.switch(id, 'poweroff')).op);
    expect((await world.vm(id)).resched).toBeNull();
    const refused = await world.resched(id, true).catch((error: unknown) => problemOf(error)?.code);
    expect(refused).toBe('wrong_state');
  });
});
