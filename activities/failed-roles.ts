import { nextRound, type Round, type Rounds } from '../domain/failure-policy.js';
import { belongs, missingOf } from '../domain/service-health.js';
import { isVmHealthy } from '../domain/vm-states.js';
import type { FailurePolicy } from '../schemas/service-template.js';
import { batchesOf } from './batches.js';
import { failureEntry, type RoleInput, type StaffedRole, staffOf } from './deployment.js';
import { endPending } from './place-vms.js';
import type { StepPorts } from './ports.js';
import { failVms, isOurs, takeVms } from './role-vms.js';

type RoundInput = Omit<RoleInput, 'step'> & { policy: FailurePolicy; used: Rounds; failure: string | null };

/** The steps of a deployment that deal with roles whose VMs failed, as their failure policy or a person says. */
export const failedRoleActivities = ({ store }: Pick<StepPorts, 'store'>) => ({
  /** What the policy says next. `failure`: why a batch failed as a whole; its VMs that were at work then say so. */
  async planRound({ op, service: id, role: name, policy, used, failure }: RoundInput): Promise<Round> {
    if (failure !== null) await failVms(store, op, id, name, failure);
    const found = await staffOf(store, id, name, (staff) => failedOf(staff) === 0);
    if (!found || found.service.operation !== op || found.service.wanted !== null) return { do: 'finish' };
    const failed = failedOf(found);
    const round = nextRound(policy, used, failed);
    await store.operations.note(op, name, round.do === 'finish' ? null : described(round, name, failed, policy));
    return round;
  },

  /**
   * The run ends and the operation waits, with no run open, for a person to say what becomes of these roles. Returns
   * false when there is nothing to ask any more: somebody who pre-empts wants the service.
   */
  askPerson: ({ op, run, roles }: { op: string; run: string; roles: string[] }): Promise<boolean> =>
    store.questions.ask({ op, run, roles }),

  /** Takes a role that is to go on without its failed VMs; returns those to remove. null: as startRole. */
  async startSkip({ op, service: id, role: name, step }: RoleInput): Promise<number[][] | null> {
    const taken = await store.services.takeRole({ service: id, role: name, op, step, event: 'deploy' });
    const service = taken ?? (await store.services.find(id));
    const role = service?.roles.find((candidate) => candidate.name === name);
    if (!service || !role || (!taken && !isOurs(service, role, op, step))) return null;
    const vms = await takeVms(store, op, (await store.vms.ofService(id, name)).filter(belongs));
    const ours = vms.filter((vm) => vm.hold?.op === op);
    await endPending(store, ours);
    return batchesOf(ours.filter((vm) => vm.state !== 'PENDING' && !isVmHealthy(vm)).map((vm) => vm._id));
  },

  /** RUNNING with the VMs that run, once the others are gone; else FAILED_DEPLOYING. Returns whether the role runs. */
  async finishSkip({
    op,
    service: id,
    role: name,
    step,
    failure,
  }: RoleInput & { failure: string | null }): Promise<boolean> {
    if (failure !== null) await failVms(store, op, id, name, failure);
    const its = (await store.vms.ofService(id, name)).filter(belongs);
    const others = its.filter((vm) => !isVmHealthy(vm)).length;
    const at = { service: id, role: name, op, step };
    const reason = `${others} failed VMs could not be removed${failure === null ? '' : `: ${failure}`}`;
    const left =
      others > 0
        ? await store.services.leaveRole({ ...at, event: 'fail_deploy' }, reason, [failureEntry(name, reason)])
        : await store.cardinality.skip(at, (before, after) => skipEntry(name, before, after));
    if (left) return others === 0;
    const now = (await store.services.find(id))?.roles.find((candidate) => candidate.name === name);
    return now?.state === 'RUNNING';
  },
});

/** VMs that are missing, or there and do not run as they should. */
const failedOf = ({ role, vms }: StaffedRole): number => {
  const its = vms.filter(belongs);
  return missingOf(role, vms) + its.filter((vm) => !isVmHealthy(vm)).length;
};

function described(
  round: Exclude<Round, { do: 'finish' }>,
  role: string,
  failed: number,
  policy: FailurePolicy,
): string {
  const [used, all] =
    round.do === 'retry' ? [round.used.retries, policy.retries] : [round.used.replacements, policy.replacements];
  return `${round.seconds} s, to ${round.do} ${failed} failed ${failed === 1 ? 'VM' : 'VMs'} of role ${role} (${used} of ${all})`;
}

const skipEntry = (role: string, before: number, after: number) =>
  ({
    timestamp: new Date(),
    severity: 'I',
    message: `Role ${role} : goes on without its failed VMs, cardinality ${before} → ${after}`,
  }) as const;
