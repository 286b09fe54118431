import type { DestroyTarget, Hypervisor, PlacedVm, StoreTarget } from '../../adapters/hypervisor/port.js';
import type { Among } from '../../domain/among.js';
import { Problem, problemOf } from '../../domain/problems.js';
import { endStay, placesOf } from '../../domain/vms/stays.js';
import { disksAway } from '../../domain/vms/vm-devices.js';
import { isSnapshotVerb, type SnapshotDeed, type SnapshotVerb, snapshotsAfter } from '../../domain/vms/vm-snapshots.js';
import type { SwitchVerb } from '../../domain/vms/vm-switches.js';
import { vmVerbs } from '../../domain/vms/vm-verbs.js';
import type { StepPorts } from '../ports.js';
import { adapterFor, hostTargets, placed, placeIn, reservationsOf, toStart } from './at-hosts.js';
import { makeDisks } from './disks.js';
import { type BatchOutcome, eachVm } from './each-vm.js';
import { tellGuest } from './guests.js';
import { discardStored, memoryOf } from './kept-memory.js';
import type { Unbrought } from './needed-copies.js';
import { tellSettled } from './settled-roles.js';
import { discarding, merged, resumeStopped, saveToStop, together } from './stopping.js';
import { wakeService } from './wake-service.js';

/**
 * `role`: of a service's batch, for whoever reads the list of steps. `batch`: of one of several roles, the number by which
 * its run knows it, and `among` which they are, for that reader.
 */
export type VmBatch = { op: string; role?: string; vms: number[]; batch?: number; among?: Among };

/** The steps that touch hypervisors. Each takes up to about fifty VMs that the operation holds, wherever they are. */
export const vmActivities = (ports: StepPorts) => {
  const { store, hypervisors, storages, engine } = ports;
  const remove = removal(ports);
  return {
    /**
     * PROLOG → BOOT → RUNNING, but for those of which images are to be brought first. `unbrought`: that was tried, and what could not be brought: none is left out any
     * more.
     */
    async bootVms({ op, vms: all, batch, unbrought }: VmBatch & { unbrought?: Unbrought[] }): Promise<BatchOutcome> {
      const stopped = await store.vms.comingBack(all);
      const {
        rest: vms,
        lost,
        bring,
      } = await makeDisks(
        ports,
        op,
        all.filter((vm) => !stopped.includes(vm)),
        unbrought,
      );
      const hosts = hostTargets(store);
      let contents: ReadonlyMap<number, () => PlacedVm['template']> = new Map();
      // Of roles whose VMs are not all in it this batch would say too much.
      const watch = stopped.length > 0 || lost || bring.length > 0 ? undefined : tellSettled(engine, batch);
      const boot = () =>
        eachVm(store.vms, op, vms, {
          ...(watch && { watch }),
          verb: 'boot',
          prepare: async (entering) => {
            const ids = entering.map(({ _id }) => _id);
            [contents] = await Promise.all([store.vms.contentsOf(ids), hosts.read(entering)]);
          },
          work: async (vm, signal) => {
            const target = placeIn(hosts, vm);
            if (vm.adopts)
              throw new Problem('deploy_refused', `VM ${vm._id} was to be imported. Terminate it, and import again.`);
            const told = await tellGuest(ports, vm, signal);
            const domain = await adapterFor('boot', target, hypervisors).deploy(
              { ...toStart(storages, vm, target), ...told, template: contents.get(vm._id)?.() ?? {} },
              signal,
            );
            await discardStored(ports, vm, signal);
            // It was made anew with what it has: whatever was in doubt before is not any more.
            return {
              ...{ deploy_id: domain.deployId, ...(vm.device_change?.open && { device_change: null }) },
              ...(vm.stored && { stored: null }),
            };
          },
        });
      const booted = await together(
        ...(stopped.length > 0 ? [resumeStopped(ports, op, stopped)] : []),
        ...(vms.length > 0 ? [boot()] : []),
      );
      const outcome = lost ? merged(lost, booted) : booted;
      return bring.length > 0 ? { ...outcome, bring } : outcome;
    },

    /** → SHUTDOWN → DONE: no domain is left, and what it had reserved is free again. */
    destroyVms: ({ op, vms, batch, hard }: VmBatch & { hard: boolean }): Promise<BatchOutcome> =>
      remove({ op, vms, ...(batch !== undefined && { batch }), hard }, 'remove'),

    /** Switched off or over, as the verb says, at its host; of one that leaves that, what it had reserved is free again. */
    async switchVms({
      op,
      vms,
      ...way
    }: VmBatch & { verb: SwitchVerb; hard: boolean; snapshot?: SnapshotDeed }): Promise<BatchOutcome> {
      const saved = way.verb === 'store' ? await saveToStop(ports, op, vms) : vms;
      return switching(ports, { op, vms: saved, ...way });
    },

    /** BOOT_SUSPENDED → RUNNING: from what was saved on its host. */
    async restoreVms({ op, vms }: VmBatch): Promise<BatchOutcome> {
      const hosts = hostTargets(store);
      return eachVm(store.vms, op, vms, {
        verb: 'restore',
        prepare: hosts.read,
        work: async (vm, signal) => {
          const target = placeIn(hosts, vm);
          await adapterFor('restore', target, hypervisors).resume(placed(vm, target), signal);
          await discardStored(ports, vm, signal);
          return vm.stored ? { stored: null } : {};
        },
      });
    },

    /** → SHUTDOWN → PENDING: the same of VMs that begin anew. */
    clearVms: ({ op, vms }: VmBatch): Promise<BatchOutcome> => remove({ op, vms, hard: true }, 'clear'),
  };
};

