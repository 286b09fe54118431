import { nextRound, type Round, type Rounds } from '../../domain/services/failure-policy.js';
import { belongs, missingOf } from '../../domain/services/service-health.js';
import { isVmHealthy, isVmUnplaced } from '../../domain/vms/vm-states.js';
import type { FailurePolicy } from '../../schemas/services/service-template.js';
import { hasRole } from '../../store/services/hands.js';
import type { StepPorts } from '../ports.js';
import { endPending } from '../vms/place-vms.js';
import { takeVms } from '../vms/taking.js';
import { failureEntry, type StaffedRole, staffOf } from './deployment.js';
import { enterRole, failVms } from './role-vms.js';
import type { RoleInput, RolesInput } from './roles-input.js';

/** A role of which VMs may have failed. `failure`: why a batch failed as a whole; its VMs that were at work then say so. */
export type RoundAsked = { role: string; policy: FailurePolicy; used: Rounds; failure: string | null };

/** The steps of a deployment that deal with roles whose VMs failed, as their failure policy or a person says. */
export const failedRoleActivities = ({ store }: Pick<StepPorts, 'store'>) => ({
  /** What the policy of each role says next. */
  async planRounds({ op, service: id, roles }: RolesInput<RoundAsked>): Promise<Round[]> {
    const failures = new Map(roles.flatMap(({ role, failure }) => (failure === null ? [] : [[role, failure]])));
    await failVms(store, op, id, failures);
    const names = roles.map(({ role }) => role);
    const staffed = await staffOf(store, id, names, (staff) => failedOf(staff) === 0);
    const waits: Record<string, string | null> = {};
    const rounds = roles.map(({ role: name, policy, used }): Round => {
      const found = staffed.get(name);
      if (!found || !hasRole(found.service, found.role, op) || found.service.wanted !== null) return { do: 'finish' };
      const failed = failedOf(found);
      const round = nextRound(policy, used, failed);
      waits[name] = round.do === 'finish' ? null : described(round, name, failed, policy);
      return round;
    });
    await store.operations.note(op, waits);
    return rounds;
  },

  /**
   * The run ends and the operation waits, with no run open, for a person to say what becomes of these roles. Returns
   * false when there is nothing to ask any more: somebody who pre-empts wants the service.
   */
  askPerson: ({ op, run, roles }: { op: string; run: string; roles: string[] }): Promise<boolean> =>
    store.questions.ask({ op, run, roles }),

  /** Takes a role that is to go on without its failed VMs; returns those to remove. null: as startRoles. */
  async startSkip(input: RoleInput): Promise<number[] | null> {
    if (!(await enterRole(store, input))) return null;
    const { op, service: id, role: name } = input;
    const vms = await takeVms(store, op, (await store.vms.ofService(id, [name])).filter(belongs));
    const ours = vms.filter((vm) => vm.hold?.op === op);
    await endPending(store, ours);
    return ours.filter((vm) => !isVmUnplaced(vm) && !isVmHealthy(vm)).map((vm) => vm._id);
  },

  /** RUNNING with the VMs that run, once the others are gone; else FAILED_DEPLOYING. Returns whether the role runs. */
  async finishSkip({
    op,
    service: id,
    role: name,
    step,
    failure,
  }: RoleInput & { failure: string | null }): Promise<boolean> {
    if (failure !== null) await failVms(store, op, id, new Map([[name, failure]]));
    const its = (await store.vms.ofService(id, [name])).filter(belongs);
    const others = its.filter((vm) => !isVmHealthy(vm)).length;
    const reason = `${others} failed VMs could not be removed${failure === null ? '' : `: ${failure}`}`;
    const failed = { role: name, step, event: 'fail_deploy', reason, log: failureEntry(name, reason) } as const;
    if (others > 0) await store.services.leaveRoles(id, op, [failed]);
    else
      await store.cardinality.skip({ service: id, role: name, op, step }, (before, after) =>
        skipEntry(name, before, after),
      );
    return (await store.services.part(id, [name]))?.roles[0]?.state === 'RUNNING';
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
