import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStates } from '../../domain/operation-states.js';
import { ownLane } from '../../domain/operations/lanes.js';
import { unconditional } from '../../requests/precondition.js';
import { ServiceTemplateBody } from '../../schemas/services/service-template.js';
import { addUser } from '../support/people.js';
import { eventually } from '../support/processes.js';
import { newWorld, type World } from '../support/world.js';
import { wholeDevelopment } from '../support/world-server.js';

/** PATCHes of each VM, and VMs that send them. */
const reports = 60;
const noisy = 8;

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: wholeDevelopment });
});
afterAll(() => world?.stop());

const report = (vm: number, READY: string): Promise<unknown> =>
  world.operations.vms.update(world.caller, vm, {
    revise: ({ name, user_template }) => ({
      wish: { name, user_template: { ...user_template, READY } },
      named: new Set(['user_template']),
    }),
    precondition: unconditional,
  });

it('hundreds of reports of VMs leave few signals in a run, and the last of them is heard at once', async () => {
  const roles = [{ name: 'noisy', cardinality: noisy }, { name: 'silent' }];
  const { id, op } = await world.deploy(roles, { deployment: 'none', ready_status_gate: true });
  await eventually(async () => /role silent/.test((await world.operation(op)).waiting_for ?? ''));
  const vms = await world.vms(id, 'noisy');
  await Promise.all(
    vms.map(async ({ _id }) => {
      for (let sent = 0; sent < reports; sent++) await report(_id, sent % 2 === 0 ? 'YES' : 'NO');
    }),
  );
  expect((await world.operation(op)).state).toBe('running');
  for (const { _id } of [...vms, ...(await world.vms(id, 'silent'))]) await report(_id, 'YES');
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  const { events } = await world.client.workflow.getHandle(`service-${id}`).fetchHistory();
  const count = (attributes: 'workflowExecutionSignaledEventAttributes' | 'timerFiredEventAttributes') =>
    (events ?? []).filter((event) => event[attributes]).length;
  // Two a second at most; unpaced, it would be one for every second report.
  expect(count('workflowExecutionSignaledEventAttributes')).toBeLessThan((reports * noisy) / 4);
  expect(count('workflowExecutionSignaledEventAttributes')).toBeGreaterThan(0);
  // No wait has ended because its 30 s were over.
  expect(count('timerFiredEventAttributes')).toBe(0);
  await world.accounted();
});

it('a burst of capacity is two signals to the run that waits for it, which name all whose turn it is', async () => {
  const { id, op } = await world.deploy([{ name: 'huge', cardinality: 2, cpu: 4_000 }]);
  await eventually(async () => /capacity/.test((await world.operation(op)).waiting_for ?? ''));
  const signalled = async (workflowId: string): Promise<unknown[]> => {
    const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
      signal ? [signal.input?.payloads?.map(({ data }) => JSON.parse(Buffer.from(data ?? '').toString()))] : [],
    );
  };
  const service = `service-${id}`;
  const before = (await signalled(service)).length;
  const vms = Array.from({ length: 300 }, (_, vm) => 1_000_000 + vm);
  await Promise.all(
    vms.flatMap((vm) => [world.engine.signalPlacement(), world.engine.signal(service, 'capacityAppeared', [vm])]),
  );
  await expect.poll(async () => (await signalled(service)).slice(before)).toEqual([[vms.slice(0, 1)], [vms.slice(1)]]);
  await world.undeploy(id);
  expect(await world.ended(op)).toMatchObject({ state: 'cancelled' });
});

/** Operations that one user has begun at once. */
const begun = 14;

it('of a user with many operations at work, others’ and his own undeployments do not wait for their end', async () => {
  const { _id } = await addUser(world.directory, 'mallory', { gid: 1, groups: [1, 0], password_hash: '' });
  const mallory = { id: _id, name: 'mallory', gid: 1, groups: [1, 0], rules: [] };
  const admission = { requestId: 'test' };
  const vm_template = await world.vmTemplate();
  const small = await world.operations.serviceTemplates.create(
    mallory,
    ServiceTemplateBody.parse({ name: 'small', roles: [{ name: 'a', vm_template }] }),
  );
  const roles = Array.from({ length: 12 }, (_, at) => ({
    name: `r${at}`,
    vm_template,
    cardinality: 0,
    parents: at === 0 ? [] : [`r${at - 1}`],
  }));
  const large = await world.operations.serviceTemplates.create(
    mallory,
    ServiceTemplateBody.parse({ name: 'large', deployment: 'straight', roles }),
  );
  const instantiate = (template: number) =>
    world.operations.serviceTemplates.instantiate(mallory, template, {}, admission);
  const his = await instantiate(small.id);
  await world.ended(his.id);
  const flood = await Promise.all(Array.from({ length: begun }, () => instantiate(large.id)));
  const open = () =>
    world.store.operations.model.countDocuments({
      _id: { $in: flood.map(({ id }) => id) },
      state: { $in: openStates },
    });
  const lanes = await Promise.all(flood.map(async ({ id }) => (await world.operation(id)).lane));
  expect(lanes.filter((lane) => lane === 'own')).toHaveLength(ownLane);

  const other = await world.deploy([{ name: 'only' }]);
  const undeployment = await world.operations.services.undeploy(mallory, his.resource.id, {}, admission);
  for (const op of [other.op, undeployment.id])
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  // First come, first served, hardly any were left.
  expect(await open()).toBeGreaterThan(begun / 2);
  for (const { id } of flood) expect(await world.ended(id)).toMatchObject({ state: 'succeeded', error: null });
  await world.accounted();
});
