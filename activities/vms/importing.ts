import { Context } from '@temporalio/activity';
import { Problem, problemOf } from '../../domain/problems.js';
import { importedEvent } from '../../domain/vms/importing.js';
import { vmCalls } from '../../domain/vms/vm-verbs.js';
import { begin, type StepInput } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { hostTargets, placed, placeIn } from './at-hosts.js';
import { takeVms } from './taking.js';
import type { VmInput } from './vm-operations.js';
import type { VmBatch } from './vms.js';

/** `there`: the VM has the domain for good; `gone`: somebody else sees to it, or it has ended; `give`: the domain is to be given back. */
type GivingUp = 'there' | 'gone' | 'give';

/** The steps of imports that touch MongoDB alone. */
export const importingActivities = ({ store }: Pick<StepPorts, 'store'>) => {
  return {
    beginImport: (input: StepInput) =>
      begin(store, input, async (operation): Promise<{ vm: number } | null> => {
        const { _id: op, resource } = operation;
        const vm = await store.vms.find(resource.id);
        if (vm?.operation !== op || vm.wanted !== null) return null;
        const [taken] = await takeVms(store, op, await store.vms.byIds([vm._id]));
        return taken?.hold?.op === op ? { vm: vm._id } : null;
      }),

    /** Takes the VM anew: whatever still adopts for it is late from then on. */
    async giveUpImport({ op, vm: id }: VmInput): Promise<GivingUp> {
      const [vm] = await store.vms.byIds([id]);
      if (!vm || vm.state === 'DONE') return 'gone';
      if (!vm.adopts) return 'there';
      return (await store.vms.renew(op, id)) ? 'give' : 'gone';
    },
  };
};

/** Those at hypervisors. */
export const importingSteps = ({ store, hypervisors }: Pick<StepPorts, 'store' | 'hypervisors'>) => {
  const atHost = async ({ op, vms }: VmBatch) => {
    const [vm] = await store.vms.byIds(vms);
    if (vm?.hold?.op !== op || !vm.adopts || vm.state === 'DONE') return null;
    const hosts = hostTargets(store);
    await hosts.read([vm]);
    const target = placeIn(hosts, vm);
    return { vm, wild: vm.adopts.wild, target, adapter: hypervisors.of(target) };
  };
  return {
    /** The domain is that of the VM, which then is what that does. Returns false when somebody else has the VM. */
    async adoptDomain(batch: VmBatch): Promise<boolean> {
      const { cancellationSignal: signal } = Context.current();
      const [known] = await store.vms.byIds(batch.vms);
      if (known && known.state !== 'DONE' && !known.adopts) return true;
      const found = await atHost(batch);
      if (!found) return false;
      const { vm, wild, target, adapter } = found;
      if (!adapter.can.adopt)
        throw new Problem(
          vmCalls.adopt.refused,
          `${target.name}: ${target.vm_mad} hypervisors cannot ${vmCalls.adopt.does}.`,
        );
      const does = await adapter
        .adopt({ ...placed(vm, target), deployId: wild.deploy_id, from: wild.installation ?? null }, signal)
        .catch((error: unknown) => {
          if (problemOf(error)?.code === 'stale_epoch') return null;
          throw error;
        });
      if (does === null) return false;
      const history = vm.history.map((stay, at) =>
        at === vm.history.length - 1 ? { ...stay, epoch: vm.epoch } : stay,
      );
      const set = { reason: null, adopts: null, history };
      return (await store.vms.transition([{ vm, event: importedEvent(does), set, release: true }])).has(vm._id);
    },

    /** The domain is again whose it was. */
    async disownDomain(batch: VmBatch): Promise<void> {
      const found = await atHost(batch);
      await found?.adapter.disown(placed(found.vm, found.target), Context.current().cancellationSignal);
    },
  };
};
