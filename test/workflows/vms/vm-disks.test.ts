import { afterAll, beforeAll, expect, it } from 'vitest';
import { Problem, problemOf } from '../../../domain/problems.js';
import { diskWishes, imageWishes } from '../../../domain/vms/disk-wishes.js';
import { CreateImage, type ImageResource } from '../../../schemas/storage/image.js';
import { imagesWished } from '../../../store/vms/disk-images.js';
import { newWorld, type World } from '../../support/world.js';

let world: World;
let images = 0;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());

const admission = { requestId: 'test' };
const done = { state: 'succeeded', error: null };

async function image(over: { type?: string; persistent?: boolean; mb?: number } = {}): Promise<ImageResource> {
  images += 1;
  const { mb: size_mb = 16, ...more } = over;
  const source = over.type === 'KERNEL' ? { url: 'http://source/5' } : { empty: { size_mb } };
  const wish = CreateImage.parse({ name: `image-${images}`, source, ...more });
  const { id: op, resource } = await world.operations.images.create(world.caller, wish, admission);
  expect(await world.ended(op)).toMatchObject(done);
  return show(Number(resource.id));
}
const show = (id: number) => world.operations.images.show(world.caller, id);
const usedBy = async (id: number) => {
  const { state, vms } = await show(id);
  return [state, vms];
};

async function createVm(
  disks: Record<string, unknown>[],
  more: Record<string, unknown> = {},
): Promise<{ op: string; id: number }> {
  const template_id = await world.vmTemplate();
  const request = { template_id, template: { DISK: disks, VCPU: undefined, ...more } };
  const { id: op, resource } = await world.operations.vms.create(world.caller, request, admission);
  return { op, id: Number(resource.id) };
}
const refused = (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => problemOf(error),
  );
const ended = async (asked: Promise<{ op: string }>) => expect(await world.ended((await asked).op)).toMatchObject(done);
const shown = (id: number) => world.operations.vms.show(world.caller, id);
/** Disks that lie in system datastores, of one VM. */
const stored = (vm: number): number[] =>
  world.storage.disks
    .in(0)
    .flatMap((disk) => (disk.vm === vm ? [disk.disk] : []))
    .sort((one, other) => one - other);

it('boots with a clone of an image, a persistent image, a CD-ROM and a volatile disk, and leaves nothing', async () => {
  const [system, data, tools] = [await image(), await image({ persistent: true }), await image({ type: 'CDROM' })];
  const { op, id } = await createVm([
    { IMAGE: system.name, SIZE: '20' },
    { IMAGE_ID: data.id },
    { IMAGE_ID: tools.id },
    { TYPE: 'swap', SIZE: 8 },
  ]);
  expect(await world.ended(op)).toMatchObject(done);
  const vm = await shown(id);
  expect(vm.disks).toMatchObject([
    { disk_id: 0, target: 'vda', size: 20, image: { id: system.id }, persistent: false },
    { disk_id: 1, target: 'vdb', size: 16, image: { id: data.id }, persistent: true },
    { disk_id: 2, target: 'hda', type: 'cdrom', readonly: true },
    { disk_id: 3, target: 'vdc', type: 'swap', image: null },
  ]);
  expect(vm).toMatchObject({ datastore_id: 0, history: [{ datastore_id: 0 }] });
  expect(stored(id)).toEqual([0, 1, 2, 3]);
  expect(world.hypervisor.domains().find((one) => one.vm === id)?.devices.disks).toMatchObject([
    { target: 'vda', type: 'file', format: 'qcow2' },
    { target: 'vdb', type: 'file' },
    { target: 'hda', type: 'cdrom', readonly: true },
    { target: 'vdc', type: 'swap' },
  ]);
  expect(await usedBy(system.id)).toEqual(['USED', [id]]);
  expect(await usedBy(data.id)).toEqual(['USED_PERS', [id]]);
  expect(await refused(createVm([{ IMAGE_ID: data.id }]))).toMatchObject({
    code: 'in_use',
    message: expect.stringContaining(`VM ${id} uses it`),
  });
  expect(await refused(world.operations.images.remove(world.caller, system.id, admission))).toMatchObject({
    code: 'wrong_state',
    message: expect.stringContaining(`VM ${id} uses it`),
  });
  await ended(world.terminate(id));
  expect(stored(id)).toEqual([]);
  expect([await usedBy(system.id), await usedBy(data.id), await usedBy(tools.id)]).toEqual([
    ['READY', []],
    ['READY', []],
    ['READY', []],
  ]);
  expect(await world.vm(id)).toMatchObject({ state: 'DONE', datastore: null });
  await world.accounted();
});

