import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { temporalEngine } from '../../../adapters/engine/temporal.js';
import { Problem, problemOf } from '../../../domain/problems.js';
import { createOperations } from '../../../requests/operations.js';
import { unconditional } from '../../../requests/precondition.js';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { newWorld, type World } from '../../support/world.js';
import { newImage } from '../../support/world-images.js';

let world: World;
let serial = 0;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.storage.beforeEach = async () => {};
});

const done = { state: 'succeeded', error: null };
const whole = { images: true, precondition: unconditional };
const { MEMORY, CPU } = { MEMORY: 64, CPU: 0.1 };

/** A VM template with these disks. */
const vmTemplate = async (name: string, ...DISK: Record<string, unknown>[]): Promise<number> =>
  (await world.operations.vmTemplates.create(world.caller, { name, template: { CPU, MEMORY, DISK } })).id;

async function serviceTemplate(...vmTemplates: number[]): Promise<number> {
  const roles = vmTemplates.map((vm_template, at) => ({ name: `role${at}`, vm_template }));
  const body = ServiceTemplateBody.parse({ name: `of disks ${++serial}`, deployment: 'none', roles });
  return (await world.operations.serviceTemplates.create(world.caller, body)).id;
}

const remove = (id: number, images = true, by = world.caller): Promise<void> =>
  world.operations.serviceTemplates.removeWhole(by, id, { ...whole, images });
const refused = (act: Promise<unknown>) =>
  act.then(
    () => null,
    (error: unknown) => problemOf(error),
  );
/** Every operation of an image. */
const operationsOf = (image: number) =>
  world.store.operations.model.find({ 'resource.type': 'image', 'resource.id': image }).sort({ _id: 1 }).lean().exec();
async function endedOf(image: number): Promise<void> {
  const { _id } = (await operationsOf(image)).at(-1) ?? {};
  expect(await world.ended(_id ?? '')).toMatchObject(done);
}
const imageIds = async () =>
  (await world.store.images.model.find().sort({ _id: 1 }).lean().exec()).map(({ _id }) => _id);
/** How much there is of everything that a template may have along. */
const counted = async () => [
  await imageIds(),
  await world.store.vmTemplates.model.countDocuments(),
  await world.store.serviceTemplates.model.countDocuments(),
];

