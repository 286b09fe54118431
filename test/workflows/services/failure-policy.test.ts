import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { isVmRunning } from '../../../domain/vms/vm-states.js';
import type { Answer } from '../../../schemas/operations/question.js';
import { eventually } from '../../support/processes.js';
import { type Asked, type FailurePolicy, newWorld, type World } from '../../support/world.js';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.hypervisor.beforeEach = () => {};
  world.hypervisor.mend();
  world.steps.watch();
});

/** Three roles: web with two VMs and a policy, a child of it, and one that has nothing to do with either. */
const roles = (failure_policy: FailurePolicy) => [
  { name: 'web', cardinality: 2, failure_policy },
  { name: 'child', parents: ['web'] },
  { name: 'apart' },
];

const refused = new Problem('deploy_refused', 'there is no such image');

/** The VM of role web with this number cannot be deployed, so often. */
function failing(ordinal: number, times = Number.POSITIVE_INFINITY): void {
  let left = times;
  world.hypervisor.beforeEach = async ({ call, vm: id }) => {
    const vm = call === 'deploy' && id !== null ? await world.store.vms.find(id) : null;
    if (vm?.service?.role !== 'web' || vm.service.ordinal !== ordinal || left <= 0) return;
    left -= 1;
    throw refused;
  };
}

const ordinalsOf = async (service: number, role: string): Promise<number[]> =>
  (await world.vms(service, role)).map((vm) => vm.service?.ordinal ?? -1);
const roleStates = async (service: number): Promise<string[]> =>
  (await world.service(service)).roles.map(({ state }) => state);
const deploys = (vm: number): number =>
  world.hypervisor.journal.filter((entry) => entry.call === 'deploy' && entry.vm === vm).length;

/** Every VM of the service runs and was made once for each epoch that it had at a hypervisor. */
async function madeOnce(service: number): Promise<void> {
  for (const vm of await world.vms(service)) {
    const made = world.hypervisor.journal.filter(
      ({ vm: id, outcome }) => id === vm._id && /^(created|replaced)$/.test(outcome),
    );
    expect(made.length, vm.name).toBe(1);
    expect(new Set(made.map(({ epoch }) => epoch)).size).toBe(made.length);
  }
}

/** Asks for a service whose second web VM fails for good, and waits until its operation asks what to do. */
async function asking(policy: FailurePolicy = { finally: 'wait' }): Promise<Asked> {
  failing(1);
  const service = await world.deploy(roles(policy));
  expect((await world.server.skipping(world.ended(service.op))).state).toBe('waiting_for_you');
  await world.accounted();
  return service;
}

const answer = async ({ op }: Asked, reply: Answer) => {
  const { id } = await world.operations.operations.answer(world.caller, op, { answer: reply });
  expect(id).toBe(op);
};

