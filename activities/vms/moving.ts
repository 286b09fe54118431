import { Context } from '@temporalio/activity';
import { inSlices } from '../../adapters/process/in-slices.js';
import { planning } from '../../domain/placement/placement.js';
import type { Sibling } from '../../domain/placement/placement-ties.js';
import { Problem } from '../../domain/problems.js';
import { arrival, placeOf } from '../../domain/vms/stays.js';
import { arrivesBy, hasMoved, type MoveVerb, movesFrom, vmMoves } from '../../domain/vms/vm-moves.js';
import { vmStateName } from '../../domain/vms/vm-states.js';
import { isAfter } from '../../domain/vms/vm-verbs.js';
import { wishOf, wishOn } from '../../domain/vms/vm-wish.js';
import { isMigration } from '../../schemas/operations/operation.js';
import type { Moving } from '../../schemas/vms/vm.js';
import type { Reservation } from '../../store/hosts/host-reservations.js';
import type { Store } from '../../store/store.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { begin, type StepInput } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { adapterFor, fenced, hostTargets, placed, placeIn, reservationsOf, silenceOf } from './at-hosts.js';
import { type BatchOutcome, eachVm } from './each-vm.js';
import { datastoresFor, siblingsIn } from './placement-context.js';
import { takeVms } from './taking.js';
import type { VmInput } from './vm-operations.js';
import type { VmBatch } from './vms.js';

/** `settle`: it was on its way before, and nobody knows on which host it is; `there`: it is where it was to go. */
type MovePlan =
  | { do: 'move'; to: string; steps: readonly MoveVerb[] }
  | { do: 'refused'; why: string }
  | { do: 'settle' }
  | { do: 'there' };

/** Hosts may fill up between plan and reservation; after so many plans that is the answer. */
const plans = 8;

/** The steps of migrations that touch MongoDB alone. */
export const movingActivities = ({ store, settings }: Pick<StepPorts, 'store' | 'settings'>) => ({
  beginMigration: (input: StepInput) =>
    begin(store, input, async (operation): Promise<{ vm: number } | null> => {
      const vm = await store.vms.find(operation.resource.id);
      return vm?.operation === operation._id && vm.wanted === null ? { vm: vm._id } : null;
    }),

  /**
   * Takes the VM and reserves its place on another host of its cluster, then writes down that it goes there. What an earlier try has
   * reserved is its place; whatever else is reserved is given back when it is settled where it is.
   */
  async prepareMigration({ op, vm: id }: VmInput): Promise<MovePlan> {
    const operation = await store.operations.find(op);
    const [vm] = (await takeVms(store, op, await store.vms.byIds([id]))).filter(({ hold }) => hold?.op === op);
    if (!vm || !operation || !isMigration(operation))
      return { do: 'refused', why: `another operation has VM ${id} now` };
    const { host, live } = operation.input;
    if (hasMoved(vm, operation)) return { do: 'there' };
    const from = movesFrom(vm);
    if (vm.moving) {
      const isNew = vm.moving.epoch === vm.epoch && vm.moving.from === from;
      return isNew
        ? { do: 'move', to: vm.moving.hostname, steps: vmMoves[vm.moving.from].steps(live) }
        : { do: 'settle' };
    }
    if (from === undefined) return { do: 'refused', why: vm.reason ?? `VM ${id} is ${vmStateName(vm)}` };
    return sentAway(store, vm, { host, from, live }, settings.placement);
  },

  /** Before each step the hold is taken anew: what the step before may still do is stale then. False: somebody else is to have the VM. */
  holdForMove: async ({ op, vm }: VmInput): Promise<boolean> => (await store.vms.renew(op, vm)) !== null,

  /** Why the VM is not where this step was to lead; null: it is. */
  async moveFailure({ vm: id, verb }: { vm: number; verb: MoveVerb }): Promise<string | null> {
    const vm = await store.vms.find(id);
    if (!vm) return 'it is not there any more';
    if (arrivesBy(verb) ? !vm.moving && vm.lcm_state !== 'UNKNOWN' : isAfter(verb, vm)) return null;
    return vm.reason ?? (await silenceOf(store, vm)) ?? `it is ${vmStateName(vm).replace('ACTIVE/', '')}`;
  },

  async hasMigrated({ op, vm: id }: VmInput): Promise<boolean> {
    const [operation, vm] = await Promise.all([store.operations.find(op), store.vms.find(id)]);
    return operation !== null && vm !== null && hasMoved(vm, operation);
  },
});