it('is not made of what is not there, is no disk, may not be used, or is in the making', async () => {
  const ready = await image();
  const kernel = await image({ type: 'KERNEL' });
  const vms = await world.store.vms.model.countDocuments();
  const refusal = (disk: Record<string, unknown>) => refused(createVm([disk]));
  expect(await refusal({ IMAGE: 'nowhere' })).toMatchObject({
    code: 'invalid_request',
    findings: [{ detail: 'DISK/0: there is no image "nowhere" of its owner (IMAGE_UNAME names another)' }],
  });
  expect(await refusal({ IMAGE_ID: 999 })).toMatchObject({ code: 'invalid_request' });
  expect(await refusal({ IMAGE: ready.name, IMAGE_UNAME: 'oneadmin' })).toMatchObject({ code: 'invalid_request' });
  expect(await refusal({ IMAGE_ID: kernel.id })).toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('is KERNEL'),
  });
  expect(await refusal({ IMAGE_ID: ready.id, SIZE: 15 })).toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('at least 16'),
  });
  for (const state of ['DISABLED', 'LOCKED'] as const) {
    await world.store.images.model.updateOne({ _id: ready.id }, { $set: { state } });
    expect(await refusal({ IMAGE_ID: ready.id })).toMatchObject({
      code: 'wrong_state',
      message: expect.stringContaining(`is ${state}`),
    });
  }
  await world.store.images.model.updateOne({ _id: ready.id }, { $set: { state: 'READY' } });
  const { wishes } = diskWishes({ IMAGE_ID: ready.id });
  const stranger = { owner: 9, maker: async () => ({ id: 9, groups: [9], rules: [] }) };
  const where = { images: world.store.images, users: world.directory.users };
  expect(await refused(imagesWished(where, imageWishes(wishes), stranger))).toMatchObject({ code: 'not_authorized' });
  expect(await world.store.vms.model.countDocuments()).toBe(vms);
});

it('keeps its disks while it is off, undeployed or stopped, and on its way; anew they are made when it is recreated', async () => {
  const { id: of } = await image();
  const { op, id } = await createVm([{ IMAGE_ID: of }]);
  await world.ended(op);
  const isKept = async (after: string) => {
    expect(stored(id), after).toEqual([0]);
    expect(await usedBy(of), after).toEqual(['USED', [id]]);
    expect((await world.vm(id)).datastore, after).toMatchObject({ id: 0, mb: 16 });
  };
  const made: string[] = [];
  world.storage.disks.beforeEach = async (call) => void made.push(call);
  for (const action of ['poweroff', 'undeploy', 'stop', 'suspend'] as const) {
    if (action === 'stop') await isKept('resume');
    await ended(world.switch(id, action));
    await isKept(action);
    await ended(world.resume(id));
  }
  await ended(world.migrate(id));
  await isKept('migrate');
  expect((await shown(id)).history.map(({ datastore_id }) => datastore_id)).toEqual([0, 0, 0, 0]);
  expect(made.filter((call) => call !== 'makeDisk' && call !== 'keepContext')).toEqual([]);
  await ended(world.recoverVm(id, 'recreate'));
  expect(made.slice(-3)).toEqual(['removeDisks', 'makeDisk', 'keepContext']);
  await isKept('recreate');
  world.storage.disks.beforeEach = async () => {};
  for (const action of ['undeploy', 'poweroff', 'suspend', 'stop'] as const) {
    const other = await createVm([{ IMAGE_ID: of }]);
    await world.ended(other.op);
    await ended(world.switch(other.id, action));
    await ended(world.terminate(other.id));
    expect([action, stored(other.id), await usedBy(of)]).toEqual([action, [], ['USED', [id]]]);
  }
  await ended(world.recoverVm(id, 'delete'));
  expect([stored(id), await usedBy(of)]).toEqual([[], ['READY', []]]);
  await world.accounted();
});