describe('retries', () => {
  it('deploy the same VM again, in its place, until it runs', async () => {
    failing(1, 2);
    const { id, op } = await world.deploy(roles({ retries: 2 }));
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded', error: null });
    expect(await ordinalsOf(id, 'web')).toEqual([0, 1]);
    expect(world.steps.names().filter((name) => name === 'planRounds')).toHaveLength(3);
    expect(world.steps.names()).not.toContain('destroyVms');
    const [, second] = await world.vms(id, 'web');
    expect(second?.history).toHaveLength(1);
    expect(second?.history[0]?.epoch).toBe(second?.epoch);
    await madeOnce(id);
    await world.accounted();
  });

  it('leave the VMs that run alone', async () => {
    failing(1, 1);
    const { id, op } = await world.deploy(roles({ retries: 1 }));
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded' });
    const [first] = await world.vms(id, 'web');
    expect(deploys(first?._id ?? -1)).toBe(1);
    await world.accounted();
  });

  it('that are used up leave the role failed with the hypervisor’s own words', async () => {
    failing(1);
    const { id, op } = await world.deploy(roles({ retries: 2 }));
    expect(await world.server.skipping(world.ended(op))).toMatchObject({
      state: 'failed',
      error: { code: 'roles_failed', detail: expect.stringMatching(/role web: 1 of 2 VMs run: .*no such image/) },
    });
    expect(await roleStates(id)).toEqual(['FAILED_DEPLOYING', 'PENDING', 'RUNNING']);
    await world.accounted();
  });

  it('are waited for by nobody who does not depend on the role', async () => {
    let tries = 0;
    world.hypervisor.beforeEach = async ({ call, vm: id }) => {
      const vm = call === 'deploy' && id !== null ? await world.store.vms.find(id) : null;
      if (vm?.service?.role !== 'web' || vm.service.ordinal !== 1) return;
      tries += 1;
      if (tries === 1) throw refused;
      await eventually(async () => (await roleStates(vm.service?.id ?? -1))[2] === 'RUNNING');
    };
    const { id, op } = await world.deploy(roles({ retries: 1 }));
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded' });
    expect(tries).toBe(2);
    await madeOnce(id);
    await world.accounted();
  });

  it('wait behind an undeployment, which pre-empts', async () => {
    failing(1);
    const { id, op } = await world.deploy(roles({ retries: 10 }));
    await eventually(async () => (await world.operation(op)).waiting_for !== null);
    const undeployment = await world.undeploy(id);
    expect(await world.server.skipping(world.ended(undeployment.op))).toMatchObject({ state: 'succeeded' });
    expect(await world.operation(op)).toMatchObject({ state: 'cancelled' });
    expect(await world.vms(id)).toEqual([]);
    await world.accounted();
  });
});

describe('replacements', () => {
  it('put a new VM, with a new number, in the place of one that went on failing', async () => {
    failing(1);
    const { id, op } = await world.deploy(roles({ retries: 1, replacements: 1 }));
    expect(await world.server.skipping(world.ended(op))).toMatchObject({ state: 'succeeded', error: null });
    expect(await ordinalsOf(id, 'web')).toEqual([0, 2]);
    const kinds = world.steps.names();
    expect(kinds.indexOf('destroyVms')).toBeLessThan(kinds.lastIndexOf('bootVms'));
    await madeOnce(id);
    await world.accounted();
  });

  it('need no room beside what they replace', async () => {
    const tight = await newWorld({ hosts: 0 });
    try {
      await tight.addHost({ cpu: 2 });
      let first: number | null = null;
      tight.hypervisor.beforeEach = ({ call, vm }) => {
        if (call === 'deploy') first ??= vm;
        if (call === 'deploy' && vm === first) throw refused;
      };
      const only = [{ name: 'only', cpu: 2, failure_policy: { replacements: 1 } }];
      const { id, op } = await tight.deploy(only);
      expect(await tight.server.skipping(tight.ended(op))).toMatchObject({ state: 'succeeded' });
      expect((await tight.vms(id)).map((vm) => vm.service?.ordinal)).toEqual([1]);
      expect(tight.steps.names()).not.toContain('placeRoles');
      await tight.accounted();
    } finally {
      await tight.stop();
    }
  });
});

