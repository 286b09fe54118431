import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fsStorage } from '../../../adapters/storage/fs/fs.js';
import type { Storage } from '../../../adapters/storage/port.js';
import { storedVmState, type VmStateName } from '../../../domain/vms/vm-states.js';
import type { ConsistencyCheckResource } from '../../../schemas/consistency/consistency.js';
import type { Disk } from '../../../schemas/operations/vm-devices.js';
import type { Vm } from '../../../schemas/vms/vm.js';
import { checkWorld } from '../../support/checks.js';
import { madeVm } from '../../support/made-vm.js';
import { ensurePrograms } from '../../support/programs.js';
import { newWorld, type World } from '../../support/world.js';
import { development } from '../../support/world-server.js';
import { type Around, twice } from '../../support/world-steps.js';

let world: World;
let base: string;
let storage: Storage<'fs'>;
beforeAll(async () => {
  ensurePrograms('disks');
  base = await mkdtemp(join(tmpdir(), 'arcus-check-disks-'));
  storage = fsStorage(base);
  world = await newWorld({ server: development, hosts: 0 });
  world.storage.ports.storages.of = () => storage;
});
afterAll(async () => {
  await world.stop();
  await rm(base, { recursive: true, force: true });
});

const signal = new AbortController().signal;
const admission = { requestId: 'test' };
const check = (repair: boolean, around?: Around) => checkWorld(world, repair, around);
const told = ({ findings }: ConsistencyCheckResource): string[] =>
  findings.map(({ code, resource, outcome }) => `${code} ${resource.type} ${resource.id} ${outcome}`).sort();
const all = (some: readonly string[], outcome: string) => some.map((text) => `${text} ${outcome}`);

let serial = 0;
async function readyImage(): Promise<number> {
  const source = { empty: { size_mb: 1, format: 'raw' as const } };
  const wish = { name: `image-${++serial}`, description: '', type: 'DATABLOCK', persistent: false, source } as const;
  const { id: op, resource } = await world.operations.images.create(world.caller, wish, admission);
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
  return resource.id;
}
const found = (id: number) => world.store.images.find(id);
const datastore = { id: 0, ds_mad: 'fs' } as const;
const at = (vm: number, disk: number) => ({ vm, disk, datastore });
const lies = async (vm: number, disk: number): Promise<boolean> =>
  (await storage.findDisk(at(vm, disk), signal)) !== undefined;
const lay = (vm: number, disk: number, epoch = 1) =>
  storage.makeDisk({ ...at(vm, disk), epoch }, { empty: { format: 'qcow2', size: 2 ** 20 }, content: 'none' }, signal);
const tell = (vm: number, epoch: number) =>
  storage.keepContext({ vm, datastore, epoch }, [{ name: 'context.sh', text: '' }], signal);
const diskOf = (disk_id: number, image?: number): Disk => ({
  ...{ disk_id, type: 'fs', size: 1, format: 'qcow2', target: `vd${disk_id}` },
  ...(image !== undefined && {
    image: { id: image, name: `image ${image}`, datastore: 1, ds_mad: 'fs', way: 'clone', persistent: false },
  }),
  ...{ snapshots: [], current: null, snapshot_ids: 0 },
});

/** A VM without a host whose disks are in datastore 0, as it says. */
async function vmWith(state: VmStateName, disks: Disk[]): Promise<number> {
  const _id = await world.store.counters.one('vm');
  const vm: Vm = madeVm({
    ...{ _id, ...storedVmState(state), disks, epoch: 3 },
    datastore: state === 'DONE' ? null : { ...datastore, mb: 1, at: new Date() },
  });
  await world.store.vms.model.create([vm]);
  return _id;
}
const use = (image: number, vm: number) =>
  world.store.images.model.updateOne({ _id: image }, { $set: { state: 'USED', vms: [vm] } });

beforeEach(async () => {
  await world.store.vms.model.deleteMany({});
  await world.store.images.model.deleteMany({});
  await rm(base, { recursive: true, force: true });
  await world.store.quotas.models.user.updateMany({}, { $set: { 'used.images': 0, 'used.storage': 0, 'used.on': {} } });
  await world.store.quotas.models.group.updateMany(
    {},
    { $set: { 'used.images': 0, 'used.storage': 0, 'used.on': {} } },
  );
});

