import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem, problemOf } from '../../../domain/problems.js';
import { unconditional } from '../../../requests/precondition.js';
import { limits } from '../../../schemas/common/limits.js';
import type { CreateImage, Image } from '../../../schemas/storage/image.js';
import { withTransaction } from '../../../store/mongo/transaction.js';
import { type Deed, everyStep } from '../../support/every-step.js';
import { type Asked, newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { diesOnce, holding } from '../../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development, hosts: 0 });
});
afterAll(() => world.stop());
afterEach(() => {
  world.steps.watch();
  world.storage.beforeEach = async () => {};
  world.storage.pieceMilliseconds = 0;
});

let serial = 0;
const admission = { requestId: 'test' };
const asked = ({ id, resource }: { id: string; resource: { id: number } }): Asked => ({ op: id, id: resource.id });
const found = (id: number): Promise<Image | null> => world.store.images.find(id);
const stateOf = async (id: number): Promise<string> => (await found(id))?.state ?? 'gone';
const ended = (op: string) => world.server.skipping(world.ended(op));

const create = async (wish: Partial<CreateImage> = {}): Promise<Asked> => {
  const base = { name: `image-${++serial}`, description: '', type: 'OS', persistent: false } as const;
  return asked(
    await world.operations.images.create(
      world.caller,
      { ...base, source: { url: 'http://source.test/3' }, ...wish },
      admission,
    ),
  );
};
const clone = async (id: number): Promise<Asked> =>
  asked(await world.operations.images.clone(world.caller, id, { name: `clone-${++serial}` }, admission));
const resize = async (id: number, size_mb: number): Promise<Asked> =>
  asked(await world.operations.images.resize(world.caller, id, { size_mb }, admission));
const remove = async (id: number): Promise<Asked> =>
  asked(await world.operations.images.remove(world.caller, id, admission));
async function ready(wish?: Partial<CreateImage>): Promise<number> {
  const { id, op } = await create(wish);
  expect(await ended(op)).toMatchObject({ state: 'succeeded', error: null });
  return id;
}
/** What failed of it last is tried again. */
async function retried(id: number): Promise<Asked> {
  const last = await world.store.operations.lastOf({ type: 'image', id });
  return asked(await world.operations.operations.retry(world.caller, last?._id ?? '', admission));
}
const refused = (act: Promise<unknown>) =>
  act.then(
    () => null,
    (error: unknown) => problemOf(error),
  );
const bytesOf = (id: number): string[] =>
  [...world.storage.kept.keys(), ...world.storage.staged.keys()].filter((key) => key === `1/${id}`);
const used = async () => (await world.store.quotas.find({ type: 'user', id: world.caller.id }))?.used;

const isMade = async (id: number): Promise<void> => {
  const image = await found(id);
  // What was cancelled is gone, and nothing of it is left.
  if (!image) return expect(bytesOf(id)).toEqual([]);
  expect(image).toMatchObject({ state: 'READY', operation: null, wanted: null, reason: null, size_mb: 3 });
  expect(bytesOf(id)).toEqual([`1/${id}`]);
};
const againMade = async (id: number): Promise<Asked | null> => ((await stateOf(id)) === 'ERROR' ? retried(id) : null);

const sources: number[] = [];
const source = async (): Promise<number> => sources[0] ?? sources[sources.push(await ready()) - 1] ?? -1;