type MoveWish = { host: number | null; from: Moving['from']; live: boolean };

/**
 * Reserves what the VM needs on another host of its cluster, and writes down that it goes there; or says why there is none. `host`: that
 * one, whatever the VM requires.
 */
async function sentAway(
  store: Store,
  vm: WorkVm,
  { host, from, live }: MoveWish,
  settings: StepPorts['settings']['placement'],
): Promise<MovePlan> {
  const refused = (why: string): MovePlan => ({ do: 'refused', why });
  const here = placeOf(vm)?.hid;
  const wish = host === null ? wishOf(vm) : wishOn(vm);
  const { tied } = wish;
  for (let round = 0; round < plans; round++) {
    const all = await store.hosts.snapshot();
    const cluster = all.find(({ id }) => id === here)?.cluster;
    const others = all.filter(({ id }) => id !== here && (host === null || id === host));
    const near = others.filter((one) => one.cluster?.id === cluster?.id);
    const [named] = host === null ? [] : others;
    if (named && near.length === 0)
      return refused(`host ${named.name} is in cluster ${named.cluster?.name}, and VM ${vm._id} in ${cluster?.name}`);
    const siblings = tied ? withoutOne(await siblingsIn(store, [tied.service]), tied, here) : [];
    const { placed, unplaced } = await inSlices(
      planning(near, [wish], settings, { siblings, datastores: await datastoresFor(store, [vm]) }),
    );
    const [place] = placed;
    const target = near.find(({ id }) => id === place?.host);
    if (!place || !target) return refused(unplaced[0]?.reason ?? 'there is no other host');
    const { id: hid, name: hostname, vm_mad } = target;
    const moving: Moving = { hid, hostname, vm_mad, placed: place.record, epoch: vm.epoch, from };
    const departed = await store.relocations.depart({
      move: { vm, event: vmMoves[from].settled, set: { moving } },
      to: { vm: vm._id, host: hid, capacity: vm.capacity },
      // What it may not share a host with forbids it, wherever it is sent.
      tied: wishOf(vm).tied,
    });
    if (departed === 'leaves') return { do: 'move', to: hostname, steps: vmMoves[from].steps(live) };
    if (departed === 'taken') return refused(`another operation has VM ${vm._id} now`);
    if (departed === 'bound')
      return refused(`VMs of service ${wishOf(vm).tied?.service} that it must not be with have come to its new host`);
  }
  return refused('hosts fill up faster than they are asked: try it again');
}

/** Whether a host of its cluster would take the VM now. */
export const hasPlaceElsewhere = async (...asked: Parameters<typeof whyNoPlaceElsewhere>): Promise<boolean> =>
  (await whyNoPlaceElsewhere(...asked)) === null;

/** Why no other host of its cluster would take the VM now; null: one would. */
export async function whyNoPlaceElsewhere(
  store: Store,
  vm: WorkVm,
  settings: StepPorts['settings']['placement'],
): Promise<string | null> {
  const here = placeOf(vm)?.hid;
  const all = await store.hosts.snapshot();
  const cluster = all.find(({ id }) => id === here)?.cluster;
  const near = all.filter((one) => one.id !== here && one.cluster?.id === cluster?.id);
  const wish = wishOf(vm);
  const { tied } = wish;
  const siblings = tied ? withoutOne(await siblingsIn(store, [tied.service]), tied, here) : [];
  const { placed, unplaced } = await inSlices(
    planning(near, [wish], settings, { siblings, datastores: await datastoresFor(store, [vm]) }),
  );
  return placed.length > 0 ? null : (unplaced[0]?.reason ?? 'there is no other host');
}

/** Of its own place nothing is said of where it may go. */
function withoutOne(siblings: readonly Sibling[], { service, role }: { service: number; role: string }, host?: number) {
  const own = siblings.findIndex((one) => one.service === service && one.role === role && one.host === host);
  return siblings.filter((_, at) => at !== own);
}

