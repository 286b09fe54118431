import { afterEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../domain/identity/caller.js';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { addUser } from '../../support/people.js';
import { eventually } from '../../support/processes.js';
import { type Asked, newWorld, type World } from '../../support/world.js';

let world: World;
afterEach(() => world.stop());

/** Another user than the world's own, with the same rights. */
async function bobOf(inWorld: World): Promise<Caller> {
  const { _id: id } = await addUser(inWorld.directory, 'bob', { gid: 1, groups: [1, 0], password_hash: '' });
  return { id, name: 'bob', gid: 1, groups: [1, 0], rules: [] };
}

const admission = { requestId: 'test' };
async function createVm(by: Caller, cpu = 1): Promise<Asked> {
  const template_id = await world.vmTemplate({ cpu });
  const { id, resource } = await world.operations.vms.create(by, { template_id }, admission);
  return { op: id, id: resource.id };
}
async function deploy(by: Caller, cardinality: number): Promise<Asked> {
  const roles = [{ name: 'only', cardinality, vm_template: await world.vmTemplate() }];
  const body = ServiceTemplateBody.parse({ name: `of-${by.name}-${cardinality}`, roles });
  const template = await world.operations.serviceTemplates.create(by, body);
  const { id, resource } = await world.operations.serviceTemplates.instantiate(by, template.id, {}, admission);
  return { op: id, id: resource.id };
}
const placed = async ({ id }: Asked): Promise<number> =>
  (await world.vms(id)).filter(({ state }) => state !== 'PENDING').length;
const waits = (asked: Asked, vms: number) =>
  eventually(async () => {
    const all = await world.vms(asked.id);
    const note = (await world.operation(asked.op)).waiting_for;
    return all.length === vms && all.every(({ reason }) => reason !== null) && note !== null;
  });

describe('capacity that appears', () => {
  it('goes to the VM of another at once, though 1,000 VMs that no host can take have waited longer', async () => {
    world = await newWorld({ hosts: 1 });
    const bob = await bobOf(world);
    const huge = await world.deploy([{ name: 'huge', cardinality: 1_000, cpu: 4_000 }]);
    await waits(huge, 1_000);
    const large = await createVm(bob, 2_000);
    await eventually(async () => (await world.operation(large.op)).state === 'waiting');
    await world.addHost({ cpu: 2_000 });
    await eventually(async () => (await world.operation(large.op)).state === 'succeeded');
    expect(await placed(huge)).toBe(0);
    await world.accounted();
    // What they are told is true of the hosts that there are now.
    await eventually(async () =>
      (await world.vms(huge.id)).every(({ reason }) => reason?.startsWith('needs 4000 CPU; the freest of 2 enabled')),
    );
  });

  it('is shared by users and by services in turns, and no run takes what is another’s turn', async () => {
    world = await newWorld({ hosts: 0 });
    const bob = await bobOf(world);
    const first = await deploy(world.caller, 6);
    const second = await deploy(world.caller, 7);
    await Promise.all([waits(first, 6), waits(second, 7)]);
    const other = await deploy(bob, 8);
    await waits(other, 8);
    const shares = () => Promise.all([first, second, other].map(placed));
    await world.addHost({ cpu: 8 });
    await eventually(async () => (await shares()).reduce((sum, one) => sum + one, 0) === 8);
    expect(await shares()).toEqual([2, 2, 4]);
    await world.addHost({ cpu: 100 });
    for (const { op } of [first, second, other])
      expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
    await world.accounted();
  });

  it('is taken by roles that are to be together where all of them fit, and not where one of them does', async () => {
    world = await newWorld({ hosts: 0 });
    const each = { cardinality: 2, cpu: 10 };
    const roles = [
      { name: 'web', ...each, placement: { affinity: ['db'] } },
      { name: 'db', ...each },
    ];
    const service = await world.deploy(roles, { deployment: 'none' });
    await waits(service, 4);
    await world.addHost({ cpu: 30 });
    await eventually(async () =>
      (await world.vms(service.id)).every(
        ({ reason }) =>
          reason === 'one of 4 VMs that are to be on one host: that needs 40 CPU; the one enabled host has 30',
      ),
    );
    expect(await placed(service)).toBe(0);
    const large = await world.addHost({ cpu: 40 });
    expect(await world.ended(service.op)).toMatchObject({ state: 'succeeded' });
    expect((await world.vms(service.id)).map(({ history }) => history.at(-1)?.hid)).toEqual([
      large,
      large,
      large,
      large,
    ]);
    await world.accounted();
  });

  it('is found for a VM that was told long ago what is not true any more', async () => {
    world = await newWorld({ hosts: 0 });
    const { op, id } = await world.createVm({ cpu: 8 });
    await eventually(async () => (await world.operation(op)).state === 'waiting');
    expect((await world.vm(id)).reason).toBe('no host is registered');
    await world.addHost({ cpu: 4 });
    const reason = 'needs 8 CPU; the one enabled host has 4';
    await eventually(async () => (await world.vm(id)).reason === reason);
    await eventually(async () => (await world.operation(op)).waiting_for === reason);
  });
});

describe('what a VM without a host is said to wait for', () => {
  it('is, after a cancel, that nobody looks for one any more; and not, once somebody does', async () => {
    world = await newWorld({ hosts: 0 });
    const { op, id } = await world.deploy([{ name: 'front' }, { name: 'back', parents: ['front'] }]);
    await waits({ op, id }, 1);
    await world.cancel(op);
    expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
    const said = async () => (await world.vms(id)).map(({ reason }) => reason);
    const left = `its deployment was cancelled: recover or undeploy service ${id}`;
    expect(await said()).toEqual([left]);
    const [vm = -1] = (await world.vms(id)).map(({ _id }) => _id);
    await world.addHost();
    expect((await world.operations.vmPlacement.show(world.caller, vm)).text).toBe(
      `VM ${vm} (front_0_(service_${id})) has no host, and nobody looks for one: ${left}. 1 of 1 host could take it now.`,
    );
    const recovery = await world.recover(id);
    expect(await world.ended(recovery.op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await said()).toEqual([null, null]);
    await world.accounted();
  });

  it('is the same of one by itself, and ends with it', async () => {
    world = await newWorld({ hosts: 0 });
    const { op, id } = await world.createVm();
    await eventually(async () => (await world.operation(op)).state === 'waiting');
    await world.cancel(op);
    await world.ended(op);
    expect((await world.vm(id)).reason).toBe('its deployment was cancelled: recover it with retry, or terminate it');
    const again = await world.recoverVm(id, 'retry');
    await eventually(async () => (await world.operation(again.op)).state === 'waiting');
    expect((await world.vm(id)).reason).toBe('no host is registered');
    const last = await world.terminate(id);
    await world.ended(last.op);
    expect(await world.vm(id)).toMatchObject({ state: 'DONE', reason: null });
    await world.accounted();
  });

  it('is told of every role, whatever becomes of the others', async () => {
    world = await newWorld({ hosts: 0 });
    const roles = [
      { name: 'small', cpu: 1 },
      { name: 'large', cpu: 8 },
    ];
    const { op } = await world.deploy(roles, { deployment: 'none' });
    const waitsFor = async () => (await world.operation(op)).waiting_for ?? '';
    await eventually(async () => /role small.*role large|role large.*role small/.test(await waitsFor()));
    await world.addHost({ cpu: 4 });
    await eventually(async () => (await waitsFor()) === 'capacity for 1 VM of role large');
    await world.addHost({ cpu: 8 });
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', waiting_for: null });
    await world.accounted();
  });
});
