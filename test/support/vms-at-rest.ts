import { expect } from 'vitest';
import { Problem } from '../../domain/problems.js';
import { stateWord } from '../../domain/vms/vm-action-states.js';
import { vmStateName } from '../../domain/vms/vm-states.js';
import type { VmCall } from '../../domain/vms/vm-verbs.js';
import type { VmSwitch } from '../../schemas/operations/vm-action.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { VmStateWord } from '../../schemas/vms/vm-actions.js';
import type { Asked, World } from './world.js';

export const wordOf = (vm: Pick<Vm, 'state' | 'lcm_state'>): string => stateWord(vmStateName(vm));

export async function done(world: World, asked: Promise<Asked>): Promise<number> {
  const { id, op } = await asked;
  expect(await world.ended(op)).toMatchObject({ state: 'succeeded', error: null });
  return id;
}

type Way = (world: World, vm: number) => Promise<unknown>;

const switched =
  (action: VmSwitch): Way =>
  (world, vm) =>
    done(world, world.switch(vm, action));

/** Its hypervisor refuses that call once, be it before or after its work, and with it what is asked. */
async function refused(world: World, vm: number, call: VmCall, asked: () => Promise<Asked>, when: 'before' | 'after') {
  const error = new Problem(call === 'deploy' ? 'deploy_refused' : 'action_refused', 'there is no room');
  world.hypervisor.failVm(vm, { call, times: 1, when, error });
  expect(await world.ended((await asked()).op)).toMatchObject({ state: 'failed' });
}

/** How one that runs comes into each state in which VMs rest. */
const ways = {
  RUNNING: async () => {},
  POWEROFF: switched('poweroff'),
  SUSPENDED: switched('suspend'),
  UNDEPLOYED: switched('undeploy'),
  STOPPED: switched('stop'),
  UNKNOWN: (world, vm) => world.store.vms.model.updateOne({ _id: vm }, { $set: { lcm_state: 'UNKNOWN' } }).exec(),
  // It runs, which nobody has heard: whoever claims so is right.
  BOOT_FAILURE: async (world, vm) => {
    await switched('undeploy')(world, vm);
    await refused(world, vm, 'deploy', () => world.resume(vm), 'after');
  },
  EPILOG_FAILURE: async (world, vm) => {
    await switched('stop')(world, vm);
    await refused(world, vm, 'discard', () => world.terminate(vm), 'before');
  },
  EPILOG_STOP_FAILURE: (world, vm) => refused(world, vm, 'store', () => world.switch(vm, 'stop'), 'before'),
  PROLOG_RESUME_FAILURE: async (world, vm) => {
    await switched('stop')(world, vm);
    await refused(world, vm, 'fetch', () => world.resume(vm), 'before');
  },
} as const satisfies Partial<Record<VmStateWord, Way>>;

/** How one comes into those that come before it ran. */
const births = {
  HOLD: (world) => done(world, world.createVm({ hold: true })),
  PENDING: async (world) => {
    const hostsAre = async (state: 'DISABLED' | 'MONITORED') => {
      for (const { _id } of await world.store.hosts.all()) await world.store.hosts.update(_id, { state });
    };
    await hostsAre('DISABLED');
    const { id, op } = await world.createVm();
    await expect.poll(async () => (await world.operation(op)).state).toBe('waiting');
    await world.cancel(op);
    await expect.poll(async () => (await world.operation(op)).state).toBe('cancelled');
    await hostsAre('MONITORED');
    return id;
  },
} as const satisfies Partial<Record<VmStateWord, (world: World) => Promise<number>>>;

export type Rest = keyof typeof ways | keyof typeof births;
const isWay = (state: Rest): state is keyof typeof ways => Object.hasOwn(ways, state);
export function isRest(word: string): word is Rest {
  return Object.hasOwn(ways, word) || Object.hasOwn(births, word);
}

/** VMs that tries leave: others begin from them, rather than make their own. */
export class VmsAtRest {
  readonly #left: number[] = [];

  constructor(readonly inWorld: () => World) {}

  leave(vm: number): void {
    this.#left.push(vm);
  }

  /** One in that state; `ready`: what is done to it before, while it runs. */
  async in(state: Rest, ready?: Way): Promise<number> {
    const world = this.inWorld();
    if (!isWay(state)) return births[state](world);
    const vm = await this.#running(world);
    await ready?.(world, vm);
    await ways[state](world, vm);
    expect(wordOf(await world.vm(vm))).toBe(state);
    return vm;
  }

  async #running(world: World): Promise<number> {
    for (let vm = this.#left.pop(); vm !== undefined; vm = this.#left.pop()) {
      const { disks = [], ...its } = await world.vm(vm);
      const state = wordOf(its);
      // No disk may have so many that the next is refused.
      if (disks.some(({ snapshots }) => snapshots.length > 20)) {
        await done(world, world.terminate(vm));
        continue;
      }
      if (state === 'RUNNING') return vm;
      if (/^(POWEROFF|SUSPENDED|UNDEPLOYED|STOPPED)$/.test(state)) return done(world, world.resume(vm));
    }
    return done(world, world.createVm());
  }
}
