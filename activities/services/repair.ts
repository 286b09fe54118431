import { Context } from '@temporalio/activity';
import { targetOf } from '../../adapters/hypervisor/host-target.js';
import { isOff, isSilent } from '../../domain/hosts/host-states.js';
import { problemOf } from '../../domain/problems.js';
import { belongs } from '../../domain/services/service-health.js';
import { judgeSighting, type Sighted } from '../../domain/vms/sightings.js';
import { placeOf } from '../../domain/vms/stays.js';
import { batchesOf } from '../../domain/vms/vm-batches.js';
import type { VmMove } from '../../store/vms/vm-transitions.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { begin, type StepInput } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { takeVms } from '../vms/taking.js';
import type { VmBatch } from '../vms/vms.js';
import { planOf } from './deployment.js';
import { enterRole } from './role-vms.js';
import type { RoleInput } from './roles-input.js';

/** What was found of VMs whose state was not known: those that run do so again; of `silent` the host does not answer, and may one day. */
export type Found = { silent: number[] };

async function onSilentHosts(store: StepPorts['store'], vms: readonly WorkVm[]): Promise<WorkVm[]> {
  const hosts = await store.hosts.byIds([...new Set(vms.flatMap((vm) => placeOf(vm)?.hid ?? []))]);
  const silent = new Set(hosts.filter(isSilent).map(({ _id }) => _id));
  return vms.filter((vm) => silent.has(placeOf(vm)?.hid ?? -1));
}

/** The steps of a repair that touch MongoDB alone; the rest is as in a deployment. */
export const repairActivities = ({ store }: Pick<StepPorts, 'store'>) => ({
  /** Claims the operation. Roles with which nothing is amiss are `up`. */
  beginRepair: (input: StepInput) => begin(store, input, (operation) => planOf(store, operation, input.run)),

  /**
   * Takes a role and those of its VMs whose state is not known, and of those that have to be on one host with them and
   * whose host is silent: they are left behind together, or the first that is replaced would have to go where the others
   * were. null: somebody who pre-empts wants the service.
   */
  async takeLost(input: RoleInput): Promise<number[][] | null> {
    if (!(await enterRole(store, input))) return null;
    const { op, service: id, role: name } = input;
    const own = (await store.vms.ofService(id, [name])).filter((vm) => belongs(vm) && vm.lcm_state === 'UNKNOWN');
    const lost = [...own, ...(await onSilentHosts(store, (await store.vms.unknownWith(id, name)).filter(belongs)))];
    const ours = (await takeVms(store, op, lost)).filter((vm) => vm.hold?.op === op);
    return batchesOf(ours.map((vm) => vm._id));
  },

  /**
   * VMs on hosts that do not answer are no longer their role's: others are made in their place. Each is terminated when its
   * host answers; until then nothing that it may still do counts, for its epoch is past.
   */
  async leaveBehind({ op, vms: ids }: VmBatch): Promise<void> {
    const [operation, vms] = await Promise.all([store.operations.find(op), store.vms.byIds(ids)]);
    if (!operation) return;
    for (const vm of vms) await store.terminations.await(vm, operation, placeOf(vm)?.hostname ?? 'nowhere');
  },
});

/** The steps of a repair at hypervisors. */
export const findingActivities = ({ store, hypervisors }: Pick<StepPorts, 'store' | 'hypervisors'>) => ({
  /**
   * Asks the hosts of VMs whose state is not known. Those that run are RUNNING, and let go of. A host that monitoring finds
   * silent too is taken at its word; one that only now does not answer is asked again. What was on one that is OFFLINE or fenced, and does
   * not answer, is gone: it is removed with what failed, so that what takes its place has its addresses and images.
   */
  async findVms({ op, vms: ids }: VmBatch): Promise<Found> {
    const { cancellationSignal: signal } = Context.current();
    const held = (await store.vms.byIds(ids)).filter((vm) => vm.hold?.op === op && vm.lcm_state === 'UNKNOWN');
    const hosts = await store.hosts.byIds([...new Set(held.flatMap((vm) => placeOf(vm)?.hid ?? []))]);
    const heard = new Map(
      await Promise.all(
        hosts.map(async (host): Promise<[number, Sighted]> => {
          const { _id, name, state } = host;
          const target = targetOf(host);
          try {
            const { domains } = await hypervisors.of(target).probe(target, signal);
            return [_id, { name, domains: new Map(domains.map((domain) => [domain.vm, domain])) }];
          } catch (error) {
            const problem = problemOf(error);
            if (signal.aborted || !problem || !isSilent(host)) throw error;
            return [_id, { name, error: problem.message, was: state }];
          }
        }),
      ),
    );
    const judged = held.map((vm) => ({ vm, host: heard.get(placeOf(vm)?.hid ?? -1) }));
    const runs = judged.filter(({ vm, host }) => host && isFoundRunning(vm, host));
    await store.vms.transition(
      runs.map(({ vm }): VmMove => ({ vm, event: 'run', set: { reason: null }, release: true })),
    );
    const off = new Set(hosts.filter(isOff).map(({ _id }) => _id));
    return {
      silent: judged.flatMap(({ vm, host }) =>
        host && 'error' in host && !off.has(placeOf(vm)?.hid ?? -1) ? [vm._id] : [],
      ),
    };
  },
});

function isFoundRunning(vm: Parameters<typeof judgeSighting>[0], host: Sighted): boolean {
  const verdict = judgeSighting(vm, host);
  return verdict !== null && verdict !== 'clear' && verdict.event === 'run';
}
