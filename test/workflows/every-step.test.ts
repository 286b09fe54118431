import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isVmRunning } from '../../domain/vm-states.js';
import { newWorld, pair, type World } from '../support/world.js';
import { development } from '../support/world-server.js';
import { type Around, failingAt, twice } from '../support/world-steps.js';

let world: World;
beforeAll(async () => {
  world = await newWorld({ server: development });
});
afterAll(() => world.stop());

type Deed = {
  /** Brings about what the operation begins from; returns the id of the resource, if it is there before. */
  prepare: () => Promise<number | null>;
  ask: (id: number | null) => Promise<{ op: string; id: number }>;
  /** What the owner does when it has not got there: null when it has. */
  again: (id: number) => Promise<{ op: string } | null>;
  /** Where it must end. */
  arrived: (id: number) => Promise<void>;
  /** The state of the resource after a cancel, and what it may be. */
  cancelled: (id: number) => Promise<string>;
  afterCancel: RegExp;
};

const id = (known: number | null): number => {
  if (known === null) throw new Error('the deed begins from a resource');
  return known;
};

async function serviceRuns(service: number): Promise<void> {
  const { state, roles } = await world.service(service);
  expect({ state, roles: roles.map((role) => role.state) }).toEqual({
    state: 'RUNNING',
    roles: ['RUNNING', 'RUNNING'],
  });
  const vms = await world.vms(service);
  expect(vms.filter(isVmRunning)).toHaveLength(4);
  expect(vms).toHaveLength(4);
  for (const { _id, service: place } of vms) expect(world.hypervisor.timesMade(_id), `VM ${place?.ordinal}`).toBe(1);
}

async function serviceIsGone(service: number, document: 'stays' | 'goes'): Promise<void> {
  expect(await world.vms(service)).toEqual([]);
  const found = await world.store.services.find(service);
  expect(found?.state).toBe(document === 'stays' ? 'DONE' : undefined);
}

/** The state, and what the roles that the cancel met say of themselves. */
async function cancelledService(service: number): Promise<string> {
  const { state, roles } = await world.service(service);
  const met = roles.filter((role) => role.state.startsWith('FAILED')).map(({ reason }) => reason);
  return [state, ...met].join(' ');
}

const serviceState = async (service: number): Promise<string> => (await world.service(service)).state;

async function vmState(vm: number): Promise<string> {
  const { state, lcm_state } = await world.vm(vm);
  return state === 'ACTIVE' ? lcm_state : state;
}

const deeds: Record<string, Deed> = {
  deployService: {
    prepare: async () => null,
    ask: () => world.deploy(pair),
    again: async (service) => ((await serviceState(service)) === 'RUNNING' ? null : world.recover(service)),
    arrived: serviceRuns,
    cancelled: cancelledService,
    afterCancel: /^FAILED_DEPLOYING( cancelled)?$/,
  },
  undeployService: {
    prepare: async () => (await world.running(pair)).id,
    ask: (service) => world.undeploy(id(service)),
    again: async (service) => {
      const state = await serviceState(service);
      if (state === 'DONE') return null;
      return state === 'RUNNING' ? world.undeploy(service) : world.recover(service);
    },
    arrived: (service) => serviceIsGone(service, 'stays'),
    cancelled: cancelledService,
    afterCancel: /^FAILED_UNDEPLOYING( cancelled)?$/,
  },
  'undeployService of a deletion': {
    prepare: async () => (await world.running([{ name: 'only' }])).id,
    ask: (service) => world.remove(id(service)),
    again: async (service) => ((await world.store.services.find(service)) === null ? null : world.remove(service)),
    arrived: (service) => serviceIsGone(service, 'goes'),
    cancelled: cancelledService,
    afterCancel: /^FAILED_UNDEPLOYING( cancelled)?$/,
  },
  deployVm: {
    prepare: async () => null,
    ask: () => world.createVm(),
    again: async (vm) => ((await vmState(vm)) === 'RUNNING' ? null : world.terminate(vm)),
    arrived: async (vm) => {
      expect(['RUNNING', 'DONE']).toContain(await vmState(vm));
      expect(world.hypervisor.timesMade(vm)).toBeLessThanOrEqual(1);
    },
    cancelled: vmState,
    // A step that cannot stop half-way ends before the cancel is heeded.
    afterCancel: /^(PENDING|PROLOG_FAILURE|BOOT_FAILURE|RUNNING)$/,
  },
  terminateVm: {
    prepare: async () => {
      const { id: vm, op } = await world.createVm();
      expect((await world.ended(op)).state).toBe('succeeded');
      return vm;
    },
    ask: (vm) => world.terminate(id(vm)),
    again: async (vm) => ((await vmState(vm)) === 'DONE' ? null : world.terminate(vm)),
    arrived: async (vm) => expect(await vmState(vm)).toBe('DONE'),
    cancelled: vmState,
    afterCancel: /^(RUNNING|UNKNOWN|DONE)$/,
  },
};