const deeds: Record<string, Deed> = {
  createImage: {
    prepare: async () => null,
    ask: () => create(),
    again: againMade,
    arrived: isMade,
    cancelled: stateOf,
    afterCancel: /^gone$/,
    // Its bytes are there before a cancel is: what stops while they come is a test of its own.
    stops: 0,
  },
  cloneImage: {
    prepare: source,
    ask: (id) => clone(id ?? -1),
    again: againMade,
    arrived: async (id) => {
      await isMade(id);
      expect(await found(await source())).toMatchObject({ state: 'READY', clones: [] });
    },
    cancelled: stateOf,
    afterCancel: /^gone$/,
    stops: 0,
  },
  resizeImage: {
    prepare: () => ready(),
    ask: (id) => resize(id ?? -1, 7),
    again: async (id) => ((await found(id))?.size_mb === 7 && (await stateOf(id)) === 'READY' ? null : resize(id, 7)),
    arrived: async (id) => {
      expect(await found(id)).toMatchObject({
        ...{ state: 'READY', operation: null, reason: null, size_mb: 7, virtual_size: 7 * 2 ** 20 },
        published: { bytes: expect.any(Number) },
      });
      expect(world.storage.kept.get(`1/${id}`)).toMatchObject({ virtualSize: 7 * 2 ** 20 });
    },
    cancelled: stateOf,
    afterCancel: /^(READY|ERROR)$/,
    stops: 0,
  },
  deleteImage: {
    prepare: () => ready(),
    ask: (id) => remove(id ?? -1),
    again: async (id) => ((await found(id)) === null ? null : remove(id)),
    arrived: async (id) => {
      expect(await found(id)).toBeNull();
      expect(bytesOf(id)).toEqual([]);
    },
    cancelled: stateOf,
    afterCancel: /^(ERROR|gone)$/,
    stops: 0,
  },
};

const inTurn = Object.entries(deeds).map(([name, deed], at) => [name, deed, at] as const);
describe.each(inTurn)('%s', (_, deed, at) => everyStep(() => world, deed, at));

