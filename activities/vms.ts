import type { HostTarget, PlacedVm } from '../adapters/hypervisor/port.js';
import { domainName } from '../domain/names.js';
import { Problem } from '../domain/problems.js';
import { isVmGone, isVmRunning } from '../domain/vm-states.js';
import type { Vm } from '../schemas/vm.js';
import { allowance } from '../store/hosts.js';
import type { Store } from '../store/store.js';
import { endStay, placeOf } from '../store/vms.js';
import { type BatchOutcome, eachVm } from './each-vm.js';
import type { StepPorts } from './ports.js';

/** `role`: of a service's batch, for whoever reads the list of steps. */
export type VmBatch = { op: string; role?: string; vms: number[] };

/** The steps that touch hypervisors. Each takes up to about fifty VMs that the operation holds, wherever they are. */
export const vmActivities = ({ store, hypervisors, engine }: StepPorts) => ({
  /** PROLOG → BOOT → RUNNING. */
  async bootVms({ op, vms }: VmBatch): Promise<BatchOutcome> {
    const hosts = hostTargets(store);
    return eachVm(store.vms, op, vms, {
      enter: 'boot',
      leave: 'run',
      fail: 'fail_boot',
      isDone: isVmRunning,
      isAtWork: (vm) => vm.lcm_state === 'BOOT',
      prepare: hosts.read,
      work: async (vm, signal) => {
        const stay = placeOf(vm);
        if (!stay) throw new Problem('wrong_state', `VM ${vm._id} has no host.`);
        const target = hosts.of(stay.hid);
        const domain = await hypervisors.of(target).deploy(placed(vm, target), signal);
        return { deploy_id: domain.deployId };
      },
    });
  },

  /** → SHUTDOWN → DONE: no domain is left, and what it had reserved is free again. */
  async destroyVms({ op, vms, hard }: VmBatch & { hard: boolean }): Promise<BatchOutcome> {
    const hosts = hostTargets(store);
    const outcome = await eachVm(store.vms, op, vms, {
      enter: 'shutdown',
      leave: 'done',
      fail: 'fail_shutdown',
      isDone: isVmGone,
      isAtWork: (vm) => vm.lcm_state === 'SHUTDOWN',
      prepare: hosts.read,
      work: async (vm, signal) => {
        const stay = placeOf(vm);
        if (stay) {
          const target = hosts.of(stay.hid);
          await hypervisors.of(target).destroy({ ...placed(vm, target), hard }, signal);
        }
        return { deploy_id: null };
      },
      left: (vm, at) => ({ ended_at: at, history: endStay(vm.history, 'user', at) }),
      // Before the VM is DONE: a try that dies in between comes back to a VM that is not, and gives them back again.
      before: async (gone) => {
        await store.hosts.release(
          gone.flatMap((vm) => {
            const stay = placeOf(vm);
            return stay ? [{ vm: vm._id, host: stay.hid, capacity: vm.capacity }] : [];
          }),
        );
      },
    });
    if (outcome.done.length > 0 && (await store.vms.anyWaiting())) await engine.signalPlacement();
    return outcome;
  },
});

/** The hosts of a batch, read at once. */
function hostTargets(store: Store) {
  const known = new Map<number, HostTarget>();
  return {
    async read(vms: readonly Vm[]): Promise<void> {
      const ids = new Set(vms.flatMap((vm) => placeOf(vm)?.hid ?? []));
      for (const host of await store.hosts.byIds([...ids]))
        known.set(host._id, { name: host.name, vm_mad: host.vm_mad, total: allowance(host) });
    },
    of(id: number): HostTarget {
      const host = known.get(id);
      if (!host) throw new Problem('not_found', `Host ${id} does not exist any more.`);
      return host;
    },
  };
}

const placed = (vm: Vm, host: HostTarget): PlacedVm => ({
  id: vm._id,
  domain: domainName(vm._id),
  host,
  capacity: vm.capacity,
  epoch: vm.epoch,
  labels: { vm: vm._id, ...(vm.service && { service: vm.service.id, role: vm.service.role }) },
  template: vm.template,
});