function removal(ports: StepPorts) {
  const { store, hypervisors, engine } = ports;
  return async (
    { op, vms: all, batch, hard }: VmBatch & { hard: boolean },
    verb: 'remove' | 'clear',
  ): Promise<BatchOutcome> => {
    const { away, placed: apart } = await store.vms.keptApart(all);
    const vms = all.filter((vm) => !away.includes(vm) && !apart.includes(vm));
    const hosts = hostTargets(store);
    const losing = new Set<number>();
    const watch = vms.length < all.length ? undefined : tellSettled(engine, batch);
    const destroy = (those: readonly number[], by: 'remove' | 'clear' | 'vacate') =>
      eachVm(store.vms, op, those, {
        ...(watch && { watch }),
        verb: by,
        goesOn: by === 'vacate',
        prepare: hosts.read,
        work: async (vm, signal) => {
          // First where it was: from a host that has heard this, nothing comes to the other any more.
          for (const { hid } of placesOf(vm)) {
            const target = hosts.of(hid);
            const adapter = adapterFor(by, target, hypervisors);
            const at = placed(vm, target);
            // Nothing is left of it where power was cut.
            if (target.fenced) continue;
            // What was to be imported, and is not yet, is not its own.
            await destroyed(vm.adopts ? adapter.disown(at, signal) : adapter.destroy({ ...at, hard }, signal), target);
          }
          await discardStored(ports, vm, signal);
          return { deploy_id: null, ...(vm.stored && { stored: null }) };
        },
        left: (vm, at) => ({
          ...(by === 'remove' && { ended_at: at }),
          ...(vm.moving && { moving: null }),
          ...(vm.resched && { resched: null }),
          ...disksAway(vm),
          history: endStay(vm.history, 'user', at),
        }),
        // Before the VM is DONE: a try that dies in between comes back to a VM that is not, and gives them back again.
        before: async (gone) => {
          for (const vm of gone) if (by !== 'vacate' && vm.service && vm.operation === op) losing.add(vm.service.id);
          await store.hosts.release(gone.flatMap(reservationsOf));
        },
      });
    const vacate = async (): Promise<BatchOutcome> => {
      const { done, ...lost } = await destroy(apart, 'vacate');
      return merged({ done: [], ...lost }, await discarding(ports, op, done, verb));
    };
    const removed = await together(
      ...(away.length > 0 ? [discarding(ports, op, away, verb)] : []),
      ...(apart.length > 0 ? [vacate()] : []),
      ...(vms.length > 0 ? [destroy(vms, verb)] : []),
    );
    for (const service of losing) await wakeService({ store, engine }, service);
    if (removed.done.length > 0 && (await store.vms.anyWaiting())) await engine.signalPlacement();
    return removed;
  };
}

/** What each switch does at the VM's host. */
const atHost: Record<
  Exclude<SwitchVerb, SnapshotVerb>,
  (on: Hypervisor, vm: DestroyTarget & StoreTarget, signal: AbortSignal) => Promise<void>
> = {
  poweroff: (on, vm, signal) => on.poweroff(vm, signal),
  reboot: (on, vm, signal) => on.reboot(vm, signal),
  suspend: (on, vm, signal) => on.suspend(vm, signal),
  store: (on, vm, signal) => on.store(vm, signal),
  undeploy: (on, vm, signal) => on.destroy(vm, signal),
};

async function switching(
  ports: StepPorts,
  {
    op,
    vms,
    verb,
    hard,
    snapshot,
  }: { op: string; vms: number[]; verb: SwitchVerb; hard: boolean; snapshot?: SnapshotDeed },
): Promise<BatchOutcome> {
  const { store, hypervisors, storages, engine } = ports;
  const hosts = hostTargets(store);
  const leaves = verb === 'undeploy' || verb === 'store';
  const outcome = await eachVm(store.vms, op, vms, {
    verb,
    prepare: hosts.read,
    work: async (vm, signal) => {
      const target = placeIn(hosts, vm);
      if (isSnapshotVerb(verb)) {
        if (!snapshot) throw new Problem('action_refused', 'No snapshot was named.');
        await adapterFor(verb, target, hypervisors)[vmVerbs[verb].call]({ ...placed(vm, target), snapshot }, signal);
        return snapshotsAfter(verb, vm, snapshot, { op, at: new Date() });
      }
      const memory = memoryOf(storages, vm, target.vm_mad);
      await atHost[verb](adapterFor(verb, target, hypervisors), { ...placed(vm, target), hard, memory }, signal);
      // Whatever was asked of it as it ran is over.
      if (verb === 'undeploy') await discardStored(ports, vm, signal);
      return {
        // What is stored of it is that very domain.
        ...(verb === 'undeploy' && { deploy_id: null, ...(vm.stored && { stored: null }) }),
        ...(vm.resched && { resched: null }),
      };
    },
    ...(leaves && {
      left: (vm, at) => ({
        ...(verb === 'undeploy' && disksAway(vm)),
        history: endStay(vm.history, 'user', at),
      }),
      before: async (away) => {
        await store.hosts.release(away.flatMap(reservationsOf));
      },
    }),
  });
  if (leaves && outcome.done.length > 0 && (await store.vms.anyWaiting())) await engine.signalPlacement();
  return outcome;
}

/** On a host that administrators have taken offline, and that does not answer, nothing of a VM counts any more. */
async function destroyed(call: Promise<void>, { off }: { off: boolean }): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!off || problemOf(error)?.code !== 'backend_unavailable') throw error;
  }
}