/** One run with this around its steps; then reconciliation, should it have left its operation open. */
async function once(deed: Deed, around: Around) {
  const known = await deed.prepare();
  world.steps.watch(around);
  const { op, id: resource } = await deed.ask(known);
  let operation = await world.ended(op);
  const steps = world.steps.names();
  world.steps.watch();
  if (operation.ended_at === null) {
    await world.reconcile();
    operation = await world.ended(op);
  }
  expect(operation.ended_at, `${op} ends`).not.toBeNull();
  return { operation, resource, steps };
}

/** The owner tries again, once, and everything is as it was meant to be. */
async function converges(deed: Deed, resource: number, after: string): Promise<void> {
  await world.accounted(after);
  const again = await deed.again(resource);
  if (again) expect(await world.ended(again.op), after).toMatchObject({ state: 'succeeded', error: null });
  await deed.arrived(resource);
  await world.accounted(after);
}

describe.each(Object.entries(deeds))('%s', (_, deed) => {
  it.each(['before', 'after'] as const)(
    'converges when it is asked again after a failure %s any step’s work',
    async (when) => {
      let reached = true;
      for (let nth = 1; reached; nth++) {
        const { resource, steps } = await once(deed, failingAt(nth, when));
        reached = steps.length >= nth;
        await converges(deed, resource, `a failure ${when} step ${nth}, ${steps[nth - 1]}`);
      }
    },
  );

  it('comes to the same end when each of its steps is done twice', async () => {
    const { operation, resource } = await once(deed, twice);
    expect(operation).toMatchObject({ state: 'succeeded', error: null });
    expect(await deed.again(resource)).toBeNull();
    await converges(deed, resource, 'each step twice');
  });

  it('leaves nothing unaccounted for when it is cancelled at any step', async () => {
    const cancelled: string[] = [];
    for (let nth = 1, reached = true; reached; nth++) {
      const { operation, resource, steps } = await once(deed, cancellingAt(nth));
      reached = steps.length >= nth;
      const at = `a cancel at step ${nth}, ${steps[nth - 1]}`;
      if (operation.state === 'cancelled') {
        cancelled.push(at);
        expect(operation.error, at).toEqual({ code: 'cancelled', detail: 'cancelled' });
        expect(await deed.cancelled(resource), at).toMatch(deed.afterCancel);
      } else expect(operation, at).toMatchObject({ state: 'succeeded', error: null });
      await converges(deed, resource, at);
    }
    // One that comes when all is done but the last words comes too late.
    expect(cancelled.length).toBeGreaterThanOrEqual(3);
  });
});

/** Whoever cancels does so at the very moment that the nth step begins. */
const cancellingAt =
  (nth: number): Around =>
  async (step, run) => {
    if (step.n === nth) {
      const present = await world.engine.latestRun(step.workflowId);
      if (present) await world.engine.cancel(step.workflowId, present);
    }
    return run();
  };