describe('a role that waits for a person', () => {
  it('has its operation ask, with no run open, once everything else is done; nothing holds VMs', async () => {
    const { id, op } = await asking();
    const { question, waiting_for, error, workflow_id } = await world.operation(op);
    expect(question).toMatchObject({ roles: ['web'], text: expect.stringMatching(/^Role web .*1 of 2 VMs run/) });
    expect({ waiting_for, error }).toEqual({ waiting_for: 'your answer', error: null });
    expect((await world.engine.latestRun(workflow_id))?.status).toBe('completed');
    const { state, operation, holds } = await world.service(id);
    expect({ state, operation, holds }).toEqual({ state: 'DEPLOYING', operation: op, holds: {} });
    expect(await roleStates(id)).toEqual(['FAILED_DEPLOYING', 'PENDING', 'RUNNING']);
    for (const vm of await world.vms(id)) expect(vm.hold).toBeNull();
    await world.reconcile();
    expect((await world.operation(op)).state).toBe('waiting_for_you');
  });

  it('asks only when its retries are used up', async () => {
    const { op } = await asking({ retries: 2, finally: 'wait' });
    expect(world.steps.names().filter((name) => name === 'planRounds')).toHaveLength(3);
    expect((await world.operation(op)).question?.roles).toEqual(['web']);
  });

  it('goes on when it is retried: failed VMs are replaced, and its children follow', async () => {
    const service = await asking();
    await answer(service, 'retry');
    expect(await world.ended(service.op)).toMatchObject({ state: 'succeeded', error: null, question: null });
    expect(await roleStates(service.id)).toEqual(['RUNNING', 'RUNNING', 'RUNNING']);
    expect(await ordinalsOf(service.id, 'web')).toEqual([0, 2]);
    await madeOnce(service.id);
    await world.accounted();
  });

  it('asks again when what was retried fails again', async () => {
    const service = await asking();
    world.hypervisor.failOn(2, { error: refused });
    await answer(service, 'retry');
    expect((await world.ended(service.op)).state).toBe('waiting_for_you');
    await answer(service, 'retry');
    expect(await world.ended(service.op)).toMatchObject({ state: 'succeeded' });
    await madeOnce(service.id);
    await world.accounted();
  });

  it('goes on with what runs when it is skipped: the log says so, and its children follow', async () => {
    const service = await asking();
    await answer(service, 'skip');
    expect(await world.ended(service.op)).toMatchObject({ state: 'succeeded', error: null });
    const { state, roles: after, log } = await world.service(service.id);
    expect(state).toBe('RUNNING');
    expect(after.map(({ cardinality }) => cardinality)).toEqual([1, 1, 1]);
    const said = log.map(({ message }) => message);
    expect(said).toContain('alice answered skip (web)');
    expect(said).toContain('Role web : goes on without its failed VMs, cardinality 2 → 1');
    expect(await ordinalsOf(service.id, 'web')).toEqual([0]);
    expect((await world.vms(service.id)).filter(isVmRunning)).toHaveLength(3);
    await world.accounted();
  });

  it('asks again when what is to be skipped cannot be removed', async () => {
    const service = await asking();
    world.hypervisor.failOn(1, { error: new Problem('destroy_refused', 'the disk is locked') });
    await answer(service, 'skip');
    expect(await world.ended(service.op)).toMatchObject({
      state: 'waiting_for_you',
      question: { text: expect.stringMatching(/1 failed VMs could not be removed/) },
    });
    await answer(service, 'skip');
    expect(await world.ended(service.op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it('has failed when it is given up, and can be recovered later', async () => {
    const service = await asking();
    await answer(service, 'give_up');
    expect(await world.ended(service.op)).toMatchObject({
      state: 'failed',
      error: { code: 'roles_failed', detail: expect.stringMatching(/^role web: 1 of 2 VMs run/) },
    });
    const { state, operation } = await world.service(service.id);
    expect({ state, operation }).toEqual({ state: 'FAILED_DEPLOYING', operation: null });
    await world.accounted();
    expect(await world.ended((await world.recover(service.id)).op)).toMatchObject({ state: 'succeeded' });
    await world.accounted();
  });

  it.each(['undeploy', 'remove'] as const)('does not stand in the way of %s', async (deed) => {
    const service = await asking();
    const { op } = await world[deed](service.id);
    expect(await world.ended(op)).toMatchObject({ state: 'succeeded' });
    expect(await world.operation(service.op)).toMatchObject({ state: 'cancelled', question: null });
    expect(await world.vms(service.id)).toEqual([]);
    await world.accounted();
  });

  it('hears one of two answers; the other is told whose was first', async () => {
    const service = await asking();
    const answers = await Promise.allSettled([answer(service, 'retry'), answer(service, 'skip')]);
    const lost = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(lost).toEqual([expect.objectContaining({ code: 'wrong_state' })]);
    expect(lost[0].message).toMatch(/alice answered (retry|skip)/);
    expect(await world.ended(service.op)).toMatchObject({ state: 'succeeded' });
    await expect(answer(service, 'retry')).rejects.toMatchObject({ code: 'wrong_state' });
    await world.accounted();
  });
});
