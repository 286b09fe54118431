import { Context } from '@temporalio/activity';
import { isHard } from '../../domain/services/shutdown-action.js';
import { isScaling } from '../../schemas/operations/operation.js';
import { begin, type StepInput, supersede } from '../operations/begin.js';
import { failVms, type MakingPorts } from '../services/role-vms.js';
import type { RoleInput } from '../services/roles-input.js';
import { type RoleStaffed, type StaffInput, staffRole, takeVictims, type VictimsTaken } from './staff-role.js';

export type RoleScalingPlan = {
  service: number;
  role: string;
  /** Whether VMs count as there only once they have reported. */
  gate: boolean;
  /** VMs that go before others. */
  named?: readonly number[];
  /** Seconds for which it rests afterwards; null or absent: as it says. */
  rest?: number | null;
  /** How those that are too many go. */
  hard: boolean;
  /** The last step that an earlier run of this operation has done on the role. */
  step: number;
  /** Seconds for which it waits for capacity, or for reports, when nothing comes of it; absent: half an hour. */
  patience?: number;
};

/** The steps of scaling a role that touch MongoDB alone. */
export const scalingActivities = ({ store, settings, directory }: MakingPorts) => ({
  /** Claims the operation. The role has been SCALING since it was admitted. */
  beginScaling: (input: StepInput) =>
    begin(store, input, async (operation): Promise<RoleScalingPlan | null> => {
      const { _id: op, resource, role: name = '' } = operation;
      // Its run may have been terminated before it could end it.
      if (isScaling(operation) && operation.input.over !== undefined)
        await supersede(store, op, [operation.input.over]);
      const service = await store.services.find(resource.id);
      const role = service?.roles.find((candidate) => candidate.name === name);
      if (!service || !role || !isScaling(operation) || role.operation !== op || service.wanted !== null) return null;
      const named = operation.input.removes ?? operation.input.vms;
      const runId = Context.current().info.workflowExecution?.runId ?? input.run;
      const done = role.mark?.op === op ? { [name]: role.mark.step } : {};
      const reached = await store.operations.begunWith(op, runId, done);
      return {
        service: service._id,
        role: name,
        gate: service.body.ready_status_gate && operation.input.give_up !== true,
        rest: operation.input.rest ?? null,
        hard: isHard(role.shutdown_action ?? service.body.shutdown_action ?? settings.shutdownAction),
        step: reached[name] ?? 0,
        ...(named && { named }),
        ...(settings.scalingPatience !== undefined && { patience: settings.scalingPatience }),
      };
    }),

  /**
   * Takes the role and those of its VMs that are to be begun or removed, makes those that it lacks (each under its unique
   * key), and gives a host to those that have none. null: somebody who pre-empts wants the service.
   */
  staffRole: (input: StaffInput): Promise<RoleStaffed | null> => staffRole({ store, settings, directory }, input),

  /** Looks again for VMs that are too many, which others had. */
  retakeVictims: (input: StaffInput): Promise<VictimsTaken> => takeVictims({ store, settings }, input),

  /**
   * RUNNING or COOLDOWN when the role has as many VMs as it is to have, else FAILED_SCALING; with it the operation has ended.
   * Returns whether it has.
   */
  async finishScaling({
    op,
    service: id,
    role: name,
    step,
    failure,
    gate,
    rest = null,
  }: RoleInput & { failure: string | null } & Pick<RoleScalingPlan, 'gate' | 'rest'>): Promise<boolean> {
    if (failure !== null) await failVms(store, op, id, new Map([[name, failure]]));
    const last = { step, failure, cooldown: settings.cooldown ?? 0, rest, gate };
    return (await store.endings.end(op, { state: 'succeeded' }, last))?.state === 'succeeded';
  },
});