/** One thing wrong of each kind. */
async function damage() {
  const [kept, named, unnamed] = [await readyImage(), await readyImage(), await readyImage()];
  const living = await vmWith('UNDEPLOYED', [diskOf(0, kept), diskOf(1), diskOf(2, unnamed)]);
  await use(kept, living);
  await use(named, living);
  const done = await vmWith('DONE', []);
  const [gone, nobody] = [done + 5_000, done + 6_000];
  await world.store.images.model.updateOne({ _id: kept }, { $push: { vms: gone } });
  for (const disk of [0, 2, 5]) await lay(living, disk);
  await lay(done, 0);
  for (const vm of [living, done]) await tell(vm, 1);
  await lay(nobody, 0);
  await tell(nobody, 1);
  return {
    ...{ kept, named, unnamed, living, done, nobody },
    repaired: [
      `context_left vm ${done}`,
      `disk_left vm ${done}`,
      `disk_left vm ${living}`,
      `image_use_missing vm ${living}`,
      `image_use_stale image ${kept}`,
      `image_use_stale image ${named}`,
    ],
    left: [`context_orphaned vm ${nobody}`, `disk_missing vm ${living}`, `disk_orphaned vm ${nobody}`],
  };
}

describe('a check of the disks of VMs', () => {
  it('has nothing to say where all is in order', async () => {
    const image = await readyImage();
    const vm = await vmWith('UNDEPLOYED', [diskOf(0, image), diskOf(1)]);
    await use(image, vm);
    await lay(vm, 0);
    await lay(vm, 1);
    expect(told(await check(false))).toEqual([]);
  });

  it.each([
    ['', undefined],
    [', when each step is done twice', twice],
  ] as const)('tells of what does not fit, and repairs what can be without risk%s', async (_how, around) => {
    const { kept, named, unnamed, living, done, nobody, repaired, left } = await damage();
    expect(told(await check(false))).toEqual(all([...repaired, ...left], 'found').sort());
    expect(told(await check(true, around))).toEqual([...all(repaired, 'repaired'), ...all(left, 'found')].sort());
    expect(told(await check(true))).toEqual(all(left, 'found').sort());
    expect(await found(kept)).toMatchObject({ state: 'USED', vms: [living] });
    expect(await found(unnamed)).toMatchObject({ state: 'USED', vms: [living] });
    expect(await found(named)).toMatchObject({ state: 'READY', vms: [] });
    expect([await lies(living, 0), await lies(living, 5)]).toEqual([true, false]);
    expect([await lies(done, 0), await lies(nobody, 0)]).toEqual([false, true]);
  });

  it('removes nothing that was made under a later epoch than its VM has, as before MongoDB was put back from a backup', async () => {
    const vm = await vmWith('UNDEPLOYED', [diskOf(0)]);
    await lay(vm, 0, 2);
    await lay(vm, 1, 9);
    const { findings } = await check(true);
    expect(findings).toMatchObject([
      { code: 'disk_left', outcome: 'failed', reason: expect.stringMatching(/later claim/) },
    ]);
    expect(await lies(vm, 1)).toBe(true);
  });

  it('does not name a VM where another has taken a persistent image', async () => {
    const image = await readyImage();
    await world.store.images.model.updateOne({ _id: image }, { $set: { persistent: true } });
    const disk = diskOf(0, image);
    const [first, second] = [await vmWith('UNDEPLOYED', [disk]), await vmWith('UNDEPLOYED', [disk])];
    for (const vm of [first, second]) await lay(vm, 0);
    await world.store.images.model.updateOne({ _id: image }, { $set: { state: 'USED_PERS', vms: [first] } });
    expect(told(await check(true))).toEqual([`image_use_missing vm ${second} failed`]);
    expect(await found(image)).toMatchObject({ vms: [first] });
  });

  it('lets what comes meanwhile win: a disk that is attached keeps its image', async () => {
    const image = await readyImage();
    const vm = await vmWith('UNDEPLOYED', []);
    await use(image, vm);
    const attached: Around = async (step, run) => {
      if (step.name === 'repairFindings') await lay(vm, 0);
      if (step.name === 'repairFindings')
        await world.store.vms.model.updateOne({ _id: vm }, { $set: { disks: [diskOf(0, image)] } });
      return run();
    };
    expect(told(await check(true, attached))).toEqual([`image_use_stale image ${image} gone`]);
    expect(await found(image)).toMatchObject({ state: 'USED', vms: [vm] });
  });
});
