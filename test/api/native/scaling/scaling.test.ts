import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lookAt } from '../../../../domain/scaling/role-record.js';
import type { Role, Service } from '../../../../schemas/services/service.js';
import { ElasticityPolicy, ScheduledPolicy } from '../../../../schemas/services/service-template.js';
import { deployingService } from '../../../support/deploying-service.js';
import { madeOperation } from '../../../support/made-operation.js';
import { madeVm } from '../../../support/made-vm.js';
import { createWorld, type World } from '../../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
});
afterAll(() => world.stop());

let ids = 100;
/** A service that runs, of roles front, middle and back with two VMs each. */
async function running(over: Partial<Service> = {}, front: Partial<Role> = {}): Promise<number> {
  const id = ++ids;
  const made = deployingService(id, '');
  const roles = made.roles.map(
    (role, at): Role => ({
      ...role,
      state: 'RUNNING',
      cardinality: 2,
      ...(at === 0 && { min_vms: 1, max_vms: 4, ...front }),
    }),
  );
  await world.store.services.model.create([{ ...made, state: 'RUNNING', operation: null, roles, ...over }]);
  return id;
}

const scale = (id: number, role: string, body: object) =>
  world.ask('oneadmin', 'post', `/services/${id}/roles/${role}/scale`, body);
const show = async (id: number) => (await world.ask('oneadmin', 'get', `/services/${id}`)).body;

it('why names who has switched VMs off, and offers to start them again', async () => {
  const id = await running({}, { cardinality: 1 });
  const vm = id * 10;
  const off = (ordinal: number) =>
    ({ state: 'POWEROFF', lcm_state: 'LCM_INIT', service: { id, role: 'front', ordinal } }) as const;
  await world.store.vms.model.insertMany([
    madeVm({ _id: vm, ...off(0) }),
    madeVm({ _id: vm + 1, ...off(1), reason: 'no power' }),
  ]);
  await world.store.operations.model.create([
    madeOperation({
      ...{ _id: `switch-${id}`, kind: 'performOnVm', resource: { type: 'vm', id: vm }, state: 'succeeded' },
      ...{ input: { action: 'poweroff' }, requester: { id: 2, name: 'bob' }, ended_at: new Date() },
    }),
  ]);
  const { text, actions } = (await world.ask('oneadmin', 'get', `/services/${id}/why`)).body;
  expect(text).toContain(' is POWEROFF: bob asked for that (poweroff), at ');
  expect(text).toContain(' is POWEROFF: no power. ');
  const resume = actions.find(({ name }: { name: string }) => name === 'resume');
  expect(resume).toMatchObject({ command: `arcus service action ${id} resume --all-roles` });
  expect((await world.ask('oneadmin', 'post', resume.href.replace('/api/v1', ''), resume.body)).status).toBe(202);
});

it('a role that is added has no members but those that roles have', async () => {
  const id = await running();
  const before = await world.digests();
  const answer = await world.ask('oneadmin', 'post', `/services/${id}/roles`, {
    name: 'cache',
    vm_template: 0,
    cardinalty: 2,
  });
  expect([answer.status, answer.body.errors]).toEqual([
    400,
    [{ pointer: '/cardinalty', detail: expect.stringContaining('cardinality') }],
  ]);
  expect(await world.digests()).toEqual(before);
});