describe('an image', () => {
  it('is charged what it was found to be, and its owner gets that back when it is gone', async () => {
    const before = await used();
    const id = await ready({ size_mb: 5 });
    expect(await found(id)).toMatchObject({ size_mb: 3, format: 'raw', virtual_size: 3 * 2 ** 20 });
    expect(await used()).toMatchObject({
      images: (before?.images ?? 0) + 1,
      storage: (before?.storage ?? 0) + 3,
    });
    expect(await ended((await remove(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(await used()).toMatchObject({ images: before?.images ?? 0, storage: before?.storage ?? 0 });
  });

  it('that comes to more than was reserved is refused, and stays in ERROR with the reason until it is removed', async () => {
    const { id, op } = await create({ size_mb: 2 });
    expect(await ended(op)).toMatchObject({ state: 'failed', error: { code: 'image_refused' } });
    expect(await found(id)).toMatchObject({ state: 'ERROR', reason: 'It has more than 2 MB.' });
    const why = await world.operations.why.image(world.caller, id);
    expect(why.text).toContain('is in ERROR: It has more than 2 MB.');
    expect(why.actions.map(({ name }) => name)).toEqual(['retry', 'delete_image']);
    expect(await ended((await remove(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(bytesOf(id)).toEqual([]);
  });

  it('goes on where it got to when its worker was lost', async () => {
    world.steps.watch(diesOnce());
    const id = await ready();
    await isMade(id);
  });

  it('that failed goes on where it got to when it is tried again', async () => {
    let calls = 0;
    const froms: number[] = [];
    world.storage.beforeEach = async (call, image) => {
      if (call !== 'bringIn') return;
      froms.push(world.storage.staged.get(`${image.datastore.id}/${image.id}`) ?? 0);
      calls += 1;
      if (calls === 1) world.storage.staged.set(`${image.datastore.id}/${image.id}`, 2 ** 20);
      if (calls === 1) throw new Problem('source_refused', 'http://source.test answered 404');
    };
    const { id, op } = await create();
    expect(await ended(op)).toMatchObject({ state: 'failed', error: { code: 'source_refused' } });
    expect(await ended((await retried(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(froms).toEqual([0, 2 ** 20]);
    await isMade(id);
  });

  it.each(['made', 'cloned'])('that is cancelled while it is %s is gone, and nothing of it is left', async (verb) => {
    const of = verb === 'cloned' ? await source() : null;
    const { around, reached, release } = holding('fillImage');
    world.storage.pieceMilliseconds = 3_600_000;
    world.steps.watch(around);
    const { id, op } = of === null ? await create() : await clone(of);
    await reached;
    release();
    expect(await stateOf(id)).toBe('LOCKED');
    await world.cancel(op);
    expect(await ended(op)).toMatchObject({ state: 'cancelled', error: { code: 'cancelled' } });
    expect(await stateOf(id)).toBe('gone');
    expect(bytesOf(id)).toEqual([]);
    if (of !== null) expect(await found(of)).toMatchObject({ state: 'READY', clones: [] });
    await world.accounted();
  });

  it('that is removed while it is being made is gone, whatever is at work on it', async () => {
    const { around, reached, release } = holding('fillImage');
    world.steps.watch(around);
    const { id, op } = await create();
    await reached;
    const removal = await remove(id);
    release();
    expect(await ended(op)).toMatchObject({ state: 'cancelled' });
    expect(await ended(removal.op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await found(id)).toBeNull();
    expect(bytesOf(id)).toEqual([]);
    await world.accounted();
  });

  it('is removed by nobody while another is made of it', async () => {
    const id = await ready();
    const { around, reached, release } = holding('fillImage');
    world.steps.watch(around);
    const cloning = await clone(id);
    await reached;
    expect(await found(id)).toMatchObject({ state: 'CLONE', clones: [cloning.id] });
    expect(await refused(remove(id))).toMatchObject({
      code: 'wrong_state',
      message: expect.stringContaining(`is being cloned: image ${cloning.id} is made of it`),
    });
    release();
    expect(await ended(cloning.op)).toMatchObject({ state: 'succeeded' });
    expect(await found(id)).toMatchObject({ state: 'READY', clones: [] });
  });

  it('in use is removed by nobody, who is told who uses it', async () => {
    const id = await ready();
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'USED', vms: [12] } });
    expect(await refused(remove(id))).toMatchObject({ message: expect.stringContaining('VM 12 uses it') });
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'READY', vms: [] } });
  });

  it('of which an old try thaws late is what the newer one has made of it', async () => {
    const { around, reached, release } = holding('fillImage');
    world.steps.watch(around);
    const { id, op } = await create();
    await reached;
    const stale = await world.store.images.claim(id, op);
    release();
    expect(await ended(op)).toMatchObject({ state: 'succeeded' });
    const made = { format: 'raw' as const, virtualSize: 2 ** 30, bytes: 2 ** 30, published: null };
    expect(await world.store.images.made(id, { op, epoch: stale?.epoch ?? -1 }, made)).toBe(false);
    await isMade(id);
  });

  it('tells how far its bytes are', async () => {
    world.storage.pieceMilliseconds = 400;
    const { op } = await create({ source: { url: 'http://source.test/6' } });
    expect(await ended(op)).toMatchObject({ state: 'succeeded' });
    expect(await world.operations.operations.show(world.caller, op)).toMatchObject({
      moved: { phase: 'fetch', bytes: 6 * 2 ** 20, total: 6 * 2 ** 20, seconds_left: 0 },
      progress: { done: 6, total: 6, unit: 'MB' },
    });
  });
});

describe('quotas and datastores', () => {
  const setLimit = (limit: object) =>
    world.store.quotas.setLimits({ type: 'user', id: world.caller.id }, limit as { images: number });
  afterEach(() => setLimit({ images: -1, storage: -1 }));

  it('let nobody have more images made at a time than others leave him places for', async () => {
    world.storage.beforeEach = async () => {
      throw new Problem('source_refused', 'http://source.test answered 404');
    };
    const failed = await create();
    expect(await ended(failed.op)).toMatchObject({ state: 'failed' });
    world.storage.beforeEach = async () => {};
    const { around, release } = holding('fillImage');
    world.steps.watch(around);
    const made = await Promise.all(Array.from({ length: limits.imagesBeingMade.most }, () => create()));
    const tooMany = { code: 'wrong_state', message: expect.stringContaining('Wait for one of them') };
    expect(await refused(create())).toMatchObject(tooMany);
    expect(await refused(retried(failed.id))).toMatchObject(tooMany);
    release();
    for (const { op } of made) expect(await ended(op)).toMatchObject({ state: 'succeeded' });
  });

  it('charge what has arrived of what could not be made, and keep it for another try', async () => {
    const { id, op } = await create({ source: { url: 'http://source.test/5' } });
    expect(await ended(op)).toMatchObject({ state: 'succeeded' });
    const image = await world.store.images.find(id);
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'LOCKED', operation: 'again' } });
    const by = { op: 'again', epoch: image?.epoch ?? -1 };
    const before = (await used())?.storage ?? 0;
    expect(await world.store.images.arrived(id, by, 9)).toBe(true);
    expect((await used())?.storage).toBe(before + 4);
    await setLimit({ storage: before + 5 });
    expect(await world.store.images.arrived(id, by, 20)).toBe(false);
    expect(await world.store.images.arrived(id, { ...by, epoch: -1 }, 9)).toBeNull();
    expect((await used())?.storage).toBe(before + 4);
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'READY', operation: null } });
    await world.accounted();
  });

  it('let nobody have more images than he may', async () => {
    await setLimit({ images: (await used())?.images ?? 0 });
    expect(await refused(create())).toMatchObject({ code: 'quota_exceeded' });
  });

  it('refuse what is reserved before a byte is moved, and what was found to be more in the end', async () => {
    await setLimit({ storage: ((await used())?.storage ?? 0) + 2 });
    expect(await refused(create({ size_mb: 3 }))).toMatchObject({ code: 'quota_exceeded' });
    const { id, op } = await create();
    expect(await ended(op)).toMatchObject({ state: 'failed', error: { code: 'image_refused' } });
    // What nobody will take is not kept at nobody's charge.
    expect(world.storage.staged.has(`1/${id}`)).toBe(false);
    await setLimit({ storage: -1 });
    expect(await ended((await retried(id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('keep nothing of what was refused, though its datastore did not answer at once', async () => {
    const calls: string[] = [];
    world.storage.beforeEach = async (call) => {
      calls.push(call);
      if (call === 'remove' && calls.filter((one) => one === 'remove').length === 1)
        throw new Problem('backend_unavailable', 'the disk is away');
    };
    const { id, op } = await create({ source: { url: 'http://source.test/7' }, size_mb: 3 });
    expect(await ended(op)).toMatchObject({ state: 'failed', error: { code: 'image_refused' } });
    expect(calls).toEqual(['bringIn', 'remove', 'bringIn', 'remove']);
    expect(world.storage.staged.has(`1/${id}`)).toBe(false);
    world.storage.beforeEach = async () => {};
    await world.accounted();
  });

  it('are told by the newest try alone', async () => {
    const { id, op } = await create();
    expect(await ended(op)).toMatchObject({ state: 'succeeded' });
    await world.store.images.model.updateOne({ _id: id }, { $set: { operation: 'again' } });
    const { epoch } = (await world.store.images.claim(id, 'again')) ?? { epoch: -1 };
    expect(await world.store.images.claimAgain(id, { op: 'again', epoch: epoch - 1 })).toBeNull();
    expect(await world.store.images.claimAgain(id, { op: 'again', epoch })).toMatchObject({ epoch: epoch + 1 });
    await world.store.images.model.updateOne({ _id: id }, { $set: { operation: null } });
  });

  it('let exactly as many in as there is room for, however many come at once', async () => {
    const { id: limited } = await world.operations.datastores.create(
      { ...world.caller, id: 0, groups: [0], gid: 0 },
      { name: 'small', type: 'image', ds_mad: 'simulated', limit_mb: 10 },
    );
    await world.store.datastores.model.updateOne({ _id: limited }, { $set: { 'permissions.other.use': true } });
    const made = await Promise.allSettled(
      Array.from({ length: 8 }, () =>
        create({ datastore_id: limited, source: { empty: { size_mb: 3, format: 'raw' } } }),
      ),
    );
    const accepted = made.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(accepted).toHaveLength(3);
    for (const one of made)
      if (one.status === 'rejected') expect(problemOf(one.reason)).toMatchObject({ code: 'datastore_full' });
    for (const { op } of accepted) expect(await ended(op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('take nothing new when disabled, or of another type', async () => {
    expect(await refused(create({ type: 'KERNEL', datastore_id: 1 }))).toMatchObject({ code: 'invalid_request' });
    expect(await refused(create({ datastore_id: 2 }))).toMatchObject({ code: 'invalid_request' });
    await world.store.datastores.model.updateOne({ _id: 1 }, { $set: { state: 'DISABLED' } });
    expect(await refused(create())).toMatchObject({ code: 'wrong_state' });
    await world.store.datastores.model.updateOne({ _id: 1 }, { $set: { state: 'READY' } });
  });
});

it('datastores are asked how much room they have, each by itself, in one write', async () => {
  const capacityOf = world.storage.ports.storages.of({ ds_mad: 'fs' }).capacity;
  expect(await capacityOf({ id: 0, ds_mad: 'fs' }, AbortSignal.timeout(1_000))).toMatchObject({ free: 990 * 2 ** 20 });
  world.storage.silent.add(2);
  await world.tick('monitorDatastores');
  expect(await world.store.datastores.find(1)).toMatchObject({
    ...{ capacity: { total: 1_000, used: 10, free: 990 }, error: null },
  });
  expect(await world.store.datastores.find(2)).toMatchObject({ capacity: null, error: 'no such directory' });
});

describe('an image that is made larger', () => {
  it('is charged for it at once, and as large as it is when that has failed', async () => {
    const id = await ready();
    const before = (await used())?.storage ?? 0;
    world.steps.watch(async (step, run) => {
      if (step.name === 'growImage') throw new Problem('datastore_full', 'there is no room');
      return run();
    });
    const { op } = await resize(id, 9);
    expect((await used())?.storage).toBe(before + 6);
    expect(await ended(op)).toMatchObject({ state: 'failed', error: { code: 'datastore_full' } });
    expect(await found(id)).toMatchObject({ state: 'READY', size_mb: 3 });
    expect((await used())?.storage).toBe(before);
  });

  it('is as it was when that was cancelled before anything was done', async () => {
    const id = await ready();
    const before = (await used())?.storage ?? 0;
    const { around, reached, release } = holding('beginImage');
    world.steps.watch(around);
    const { op } = await resize(id, 9);
    await reached;
    await world.cancel(op);
    release();
    expect(await ended(op)).toMatchObject({ state: 'cancelled' });
    expect(world.steps.names()).not.toContain('growImage');
    expect(await found(id)).toMatchObject({ state: 'READY', size_mb: 3, operation: null });
    expect((await used())?.storage).toBe(before);
  });

  it('is in ERROR again when it was, and that was cancelled before anything was done', async () => {
    const id = await ready();
    const was = { state: 'ERROR', reason: 'it could not be removed: no answer' } as const;
    await world.store.images.model.updateOne({ _id: id }, { $set: was });
    const { around, reached, release } = holding('beginImage');
    world.steps.watch(around);
    const { op } = await resize(id, 2);
    await reached;
    const image = await found(id);
    expect(image).toMatchObject({ state: 'LOCKED', untouched: { op, ...was } });
    release();
    // What fails of it leaves it so, and says so, though it was as large as that before.
    world.storage.beforeEach = async (call) => {
      if (call === 'resize') throw new Problem('datastore_full', 'there is no room');
    };
    world.storage.kept.delete(`1/${id}`);
    expect(await ended(op)).toMatchObject({ state: 'failed' });
    expect(await found(id)).toMatchObject({ state: 'ERROR', operation: null });
    // One whose run never touched it is as it was.
    await world.store.images.model.updateOne(
      { _id: id },
      { $set: { ...was, operation: 'never', state: 'LOCKED', untouched: { op: 'never', ...was } } },
    );
    const locked = await found(id);
    const restored =
      locked &&
      (await withTransaction(world.store.images.model.db, (transaction) =>
        world.store.images.restore(locked, 'never', transaction),
      ));
    expect(restored).toBe(true);
    expect(await found(id)).toMatchObject({ ...was, operation: null });
  });

  it('is refused where it would be smaller, of what is no disk that grows, and of what is in use', async () => {
    const id = await ready();
    expect(await refused(resize(id, 3))).toMatchObject({ code: 'invalid_request' });
    const cd = await ready({ type: 'CDROM' });
    expect(await refused(resize(cd, 9))).toMatchObject({ code: 'wrong_state' });
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'USED', vms: [12] } });
    expect(await refused(resize(id, 9))).toMatchObject({ code: 'wrong_state' });
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'READY', vms: [] } });
  });
});

describe('an edit of an image', () => {
  const update = (id: number, wish: object) =>
    world.operations.images.update(world.caller, id, {
      revise: (before) => ({ wish: { ...before, ...wish }, named: new Set(Object.keys(wish)) as never }),
      precondition: unconditional,
    });

  it('changes its type and persistence where nothing uses it, and not where something does', async () => {
    const id = await ready();
    expect(await update(id, { type: 'DATABLOCK', persistent: true })).toMatchObject({ persistent: true });
    expect(await refused(update(id, { type: 'KERNEL' }))).toMatchObject({ code: 'invalid_request' });
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'USED_PERS', vms: [4] } });
    expect(await refused(update(id, { persistent: false }))).toMatchObject({ code: 'wrong_state' });
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'READY', vms: [] } });
  });

  it('locks it, upon which it is used and cloned, and neither changed, shared, given away nor removed', async () => {
    const id = await ready();
    expect(await update(id, { locked: true })).toMatchObject({ lock: { uid: world.caller.id } });
    expect(await update(id, { locked: true })).toMatchObject({ lock: { uid: world.caller.id } });
    for (const wish of [
      () => update(id, { description: 'another' }),
      () => update(id, { locked: false, name: 'another' }),
      () => world.operations.images.remove(world.caller, id, admission),
      () => world.operations.images.chmod(world.caller, id, { octet: '644' }),
    ])
      expect(await refused(wish())).toMatchObject({
        ...{ code: 'wrong_state', message: expect.stringContaining('Unlock it') },
      });
    expect(await ended((await clone(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(await update(id, { locked: false })).toMatchObject({ lock: null });
    expect(await update(id, { description: 'another' })).toMatchObject({ description: 'another' });
  });

  it('sets its attributes, which a clone has too', async () => {
    const id = await ready();
    expect(await update(id, { attributes: { DEV_PREFIX: 'sd' } })).toMatchObject({ attributes: { DEV_PREFIX: 'sd' } });
    const { id: other } = await clone(id);
    expect(await found(other)).toMatchObject({ attributes: { DEV_PREFIX: 'sd' } });
  });

  it('disables it, upon which it is not cloned, and enables it again', async () => {
    const id = await ready();
    expect(await update(id, { state: 'disabled' })).toMatchObject({ state: 'DISABLED' });
    expect(await refused(clone(id))).toMatchObject({ code: 'wrong_state' });
    expect(await update(id, { state: 'enabled' })).toMatchObject({ state: 'READY' });
    expect(await update(id, { state: 'enabled' })).toMatchObject({ state: 'READY' });
    await world.store.images.model.updateOne({ _id: id }, { $set: { state: 'ERROR' } });
    expect(await refused(update(id, { state: 'enabled' }))).toMatchObject({ code: 'wrong_state' });
  });
});
