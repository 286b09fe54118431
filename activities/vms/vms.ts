import { targetOf } from '../../adapters/hypervisor/host-target.js';
import type { DestroyTarget, HostTarget, Hypervisor, PlacedVm } from '../../adapters/hypervisor/port.js';
import type { Among } from '../../domain/among.js';
import { domainName } from '../../domain/operations/names.js';
import { Problem, problemOf } from '../../domain/problems.js';
import { endStay, placeOf } from '../../domain/vms/stays.js';
import type { SwitchVerb } from '../../domain/vms/vm-switches.js';
import { type VmVerb, vmCalls, vmVerbs } from '../../domain/vms/vm-verbs.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { Store } from '../../store/store.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { StepPorts } from '../ports.js';
import { type BatchOutcome, eachVm } from './each-vm.js';
import { tellSettled } from './settled-roles.js';
import { wakeService } from './wake-service.js';

/**
 * `role`: of a service's batch, for whoever reads the list of steps. `batch`: of one of several roles, the number by which
 * its run knows it, and `among` which they are, for that reader.
 */
export type VmBatch = { op: string; role?: string; vms: number[]; batch?: number; among?: Among };

/** The steps that touch hypervisors. Each takes up to about fifty VMs that the operation holds, wherever they are. */
export const vmActivities = (ports: StepPorts) => {
  const { store, hypervisors, engine } = ports;
  const remove = removal(ports);
  return {
    /** PROLOG → BOOT → RUNNING. */
    async bootVms({ op, vms, batch }: VmBatch): Promise<BatchOutcome> {
      const hosts = hostTargets(store);
      let contents: ReadonlyMap<number, () => PlacedVm['template']> = new Map();
      const watch = tellSettled(engine, batch);
      return eachVm(store.vms, op, vms, {
        ...(watch && { watch }),
        verb: 'boot',
        prepare: async (entering) => {
          const ids = entering.map(({ _id }) => _id);
          [contents] = await Promise.all([store.vms.contentsOf(ids), hosts.read(entering)]);
        },
        work: async (vm, signal) => {
          const target = placeIn(hosts, vm);
          const domain = await adapterFor('boot', target, hypervisors).deploy(
            { ...placed(vm, target), template: contents.get(vm._id)?.() ?? {} },
            signal,
          );
          return { deploy_id: domain.deployId };
        },
      });
    },

    /** → SHUTDOWN → DONE: no domain is left, and what it had reserved is free again. */
    destroyVms: ({ op, vms, batch, hard }: VmBatch & { hard: boolean }): Promise<BatchOutcome> =>
      remove({ op, vms, ...(batch !== undefined && { batch }), hard }, 'remove'),

    /** Switched off or over, as the verb says, at its host; of one that leaves that, what it had reserved is free again. */
    switchVms: ({ op, vms, verb, hard }: VmBatch & { verb: SwitchVerb; hard: boolean }): Promise<BatchOutcome> =>
      switching(ports, { op, vms, verb, hard }),

    /** BOOT_SUSPENDED → RUNNING: from what was saved on its host. */
    async restoreVms({ op, vms }: VmBatch): Promise<BatchOutcome> {
      const hosts = hostTargets(store);
      return eachVm(store.vms, op, vms, {
        verb: 'restore',
        prepare: hosts.read,
        work: async (vm, signal) => {
          const target = placeIn(hosts, vm);
          await adapterFor('restore', target, hypervisors).resume(placed(vm, target), signal);
          return {};
        },
      });
    },

    /** → SHUTDOWN → PENDING: the same of VMs that begin anew. */
    clearVms: ({ op, vms }: VmBatch): Promise<BatchOutcome> => remove({ op, vms, hard: true }, 'clear'),
  };
};

function removal({ store, hypervisors, engine }: StepPorts) {
  return async (
    { op, vms, batch, hard }: VmBatch & { hard: boolean },
    verb: 'remove' | 'clear',
  ): Promise<BatchOutcome> => {
    const hosts = hostTargets(store);
    const losing = new Set<number>();
    const watch = tellSettled(engine, batch);
    const outcome = await eachVm(store.vms, op, vms, {
      ...(watch && { watch }),
      verb,
      prepare: hosts.read,
      work: async (vm, signal) => {
        const stay = placeOf(vm);
        if (stay) {
          const target = hosts.of(stay.hid);
          await destroyed(
            adapterFor(verb, target, hypervisors).destroy({ ...placed(vm, target), hard }, signal),
            target,
          );
        }
        return { deploy_id: null };
      },
      left: (vm, at) => ({ ...(verb === 'remove' && { ended_at: at }), history: endStay(vm.history, 'user', at) }),
      // Before the VM is DONE: a try that dies in between comes back to a VM that is not, and gives them back again.
      before: async (gone) => {
        for (const vm of gone) if (vm.service && vm.operation === op) losing.add(vm.service.id);
        await store.hosts.release(gone.flatMap(reservationOf));
      },
    });
    for (const service of losing) await wakeService({ store, engine }, service);
    if (outcome.done.length > 0 && (await store.vms.anyWaiting())) await engine.signalPlacement();
    return outcome;
  };
}