describe('to scale a role', () => {
  it('is accepted, and the role is shown SCALING with its operation at once', async () => {
    const id = await running();
    const answer = await scale(id, 'front', { cardinality: 4 });
    expect(answer.status).toBe(202);
    expect(answer.headers.location).toBe(`/api/v1/operations/${answer.body.id}`);
    expect(answer.body).toMatchObject({ type: 'scaleRole', role: 'front', workflow: { id: `service-${id}/front` } });
    const service = await show(id);
    expect(service).toMatchObject({ state: 'SCALING', operation: null });
    expect(service.roles[0]).toMatchObject({ state: 'SCALING', cardinality: 4, operation: answer.body.id });
    expect(service.roles[0]).not.toHaveProperty('surplus');
    expect(service.roles[1]).toMatchObject({ state: 'RUNNING', operation: null, cooldown_until: null });
  });

  it('is answered the same when it is asked again under its key', async () => {
    const id = await running();
    const ask = () => scale(id, 'front', { cardinality: 3 }).set('Idempotency-Key', `scale-${id}`);
    expect((await ask()).body.id).toBe((await ask()).body.id);
    const other = await scale(id, 'front', { cardinality: 4 }).set('Idempotency-Key', `scale-${id}`);
    expect(other.body.type).toBe('/problems/idempotency_key_reused');
  });

  it.each<[string, object, string]>([
    ['above max_vms', { cardinality: 5 }, 'is 5, above max_vms 4'],
    ['below min_vms', { cardinality: 0 }, 'is 0, below min_vms 1'],
    ['to what it has', { cardinality: 2 }, 'has already'],
  ])('%s is refused, with a pointer to what is wrong and what to do', async (_, body, detail) => {
    const id = await running();
    const before = await world.digests();
    const answer = await scale(id, 'front', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([{ pointer: '/cardinality', detail: expect.stringContaining(detail) }]);
    expect(await world.digests()).toEqual(before);
  });

  it('beyond its limits is done by force, and the log says beyond which', async () => {
    const id = await running();
    expect((await scale(id, 'front', { cardinality: 6, force: true })).status).toBe(202);
    expect((await show(id)).log[0]).toMatchObject({
      message: 'Role front scaling up from 2 to 6 nodes, by force beyond max_vms 4, by oneadmin',
    });
  });

  it('up takes the USE right on its VM template as it is now; down does not', async () => {
    const secret = 'not-a-secret-1';
    const { body: alice } = await world.ask('oneadmin', 'post', '/users', { name: 'scaling-alice', password: secret });
    const made = await world.ask('oneadmin', 'post', '/vm-templates', {
      name: 'shared',
      template: { CPU: 1, MEMORY: 64 },
    });
    const vm_template: number = made.body.id;
    const id = await running({ uid: alice.id, gid: alice.gid }, { vm_template });
    const ask = (cardinality: number) =>
      world.ask('scaling-alice', 'post', `/services/${id}/roles/front/scale`, { cardinality }, secret);
    const refused = await ask(3);
    expect([refused.status, refused.body.type]).toEqual([403, '/problems/not_authorized']);
    expect(refused.body.detail).toBe(
      `scaling-alice needs the USE right on VM template ${vm_template}, of which its VMs are made.`,
    );
    expect((await show(id)).roles[0]).toMatchObject({ state: 'RUNNING', cardinality: 2 });
    await world.ask('oneadmin', 'post', `/vm-templates/${vm_template}/chmod`, { octet: '604' });
    expect((await ask(3)).status).toBe(202);
    const other = await running({ uid: alice.id, gid: alice.gid }, { vm_template, min_vms: 0 });
    await world.ask('oneadmin', 'post', `/vm-templates/${vm_template}/chmod`, { octet: '600' });
    const down = await world.ask(
      'scaling-alice',
      'post',
      `/services/${other}/roles/front/scale`,
      { cardinality: 1 },
      secret,
    );
    expect(down.status).toBe(202);
  });

  it('is not the only way to have VMs made: repairs and recoveries take that right, too', async () => {
    const secret = 'not-a-secret-1';
    const { body: bob } = await world.ask('oneadmin', 'post', '/users', { name: 'scaling-bob', password: secret });
    const made = await world.ask('oneadmin', 'post', '/vm-templates', {
      name: 'own',
      template: { CPU: 1, MEMORY: 64 },
    });
    const vm_template: number = made.body.id;
    const ways = [
      ['repair', 'WARNING'],
      ['recover', 'WARNING'],
      ['recover', 'FAILED_DEPLOYING'],
    ] as const;
    const services: [number, string][] = [];
    for (const [deed, state] of ways) {
      const id = await running({ uid: bob.id, gid: bob.gid, state });
      const all = { 'roles.$[].vm_template': vm_template, 'roles.$[].state': state };
      await world.store.services.model.updateOne({ _id: id }, { $set: all });
      services.push([id, deed]);
    }
    const ask = ([id, deed]: [number, string]) =>
      world.ask('scaling-bob', 'post', `/services/${id}/${deed}`, {}, secret);
    for (const one of services) {
      const refused = await ask(one);
      expect([refused.status, refused.body.type]).toEqual([403, '/problems/not_authorized']);
      expect(refused.body.detail).toBe(
        `scaling-bob needs the USE right on VM template ${vm_template}, of which its VMs are made.`,
      );
      expect((await show(one[0])).operation).toBeNull();
    }
    await world.ask('oneadmin', 'post', `/vm-templates/${vm_template}/chmod`, { octet: '604' });
    for (const one of services) expect((await ask(one)).status).toBe(202);
  });

  it('that there is not is refused, with the one that was meant', async () => {
    const id = await running();
    const answer = await scale(id, 'frnt', { cardinality: 3 });
    expect(answer.status).toBe(404);
    expect(answer.body.detail).toBe(`Service ${id} has no role "frnt". Did you mean "front"?`);
  });

  it.each<[string, Partial<Service>, Partial<Role>, string]>([
    ['failed to deploy', { state: 'FAILED_DEPLOYING' }, { state: 'FAILED_DEPLOYING' }, 'Recover it first.'],
    ['is gone', { state: 'DONE' }, { state: 'DONE' }, 'is DONE'],
    [
      'rests',
      { state: 'COOLDOWN' },
      { state: 'COOLDOWN', cooldown_until: new Date(Date.now() + 3_600_000) },
      'use force',
    ],
  ])('of a service that %s is refused', async (_, over, front, detail) => {
    const answer = await scale(await running(over, front), 'front', { cardinality: 3 });
    expect([answer.status, answer.body.type]).toEqual([409, '/problems/wrong_state']);
    expect(answer.body.detail).toContain(detail);
  });

  it('is refused while somebody else has the role or all of the service; other roles go ahead', async () => {
    const id = await running();
    await world.store.vms.model.insertMany(
      ['front', 'middle', 'back'].flatMap((role, at) =>
        [0, 1].map((ordinal) =>
          madeVm({
            ...{ _id: id * 10 + at * 2 + ordinal, state: 'ACTIVE', lcm_state: 'RUNNING' },
            service: { id, role, ordinal },
          }),
        ),
      ),
    );
    const first = await scale(id, 'front', { cardinality: 3 });
    const again = await scale(id, 'front', { cardinality: 4 });
    expect([again.status, again.body.operation]).toEqual([409, first.body.id]);
    expect(again.body.detail).toContain(`(scaleRole) is at work on role front of service ${id}, for oneadmin.`);
    expect((await scale(id, 'middle', { cardinality: 3 })).status).toBe(202);
    const recovery = await world.ask('oneadmin', 'post', `/services/${id}/recover`);
    expect([recovery.status, recovery.body.operation]).toEqual([409, first.body.id]);
    const undeployment = await world.ask('oneadmin', 'post', `/services/${id}/undeploy`);
    expect(undeployment.status).toBe(202);
    const late = await scale(id, 'back', { cardinality: 3 });
    expect([late.status, late.body.operation]).toEqual([409, undeployment.body.id]);
  });

  it('that was stopped before it began has failed; recovering the service goes on with each such role in turn', async () => {
    const id = await running();
    for (const role of ['front', 'back']) {
      const { body } = await scale(id, role, { cardinality: 3 });
      expect((await world.ask('oneadmin', 'post', `/operations/${body.id}/cancel`)).status).toBe(202);
    }
    expect(await show(id)).toMatchObject({ state: 'FAILED_SCALING', roles: [{ state: 'FAILED_SCALING' }, {}, {}] });
    const roles: string[] = [];
    for (let nth = 0; nth < 2; nth++) {
      const { status, body } = await world.ask('oneadmin', 'post', `/services/${id}/recover`);
      expect(status).toBe(202);
      expect(body.retry_of).not.toBeNull();
      roles.push(body.role);
    }
    expect(roles).toEqual(['front', 'back']);
    // The third has none of its VMs: it is repaired, while the others are at work.
    const repair = await world.ask('oneadmin', 'post', `/services/${id}/recover`);
    expect([repair.status, repair.body.type]).toEqual([202, 'repairService']);
    expect((await show(id)).roles.map(({ operation }: { operation: string }) => operation)[1]).toBe(repair.body.id);
    expect((await world.ask('oneadmin', 'post', `/services/${id}/recover`)).status).toBe(409);
  });

  it('that failed is not what is recovered of a service that could not be undeployed', async () => {
    const id = await running({ state: 'FAILED_UNDEPLOYING' }, { state: 'FAILED_SCALING' });
    const { body: why } = await world.ask('oneadmin', 'get', `/services/${id}/why`);
    expect(why.actions.map(({ name }: { name: string }) => name)).toContain('recover');
    const { status, body } = await world.ask('oneadmin', 'post', `/services/${id}/recover`);
    expect([status, body.type, body.role]).toEqual([202, 'undeployService', null]);
  });

  it('is told of by whoever asks why', async () => {
    const id = await running();
    const { body } = await scale(id, 'front', { cardinality: 3 });
    const why = await world.ask('oneadmin', 'get', `/services/${id}/why`);
    expect(why.body.operation).toBe(body.id);
    expect(why.body.text).toContain(`The scaling of role front of service ${id} (service ${id}) was accepted`);
  });
});

describe('the elasticity policies of a role that runs', () => {
  const policies = (id: number, method: 'get' | 'put', body?: object) =>
    world.ask('oneadmin', method, `/services/${id}/roles/front/policies`, body);
  const peak = { expression: 'ATT > 50', type: 'CHANGE', adjust: 1, period_number: 2 };

  it('are replaced, paused and resumed, and the service says by whom', async () => {
    const id = await running();
    const changed = await policies(id, 'put', { elasticity_policies: [peak, { target: 'CPU = 60' }], max_vms: 9 });
    expect(changed.body).toMatchObject({
      ...{ role: 'front', min_vms: 1, max_vms: 9, waits: null },
      policies: [
        { definition: peak, periods: 2, true_evals: 0, last: null },
        { definition: { target: 'CPU = 60' }, paused: null },
      ],
    });
    const at = `/services/${id}/roles/front/policies`;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const pause = (body: object) => world.ask('oneadmin', 'post', `${at}/1/pause`, body);
    expect((await pause({ until })).body.policies[1].paused).toBe(`paused until ${until}`);
    expect((await pause({})).body.policies[1].paused).toBe('paused until somebody resumes it');
    expect((await world.ask('oneadmin', 'post', `${at}/1/resume`)).body.policies[1]).toMatchObject({
      ...{ paused: null, definition: { target: 'CPU = 60' } },
    });
    expect((await world.ask('oneadmin', 'post', `${at}/2/resume`)).body.detail).toBe(
      `Role front of service ${id} has no policy 2: it has 0 to 1.`,
    );
    for (const [body, detail] of [
      [{ until: '2020-01-01T00:00:00Z' }, /^is past: it is 2\S+Z\. Say a time to come, or none: /],
      [{ until: 'tomorrow' }, /^must be a time such as 2026-12-01T06:00:00Z$/],
    ] as const)
      expect((await pause(body)).body.errors).toEqual([{ pointer: '/until', detail: expect.stringMatching(detail) }]);
    expect((await show(id)).log.map(({ message }: { message: string }) => message)).toEqual([
      'Role front : has 2 policies from now on, by oneadmin',
      `Role front : policy 1 is paused until ${until}, by oneadmin`,
      'Role front : policy 1 is paused, by oneadmin',
      'Role front : policy 1 is resumed, by oneadmin',
    ]);
  });

  it('are 500 in all roles together, as in a template', async () => {
    const many = Array.from({ length: 50 }, (_, at) => ElasticityPolicy.parse({ ...peak, expression: `ATT > ${at}` }));
    const id = await running();
    const roles = (await world.store.services.find(id))?.roles ?? [];
    const others = Array.from({ length: 9 }, (_, at) => ({ ...roles[1], name: `r${at}`, elasticity_policies: many }));
    await world.store.services.model.updateOne({ _id: id }, { $set: { roles: [...roles, ...others] } });
    expect((await policies(id, 'put', { elasticity_policies: many })).status).toBe(200);
    await world.store.services.model.updateOne({ _id: id }, { $set: { 'roles.1.elasticity_policies': [many[0]] } });
    await policies(id, 'put', { elasticity_policies: many.slice(1) });
    const answer = await policies(id, 'put', { elasticity_policies: many });
    expect(answer.body.errors).toEqual([{ pointer: '', detail: expect.stringContaining('501 policies') }]);
  });

  it('are checked as in a template, all that is wrong at once', async () => {
    const id = await running({}, { cardinality: 2 });
    const answer = await policies(id, 'put', {
      ...{ elasticity_policies: [{ ...peak, expression: 'ATT >' }, { target: 'sum(CPU) = 6' }], min_vms: 5 },
    });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/elasticity_policies/0/expression',
      '/elasticity_policies/1/target',
      '/min_vms',
    ]);
    expect((await policies(id, 'get')).body.policies).toEqual([]);
  });

  it('are shown with the service, with how far each has counted and what it has come to', async () => {
    const held = ElasticityPolicy.parse({ ...peak, expression: 'LOAD > 1' });
    const id = await running({}, { elasticity_policies: [ElasticityPolicy.parse(peak), held] });
    const now = new Date();
    const { elasticity, services } = world.store;
    const [role] = (await services.find(id))?.roles ?? [];
    if (!role) throw new Error('there is no role');
    const vm = { id: 1, name: 'front_0', user_template: { ATT: 60 }, template: {}, own: {}, since: now, sample: null };
    const looked = lookAt({ service: id, role, vms: [vm] }, null, {
      ...{ now, look: elasticity.newLook(), stale: 60_000, early: 0, cooldown: 0, due: null },
    });
    await elasticity.write([{ before: null, after: looked.record }]);
    expect((await show(id)).roles[0].elasticity_policies).toEqual([
      { ...peak, true_evals: 1, last_eval: now.toISOString(), last: expect.objectContaining({ verdict: 'counting' }) },
      { ...held, true_evals: 0, last_eval: now.toISOString(), last: expect.objectContaining({ verdict: 'unknown' }) },
    ]);
    expect((await world.ask('oneadmin', 'get', `/services/${id}/why`)).body.text).toContain(
      'Policy 1 of role front holds the role as it is, for it does not know what it asks for: ',
    );
  });

  it('say why none of them is asked', async () => {
    const id = await running({}, { elasticity_policies: [], state: 'FAILED_SCALING' });
    expect((await policies(id, 'get')).body.waits).toBe('the role is FAILED_SCALING');
  });
});