it('of a service has one each; a role whose image is away fails, says so, and can be tried again', async () => {
  const [system, data] = [await image(), await image({ persistent: true })];
  const contents = { vm_template_contents: `DISK=[IMAGE_ID=${system.id}]` };
  const holder = await createVm([{ IMAGE_ID: data.id }]);
  await world.ended(holder.op);
  const db = { name: 'db', vm_template_contents: `DISK=[IMAGE_ID=${data.id}]` };
  const { id, op } = await world.deploy([{ name: 'web', cardinality: 3, ...contents }, db]);
  expect(await world.ended(op)).toMatchObject({ state: 'failed' });
  expect((await world.service(id)).log.map(({ message }) => message).join()).toContain(`VM ${holder.id} uses it`);
  const [, vms] = await usedBy(system.id);
  expect(vms).toEqual((await world.vms(id, 'web')).map(({ _id }) => _id));
  await ended(world.terminate(holder.id));
  await ended(world.recover(id));
  expect(await usedBy(data.id)).toEqual(['USED_PERS', (await world.vms(id, 'db')).map(({ _id }) => _id)]);
  await ended(world.undeploy(id));
  expect([await usedBy(system.id), await usedBy(data.id)]).toEqual([
    ['READY', []],
    ['READY', []],
  ]);
  const two = await world.deploy([{ ...db, cardinality: 2 }]);
  expect(await world.ended(two.op)).toMatchObject({ state: 'failed' });
  expect((await world.service(two.id)).log.map(({ message }) => message).join()).toContain('one VM uses it at a time');
  await world.accounted();
});

it('is PROLOG_FAILURE where a disk cannot be made, and goes on from there; EPILOG_FAILURE where it cannot be removed', async () => {
  const { id: of } = await image();
  const { disks } = world.storage;
  const fails = (what: string) => {
    disks.beforeEach = async (call) => {
      if (call === what) throw new Problem('datastore_full', 'no room');
    };
  };
  fails('makeDisk');
  const { op, id } = await createVm([{ IMAGE_ID: of }]);
  expect(await world.ended(op)).toMatchObject({
    state: 'failed',
    error: { detail: expect.stringContaining('no room') },
  });
  expect(await world.vm(id)).toMatchObject({ lcm_state: 'PROLOG_FAILURE', reason: 'no room' });
  const { debugging } = await shown(id);
  expect(debugging?.actions.map(({ action }) => action)).toEqual([`MAKEDISK fs datastore-0 one-${id} disk-0`]);
  expect(await world.ended((await world.debug(id, 'run')).op)).toMatchObject({ state: 'failed' });
  disks.beforeEach = async () => {};
  await ended(world.debug(id, 'run'));
  expect(stored(id)).toEqual([0]);
  await ended(world.recoverVm(id, 'success'));
  expect(await world.vm(id)).toMatchObject({ lcm_state: 'RUNNING', reason: null });
  fails('removeDisks');
  expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'failed' });
  expect(await world.vm(id)).toMatchObject({ lcm_state: 'EPILOG_FAILURE', reason: 'no room' });
  expect(await usedBy(of)).toEqual(['USED', [id]]);
  expect((await shown(id)).debugging?.actions.map(({ action }) => action)).toEqual([
    `DISCARD fs datastore-0 one-${id}`,
  ]);
  disks.beforeEach = async () => {};
  await ended(world.recoverVm(id, 'recreate'));
  expect(await world.vm(id)).toMatchObject({ lcm_state: 'RUNNING' });
  fails('removeDisks');
  await world.ended((await world.terminate(id)).op);
  disks.beforeEach = async () => {};
  await ended(world.recoverVm(id, 'retry'));
  expect([stored(id), await usedBy(of)]).toEqual([[], ['READY', []]]);
  await world.accounted();
});