type Hosts = ReturnType<typeof hostTargets>;

/** What each switch does at the VM's host. */
const atHost: Record<SwitchVerb, (on: Hypervisor, vm: DestroyTarget, signal: AbortSignal) => Promise<void>> = {
  poweroff: (on, vm, signal) => on.poweroff(vm, signal),
  reboot: (on, vm, signal) => on.reboot(vm, signal),
  suspend: (on, vm, signal) => on.suspend(vm, signal),
  undeploy: (on, vm, signal) => on.destroy(vm, signal),
};

async function switching(
  { store, hypervisors, engine }: StepPorts,
  { op, vms, verb, hard }: { op: string; vms: number[]; verb: SwitchVerb; hard: boolean },
): Promise<BatchOutcome> {
  const hosts = hostTargets(store);
  const leaves = verb === 'undeploy';
  const outcome = await eachVm(store.vms, op, vms, {
    verb,
    prepare: hosts.read,
    work: async (vm, signal) => {
      const target = placeIn(hosts, vm);
      await atHost[verb](adapterFor(verb, target, hypervisors), { ...placed(vm, target), hard }, signal);
      return leaves ? { deploy_id: null } : {};
    },
    ...(leaves && {
      left: (vm, at) => ({ history: endStay(vm.history, 'user', at) }),
      before: async (away) => {
        await store.hosts.release(away.flatMap(reservationOf));
      },
    }),
  });
  if (leaves && outcome.done.length > 0 && (await store.vms.anyWaiting())) await engine.signalPlacement();
  return outcome;
}

/** The host that a VM is on. */
function placeIn(hosts: Hosts, vm: WorkVm): ReturnType<Hosts['of']> {
  const stay = placeOf(vm);
  if (!stay) throw new Problem('wrong_state', `VM ${vm._id} has no host.`);
  return hosts.of(stay.hid);
}

function reservationOf(vm: WorkVm): { vm: number; host: number; capacity: WorkVm['capacity'] }[] {
  const stay = placeOf(vm);
  return stay ? [{ vm: vm._id, host: stay.hid, capacity: vm.capacity }] : [];
}

/** The adapter of a host. Throws what its refusal would be where its kind of hypervisor cannot do this at all. */
function adapterFor(verb: VmVerb, target: HostTarget, hypervisors: StepPorts['hypervisors']): Hypervisor {
  const adapter = hypervisors.of(target);
  const { call } = vmVerbs[verb];
  if (adapter.can[call]) return adapter;
  throw new Problem(vmCalls[call].refused, `${target.name}: ${target.vm_mad} hypervisors cannot ${call} VMs.`);
}

/** On a host that administrators have taken offline, and that does not answer, nothing of a VM counts any more. */
async function destroyed(call: Promise<void>, { state }: Pick<Host, 'state'>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (state !== 'OFFLINE' || problemOf(error)?.code !== 'backend_unavailable') throw error;
  }
}

/** The hosts of a batch, read at once. */
function hostTargets(store: Store) {
  const known = new Map<number, HostTarget & Pick<Host, 'state'>>();
  return {
    async read(vms: readonly WorkVm[]): Promise<void> {
      const ids = new Set(vms.flatMap((vm) => placeOf(vm)?.hid ?? []));
      for (const host of await store.hosts.byIds([...ids])) {
        known.set(host._id, { ...targetOf(host), state: host.state });
      }
    },
    of(id: number): HostTarget & Pick<Host, 'state'> {
      const host = known.get(id);
      if (!host) throw new Problem('not_found', `Host ${id} does not exist any more.`);
      return host;
    },
  };
}

const placed = (vm: WorkVm, host: HostTarget): Omit<PlacedVm, 'template'> => ({
  id: vm._id,
  domain: domainName(vm._id),
  host,
  capacity: vm.capacity,
  epoch: vm.epoch,
  labels: { vm: vm._id, ...(vm.service && { service: vm.service.id, role: vm.service.role }) },
});