describe('the scheduled policies of a role that runs', () => {
  const schedules = (id: number, method: 'get' | 'put', body?: object) =>
    world.ask('oneadmin', method, `/services/${id}/roles/front/schedules`, body);
  const nightly = { recurrence: '30 22 * * *', type: 'CARDINALITY', adjust: 1 };
  const yearly = { recurrence: '0 9 1 1 *', type: 'CARDINALITY', adjust: 4 };

  it('are replaced, paused and resumed, are due as they were, and the service says by whom', async () => {
    const id = await running();
    const changed = await schedules(id, 'put', { scheduled_policies: [nightly, yearly], max_vms: 9 });
    expect(changed.body).toMatchObject({
      ...{ role: 'front', min_vms: 1, max_vms: 9, time_zone: 'UTC' },
      schedules: [
        {
          schedule: 0,
          definition: nightly,
          paused: null,
          next_at: expect.stringMatching(/T22:30:00.000Z$/),
          last: null,
        },
        { schedule: 1, definition: yearly, paused: null, next_at: expect.stringMatching(/-01-01T09:00:00.000Z$/) },
      ],
    });
    const at = `/services/${id}/roles/front/schedules`;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const pause = (body: object) => world.ask('oneadmin', 'post', `${at}/1/pause`, body);
    expect((await pause({ until })).body.schedules[1].paused).toBe(`paused until ${until}`);
    expect((await pause({})).body.schedules[1].paused).toBe('paused until somebody resumes it');
    expect((await world.ask('oneadmin', 'get', `/services/${id}/why`)).body.text).toContain(
      'Scheduled policy 1 of role front is paused until somebody resumes it.',
    );
    expect((await world.ask('oneadmin', 'post', `${at}/1/resume`)).body).toEqual(changed.body);
    expect((await world.ask('oneadmin', 'post', `${at}/2/resume`)).body.detail).toBe(
      `Role front of service ${id} has no scheduled policy 2: it has 0 to 1.`,
    );
    expect((await show(id)).log.map(({ message }: { message: string }) => message)).toEqual([
      'Role front : has 2 scheduled policies from now on, by oneadmin',
      `Role front : scheduled policy 1 is paused until ${until}, by oneadmin`,
      'Role front : scheduled policy 1 is paused, by oneadmin',
      'Role front : scheduled policy 1 is resumed, by oneadmin',
    ]);
    expect((await world.store.services.find(id))?.schedule).toMatchObject({ version: 4, zone: 'UTC' });
  });

  it('say what has come of what was done to VMs, where it is shown', async () => {
    const id = await running(
      {},
      { scheduled_policies: [ScheduledPolicy.parse({ action: 'resume', recurrence: '0 3 * * *' })] },
    );
    const refused = '1 of 1 VMs refused resume: VM 7: VM 7 is RUNNING';
    const of = madeOperation({
      ...{
        _id: `firing-${id}`,
        kind: 'performOnRole',
        resource: { type: 'service', id },
        role: 'front',
        state: 'failed',
      },
      ...{ input: { action: 'resume', vms: [7], number: null, period: 0 }, ended_at: new Date() },
      error: { code: 'action_refused', detail: refused },
    });
    await world.store.operations.model.create([of]);
    const last = { due_at: new Date(), at: new Date(), verdict: 'performed' as const, why: 'resume of every VM' };
    const entry = { role: 'front', policy: 0, print: '', next_at: null, last: { ...last, operation: of._id } };
    const schedule = { version: 1, due_at: null, zone: 'UTC', of: [entry] };
    await world.store.services.model.updateOne({ _id: id }, { $set: { schedule } });
    const why = `resume of every VM, which has failed: ${refused}`;
    expect((await schedules(id, 'get')).body.schedules).toMatchObject([{ last: { verdict: 'performed', why } }]);
    expect((await show(id)).roles[0].scheduled_policies).toMatchObject([{ last: { why } }]);
  });

  it('are checked as in a template, all that is wrong at once', async () => {
    const id = await running();
    const wrong = {
      scheduled_policies: [
        { ...nightly, recurrence: '61 * * * *' },
        { type: 'CHANGE', adjust: 1 },
      ],
    };
    const answer = await schedules(id, 'put', { ...wrong, min_vms: 5 });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/scheduled_policies/0/recurrence',
      '/scheduled_policies/1',
      '/min_vms',
    ]);
    expect((await schedules(id, 'get')).body.schedules).toEqual([]);
  });
});