it('are gone when somebody says so of them, or that is not so; where nobody can look it is believed', async () => {
  const { id: of } = await image();
  const { disks } = world.storage;
  const failing = (code: 'datastore_full' | 'backend_unavailable') => {
    disks.beforeEach = async (call) => {
      if (call === 'removeDisks') throw new Problem(code, 'no room');
    };
  };
  const failed = async () => {
    const { op, id } = await createVm([{ IMAGE_ID: of }, { TYPE: 'swap', SIZE: 4 }]);
    expect(await world.ended(op)).toMatchObject(done);
    failing('datastore_full');
    expect(await world.ended((await world.terminate(id)).op)).toMatchObject({ state: 'failed' });
    return id;
  };
  const one = await failed();
  expect(await world.ended((await world.recoverVm(one, 'success')).op)).toMatchObject({
    ...{ state: 'failed', error: { code: 'vm_failed', detail: expect.stringContaining('no room') } },
  });
  expect(await world.vm(one)).toMatchObject({ lcm_state: 'EPILOG_FAILURE', reason: 'no room', hold: null });
  disks.beforeEach = async () => {};
  await ended(world.recoverVm(one, 'success'));
  expect(await world.vm(one)).toMatchObject({ state: 'DONE', hold: null });
  expect([stored(one), await usedBy(of)]).toEqual([[], ['READY', []]]);

  const two = await failed();
  failing('backend_unavailable');
  const { datastore, epoch } = await world.vm(two);
  if (!datastore) throw new Error('it had disks');
  await ended(world.recoverVm(two, 'success'));
  expect(await world.vm(two)).toMatchObject({ state: 'DONE', hold: null });
  expect([stored(two), await usedBy(of)]).toEqual([
    [0, 1],
    ['READY', []],
  ]);
  disks.beforeEach = async () => {};
  const its = { vm: two, epoch: epoch + 1, datastore };
  await world.storage.ports.storages.of(datastore).removeDisks(its, AbortSignal.timeout(5_000));
  await world.accounted();
});

it('are made one by one by whoever goes through a PROLOG_FAILURE: one is run, one left out, and success makes what is missing', async () => {
  const [system, data, more] = [await image(), await image(), await image()];
  const { disks } = world.storage;
  const asked: number[] = [];
  let broken: number | null = 1;
  disks.beforeEach = async (call, { disk = -1 }) => {
    if (call !== 'makeDisk') return;
    asked.push(disk);
    if (disk === broken) throw new Problem('datastore_full', 'no room');
  };
  const { op, id } = await createVm([system, data, more].map((one) => ({ IMAGE_ID: one.id })));
  expect(await world.ended(op)).toMatchObject({ state: 'failed' });
  expect(await world.vm(id)).toMatchObject({ lcm_state: 'PROLOG_FAILURE', reason: 'disk 1: no room' });
  const actions = async () => (await shown(id)).debugging?.actions.map(({ state, error }) => [state, error]);
  expect((await shown(id)).debugging?.actions.map(({ action }) => action)).toEqual(
    [0, 1, 2].map((disk) => `MAKEDISK fs datastore-0 one-${id} disk-${disk}`),
  );
  const amiss = ['failed', 'disk 1: no room'];
  expect(await actions()).toEqual([['pending', null], amiss, ['pending', null]]);
  asked.length = 0;
  await ended(world.debug(id, 'run'));
  expect(await world.ended((await world.debug(id, 'run')).op)).toMatchObject({ state: 'failed' });
  expect(await actions()).toEqual([
    ['succeeded', null],
    ['failed', 'no room'],
    ['pending', null],
  ]);
  await ended(world.debug(id, 'skip'));
  await ended(world.debug(id, 'run'));
  expect(asked).toEqual([0, 1, 2]);
  expect([await actions(), stored(id)]).toEqual([
    [
      ['succeeded', null],
      ['skipped', null],
      ['succeeded', null],
    ],
    [0, 2],
  ]);
  broken = null;
  await ended(world.recoverVm(id, 'success'));
  expect([(await world.vm(id)).lcm_state, stored(id)]).toEqual(['RUNNING', [0, 1, 2]]);
  disks.beforeEach = async () => {};
  await ended(world.terminate(id));
  await world.accounted();
});

it('is rid of its disks where somebody says that its shutdown has succeeded', async () => {
  const { id: of } = await image();
  const { op, id } = await createVm([{ IMAGE_ID: of }]);
  await world.ended(op);
  await world.store.vms.model.updateOne({ _id: id }, { $set: { lcm_state: 'SHUTDOWN' } });
  world.hypervisor.lose(id);
  await ended(world.recoverVm(id, 'success'));
  expect(await world.vm(id)).toMatchObject({ state: 'DONE', datastore: null });
  expect([stored(id), await usedBy(of)]).toEqual([[], ['READY', []]]);
  await world.accounted();
});

