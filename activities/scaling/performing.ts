import { brief, longest } from '../../domain/brief.js';
import { isOpen } from '../../domain/operation-states.js';
import { problemOf, problems } from '../../domain/problems.js';
import { argsOf, type SlicesLeft, slicesLeft, whyRefused } from '../../domain/scaling/performing.js';
import { isPerformance } from '../../schemas/operations/operation.js';
import type { Performed } from '../../schemas/operations/vm-action.js';
import { begin, type StepInput } from '../operations/begin.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';

export type PerformingPlan = SlicesLeft & { action: string; period: number };

/** VMs that are asked side by side. */
const atOnce = 10;

/** The steps of an action on VMs. Each VM's part is an operation of its own. */
export const performingActivities = ({ store, performOnVm }: Pick<StepPorts, 'store' | 'performOnVm'>) => ({
  /** Claims the operation, and goes on from what was said of its VMs. */
  beginPerforming: (input: StepInput) =>
    begin(store, input, async (operation): Promise<PerformingPlan | null> => {
      if (!isPerformance(operation)) return null;
      const { action, period } = operation.input;
      return { ...slicesLeft(operation.input, operation.performed ?? {}, new Date()), action, period };
    }),

  /**
   * Asks it of these VMs, but for those that have been asked, and writes down what they say. Where a try of it has asked and not
   * written it down, the VM's operation is found by its key. Returns why it is not to go on; null: it is.
   */
  async performOnVms({ op, vms }: { op: string; vms: readonly number[] }): Promise<string | null> {
    const operation = await store.operations.find(op);
    if (!operation || !isPerformance(operation) || !isOpen(operation)) return 'it has ended';
    const service = await store.services.find(operation.resource.id);
    if (!service || service.wanted !== null || service.state === 'DONE') return 'its service is being removed';
    const { performed = {}, requester, input } = operation;
    const left = vms.filter((vm) => !performed[vm]);
    const asked = { op, requester: requester.id, action: input.action, ...argsOf(input) };
    const all = new Map<number, Performed>();
    const failures = await eachApart(left, atOnce, async (vm) => {
      const said = await saidBy(store, vm, () => performOnVm?.({ ...asked, vm }) ?? nobody());
      all.set(vm, { at: new Date(), ...said });
    });
    // In one write: with thousands of VMs the document is large.
    await store.performances.note(op, all);
    for (const { error } of failures) throw error;
    return null;
  },

  /** Why it has failed, with what the VMs have said; null: it has not. */
  async judgePerforming({ op }: { op: string }): Promise<string | null> {
    const operation = await store.operations.find(op);
    return operation && isPerformance(operation) ? whyRefused(operation.input, operation.performed ?? {}) : null;
  },
});

const nobody = (): Promise<never> => Promise.reject(new Error('this worker cannot ask anything of VMs'));

async function saidBy(
  store: StepPorts['store'],
  vm: number,
  deed: () => Promise<string | null>,
): Promise<Omit<Performed, 'at'>> {
  try {
    return { outcome: 'asked', op: await deed(), why: null };
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || problems[problem.code].retryable) throw error;
    const present = await store.vms.find(vm);
    if (!present || present.state === 'DONE') return { outcome: 'gone', op: null, why: null };
    return { outcome: 'refused', op: null, why: brief(problem.message, longest.vm) };
  }
}