/** What a VM on its way has reserved on the host that it leaves, and on the one that it goes to. */
const whereItWas = (vm: WorkVm): Reservation[] => reservationsOf({ ...vm, moving: null });
const whereItWasToGo = (vm: WorkVm): Reservation[] => (vm.moving ? reservationsOf({ ...vm, history: [] }) : []);

/** The steps of migrations at hypervisors. */
export const movingSteps = ({ store, hypervisors, engine }: StepPorts) => ({
  /** One step on the way of VMs to their new hosts, as its verb says. After the one that brings them there, that is their host. */
  async moveVms({ op, vms, verb }: VmBatch & { verb: MoveVerb }): Promise<BatchOutcome> {
    const hosts = hostTargets(store);
    const arrives = arrivesBy(verb);
    const outcome = await eachVm(store.vms, op, vms, {
      verb,
      goesOn: verb === 'save' || verb === 'move',
      prepare: hosts.read,
      work: async (vm, signal) => {
        const host = placeIn(hosts, vm);
        const adapter = adapterFor(verb, host, hypervisors);
        const target = placed(vm, host);
        if (verb === 'save') await adapter.suspend(target, signal);
        else if (verb === 'restart') await adapter.resume(target, signal);
        else {
          if (!vm.moving) throw new Problem('wrong_state', `VM ${vm._id} is to go nowhere.`);
          const to = hosts.of(vm.moving.hid);
          await adapter[verb === 'migrate' ? 'migrate' : 'move']({ ...target, to }, signal);
        }
        return {};
      },
      ...(arrives && {
        left: ({ history, moving, resched }, at) =>
          moving
            ? { history: arrival(history, moving, at), moving: null, snapshots: [], ...(resched && { resched: null }) }
            : {},
        write: (moves) =>
          store.relocations.settle(
            moves.map((move) => ({ move, left: move.set?.moving === null ? whereItWas(move.vm) : [] })),
          ),
      }),
    });
    if (!arrives) return outcome;
    if (outcome.done.length > 0 && (await store.vms.anyWaiting())) await engine.signalPlacement();
    return outcome;
  },

  /**
   * After a migration that did not come to its end: sees on which of the two hosts the VM is, has it be there what it was, and gives the
   * other place back. First where it was: a call under a new epoch, which changes nothing, keeps what is still on its way from moving
   * it. A host that its administrators have given up, and that does not answer, counts as one that has nothing.
   */
  async settleMove({ op, vms: [id = -1] }: VmBatch): Promise<void> {
    const { cancellationSignal: signal } = Context.current();
    await takeVms(store, op, await store.vms.byIds([id]));
    const vm = await store.vms.renew(op, id);
    if (!vm) return;
    const from = vm.moving?.from ?? (vm.lcm_state === 'BOOT_MIGRATE' ? 'running' : null);
    if (from === null) return;
    const { fence, settled } = vmMoves[from];
    const hosts = hostTargets(store);
    await hosts.read([vm]);
    const on = (hid: number) => fenced(hypervisors, hosts.of(hid), vm, fence, signal);
    const here = await on(placeOf(vm)?.hid ?? -1);
    const there = here === null && vm.moving ? await on(vm.moving.hid) : null;
    const found = here ?? there;
    const isAsItWas =
      from === 'off' || found?.state === (from === 'running' ? 'running' : 'suspended') || found?.state === 'booting';
    const event = isAsItWas ? settled : 'lose';
    const reason = isAsItWas ? null : found ? `it is ${found.state}` : 'it was lost on its way to another host';
    const hasArrived = here === null && there !== null;
    const history =
      hasArrived && vm.moving
        ? { history: arrival(vm.history, vm.moving, new Date()), snapshots: [], ...(vm.resched && { resched: null }) }
        : {};
    const move = { vm, event, set: { reason, moving: null, ...history }, release: true };
    await store.relocations.settle([{ move, left: hasArrived ? whereItWas(vm) : whereItWasToGo(vm) }]);
    if (await store.vms.anyWaiting()) await engine.signalPlacement();
  },
});