describe('a service template with the images of its VM templates', () => {
  it('is cloned with each image once, deploys services of these, and goes with them', async () => {
    const [system, data] = [await newImage(world, 'system'), await newImage(world, 'data')];
    const swap = { TYPE: 'swap', SIZE: 8 };
    const web = await vmTemplate('web', { IMAGE_ID: system, SIZE: 32 }, swap, { IMAGE: 'data', READONLY: 'YES' });
    const db = await vmTemplate('db', { IMAGE: 'system', IMAGE_UID: world.caller.id });
    const from = await serviceTemplate(web, db, web);
    const { id, body } = await world.operations.serviceTemplates.clone(world.caller, from, {
      name: 'copy',
      images: true,
    });
    const made = await world.store.images.model
      .find({ name: /^copy-/ })
      .sort({ _id: 1 })
      .lean()
      .exec();
    expect(made.map(({ name, uid }) => [name, uid])).toEqual([
      ['copy-web-disk-0', world.caller.id],
      ['copy-web-disk-2', world.caller.id],
    ]);
    const [first = -1, second = -1] = made.map(({ _id }) => _id);
    const [newWeb = -1, newDb = -1, again] = body.roles.map(({ vm_template }) => vm_template);
    expect(again).toBe(newWeb);
    const disksOf = async (of: number) => (await world.store.vmTemplates.find(of))?.template.DISK;
    expect(await disksOf(newWeb)).toEqual([{ IMAGE_ID: first, SIZE: 32 }, swap, { IMAGE_ID: second, READONLY: 'YES' }]);
    expect(await disksOf(newDb)).toEqual([{ IMAGE_ID: first }]);
    for (const image of [first, second]) {
      await endedOf(image);
      expect(await world.store.images.find(image)).toMatchObject({ state: 'READY', operation: null });
    }

    const request = {};
    const { id: op, resource } = await world.operations.serviceTemplates.instantiate(world.caller, id, request, {
      requestId: 'test',
    });
    expect(await world.ended(op)).toMatchObject(done);
    const before = await counted();
    expect(await refused(remove(id))).toMatchObject({ code: 'in_use' });
    expect(await counted()).toEqual(before);
    const undeploying = await world.undeploy(Number(resource.id));
    expect(await world.ended(undeploying.op)).toMatchObject(done);
    await remove(id);
    for (const image of [first, second]) {
      await endedOf(image);
      expect(await world.store.images.find(image)).toBeNull();
    }
    expect([await disksOf(newWeb), await disksOf(newDb)]).toEqual([undefined, undefined]);
    expect((await imageIds()).slice(-2)).toEqual([system, data]);
    await world.accounted();
  });

  it('has its images cloned, and removed, though whoever was asked for it had no time to begin that', async () => {
    const system = await newImage(world, 'to be cloned late');
    const from = await serviceTemplate(await vmTemplate('late', { IMAGE_ID: system }));
    const dying = createOperations({
      ...{ store: world.store, directory: world.directory, storages: noStorages, sealer: noSealer },
      // As of an api that is killed after its transaction: no run is begun.
      engine: temporalEngine({ address: '127.0.0.1:1' }),
      settings: { temporalUiUrl: undefined, failedLogins: 10 },
      onDelayed: () => {},
    });
    const copy = await dying.serviceTemplates.clone(world.caller, from, { name: 'late copy', images: true });
    const [{ _id: image } = { _id: -1 }] = await world.store.images.model
      .find({ name: /^late copy-/ })
      .lean()
      .exec();
    const [cloning] = await operationsOf(image);
    expect(cloning).toMatchObject({ kind: 'cloneImage', state: 'accepted' });
    await world.reconcile();
    await endedOf(image);
    expect(await world.store.images.find(image)).toMatchObject({ state: 'READY', operation: null });

    await dying.serviceTemplates.removeWhole(world.caller, copy.id, { ...whole });
    expect(await world.store.serviceTemplates.find(copy.id)).toBeNull();
    expect((await operationsOf(image)).at(-1)).toMatchObject({ kind: 'deleteImage', state: 'accepted' });
    await world.reconcile();
    await endedOf(image);
    expect(await world.store.images.find(image)).toBeNull();
    await remove(from);
    await world.accounted();
  });

  it('is not removed where one of its images is used, locked, or not his, and nothing of it', async () => {
    const [free, taken] = [await newImage(world, 'free'), await newImage(world, 'taken')];
    const id = await serviceTemplate(await vmTemplate('two', { IMAGE_ID: free }, { IMAGE_ID: taken }));
    const before = await counted();
    const stays = async (problem: object) => {
      expect(await refused(remove(id))).toMatchObject(problem);
      expect([await counted(), await operationsOf(free)]).toEqual([
        before,
        [expect.objectContaining({ kind: 'createImage' })],
      ]);
    };
    await world.store.images.model.updateOne({ _id: taken }, { $set: { vms: [4_711], state: 'USED' } });
    await stays({ code: 'wrong_state', message: expect.stringContaining('4711') });
    const lock = { uid: 0, at: new Date() };
    await world.store.images.model.updateOne({ _id: taken }, { $set: { vms: [], state: 'READY', lock } });
    await stays({ code: 'wrong_state' });
    await world.store.images.model.updateOne({ _id: taken }, { $set: { lock: null } });
    // Who may manage all but one image of it is told which.
    const other = { ...world.caller, id: 77, gid: 77, groups: [77], name: 'other', rules: [] };
    const owners = { uid: 77, gid: 77 };
    await world.store.serviceTemplates.model.updateOne({ _id: id }, { $set: owners });
    await world.store.vmTemplates.model.updateMany({ name: 'two' }, { $set: owners });
    await world.store.images.model.updateOne({ _id: free }, { $set: owners });
    expect(await refused(remove(id, true, other))).toMatchObject({
      code: 'not_authorized',
      message: expect.stringContaining(`image ${taken}`),
    });
    expect([await counted(), (await operationsOf(free)).length]).toEqual([before, 1]);
    await remove(id);
    await endedOf(free);
    await endedOf(taken);
    expect(await imageIds()).not.toContain(taken);
  });

  it('is not cloned where an image is not there, may not be cloned, or its name is taken, and nothing of it', async () => {
    const [one, two] = [await newImage(world, 'one'), await newImage(world, 'two')];
    const id = await serviceTemplate(await vmTemplate('pair', { IMAGE_ID: one }, { IMAGE_ID: two }));
    const clone = (of: number) =>
      world.operations.serviceTemplates.clone(world.caller, of, { name: 'twin', images: true });
    await newImage(world, 'twin-pair-disk-1');
    const lost = await serviceTemplate(await vmTemplate('lost', { IMAGE_ID: one }, { IMAGE: 'nowhere' }));
    const before = await counted();
    expect(await refused(clone(id))).toMatchObject({ code: 'name_taken' });
    expect(await refused(clone(lost))).toMatchObject({
      code: 'invalid_request',
      findings: [{ detail: expect.stringContaining('DISK/1: there is no image "nowhere"') }],
    });
    await world.store.images.model.updateOne({ _id: two }, { $set: { state: 'ERROR' } });
    expect(await refused(clone(id))).toMatchObject({ code: 'wrong_state' });
    expect([await counted(), (await operationsOf(one)).length]).toEqual([before, 1]);
    await world.store.images.model.updateOne({ _id: two }, { $set: { state: 'READY' } });
    // What a disk names that is not there is in nobody's way when all goes.
    await remove(lost);
    await endedOf(one);
    expect(await imageIds()).not.toContain(one);
  });

  it('leaves an image that could not be copied in ERROR, to be tried again', async () => {
    const image = await newImage(world, 'brittle');
    const id = await serviceTemplate(await vmTemplate('brittle', { IMAGE_ID: image }));
    world.storage.beforeEach = async () => {
      throw new Problem('image_refused', 'its bytes are amiss');
    };
    await world.operations.serviceTemplates.clone(world.caller, id, { name: 'glued', images: true });
    const clone = (await world.store.images.model.findOne({ name: 'glued-brittle-disk-0' }).lean().exec())?._id ?? -1;
    const [copying] = await operationsOf(clone);
    expect(await world.ended(copying?._id ?? '')).toMatchObject({ kind: 'cloneImage', state: 'failed' });
    expect(await world.store.images.find(clone)).toMatchObject({ state: 'ERROR' });
    world.storage.beforeEach = async () => {};
    const again = await world.retry(copying?._id ?? '');
    expect(await world.ended(again.op)).toMatchObject(done);
    expect(await world.store.images.find(clone)).toMatchObject({ state: 'READY' });
  });
});