it('waits where no datastore has room, says so, and goes on when one has', async () => {
  const { id: of } = await image();
  await world.store.datastores.model.updateOne({ _id: 0 }, { $set: { limit_mb: 20 } });
  const [first, second] = [await createVm([{ IMAGE_ID: of }]), await createVm([{ IMAGE_ID: of }])];
  await world.ended(first.op);
  await world.ended(second.op);
  const waits = [await world.vm(first.id), await world.vm(second.id)].filter(({ state }) => state === 'PENDING');
  expect(waits).toHaveLength(1);
  const [waiting] = waits;
  const told = 'have no datastore for its disks: datastore 0 has room for 4 MB, and they may come to 16 MB';
  expect(waiting?.reason).toContain(told);
  const { text } = await world.operations.vmPlacement.show(world.caller, waiting?._id ?? -1);
  expect(text).toContain(told);
  await ended(world.terminate(waits[0]?._id === first.id ? second.id : first.id));
  await world.tick('reconcile');
  const op = (await world.vm(waiting?._id ?? -1)).operation ?? (waiting?._id === first.id ? first.op : second.op);
  expect(await world.ended(op)).toMatchObject(done);
  await world.store.datastores.model.updateOne({ _id: 0 }, { $set: { limit_mb: null } });
  await ended(world.terminate(waiting?._id ?? -1));
  await world.accounted();
});

it('is attached and detached with a disk of an image, which it uses as long', async () => {
  const [{ id: of }, data] = [await image(), await image({ persistent: true })];
  const { op, id } = await createVm([]);
  await world.ended(op);
  expect((await world.vm(id)).datastore).toBeUndefined();
  await ended(world.changeDevices(id, { action: 'disk-attach', disk: { image: of, size: 20 } }));
  await ended(world.changeDevices(id, { action: 'disk-attach', disk: { image: data.name } }));
  await ended(world.changeDevices(id, { action: 'disk-attach', disk: { type: 'fs', size: 4 } }));
  expect((await shown(id)).disks).toMatchObject([
    { disk_id: 0, target: 'vda', image: { id: of }, size: 20 },
    { disk_id: 1, target: 'vdb', image: { id: data.id }, persistent: true },
    { disk_id: 2, target: 'vdc', image: null },
  ]);
  expect([await usedBy(of), await usedBy(data.id)]).toEqual([
    ['USED', [id]],
    ['USED_PERS', [id]],
  ]);
  expect([stored(id), (await world.vm(id)).datastore]).toMatchObject([[0, 1, 2], { id: 0, mb: 24 }]);
  await ended(world.changeDevices(id, { action: 'disk-resize', disk_id: 2, size: 6 }));
  await ended(world.switch(id, 'poweroff'));
  await ended(world.changeDevices(id, { action: 'disk-resize', disk_id: 0, size: 24 }));
  expect(world.storage.disks.kept.get(`0/${id}/0`)?.virtualSize).toBe(24 * 2 ** 20);
  expect((await world.vm(id)).datastore?.mb).toBe(30);
  expect(await refused(world.changeDevices(id, { action: 'disk-resize', disk_id: 1, size: 30 }))).toMatchObject({
    code: 'wrong_state',
    message: expect.stringContaining('itself'),
  });
  await ended(world.changeDevices(id, { action: 'disk-detach', disk_id: 1 }));
  expect([stored(id), await usedBy(data.id), await usedBy(of)]).toEqual([
    [0, 2],
    ['READY', []],
    ['USED', [id]],
  ]);
  await ended(world.changeDevices(id, { action: 'disk-detach', disk_id: 0 }));
  expect([stored(id), await usedBy(of), (await world.vm(id)).datastore?.mb]).toEqual([[2], ['READY', []], 6]);
  // Nobody has said that it is attached: it is not, and nothing of it is left.
  await ended(world.resume(id));
  world.hypervisor.failVm(id, { call: 'attachDisk', error: new Problem('action_refused', 'no slot') });
  const failed = await world.changeDevices(id, { action: 'disk-attach', disk: { image: data.id } });
  expect(await world.ended(failed.op)).toMatchObject({ state: 'failed' });
  world.hypervisor.mend();
  expect([stored(id), await usedBy(data.id), (await world.vm(id)).disks?.length]).toEqual([[2], ['READY', []], 1]);
  await ended(world.terminate(id));
  expect(stored(id)).toEqual([]);
  await world.accounted();
});
