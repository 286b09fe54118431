import { Context } from '@temporalio/activity';
import { Problem, problemOf, problems } from '../domain/problems.js';
import type { VmEvent } from '../domain/vm-states.js';
import type { Vm } from '../schemas/vm.js';
import { stateAfter, type VmMove, type VmStore } from '../store/vms.js';

/** What a step did with a batch: each VM's outcome is its own. `taken`: another operation has it now. */
export type BatchOutcome = { done: number[]; failed: { vm: number; code: string; detail: string }[]; taken: number[] };

export type VmStep = {
  /** The move into the state of work, for VMs that are not there yet. */
  enter: VmEvent;
  /** What is done with each VM of the batch; may be done again. Returns what its last move writes. */
  work: (vm: Vm, signal: AbortSignal) => Promise<VmMove['set']>;
  leave: VmEvent;
  fail: VmEvent;
  isDone: (vm: Vm) => boolean;
  isAtWork: (vm: Vm) => boolean;
  /** Runs for VMs whose work succeeded, before their last move is written. */
  before?: (vms: readonly Vm[]) => Promise<void>;
};

/**
 * One step over a batch of VMs that an operation holds: says which try this is, enters the state of work, works on all
 * at once, and records each by a guarded transition as it ends. VMs that an earlier try finished are done; those whose
 * hold says otherwise are left alone. When some could not be reached, the others are recorded first, then the step fails
 * retryably and its next try goes on with the rest.
 */
export async function eachVm(vms: VmStore, op: string, ids: readonly number[], step: VmStep): Promise<BatchOutcome> {
  const { info, cancellationSignal: signal } = Context.current();
  await vms.raiseAttempt(op, ids, info.attempt);
  const present = await vms.byIds(ids);
  const outcome: BatchOutcome = { done: present.filter(step.isDone).map((vm) => vm._id), failed: [], taken: [] };
  const mine = present.filter((vm) => !step.isDone(vm) && isMine(vm, op, info.attempt));
  const entered = await enter(vms, mine, step);
  const working = new Set(entered.map((vm) => vm._id));
  outcome.taken.push(...present.filter((vm) => !step.isDone(vm) && !working.has(vm._id)).map((vm) => vm._id));

  const unreached: Problem[] = [];
  const record = recorder(vms, step, outcome);
  await Promise.all(
    entered.map(async (vm) => {
      try {
        record.push({ vm, event: step.leave, set: { reason: null, ...(await step.work(vm, signal)) }, release: true });
      } catch (error) {
        if (signal.aborted) return;
        const problem = problemOf(error);
        if (problem?.code === 'stale_epoch') outcome.taken.push(vm._id);
        else if (problem && !problems[problem.code].retryable) {
          outcome.failed.push({ vm: vm._id, code: problem.code, detail: problem.message });
          record.push({ vm, event: step.fail, set: { reason: problem.message }, release: true });
        } else
          unreached.push(problem ?? new Problem('internal', `VM ${vm._id}: ${messageOf(error)}`, { cause: error }));
      }
    }),
  );
  await record.flush();
  signal.throwIfAborted();
  const [first] = unreached;
  if (first) {
    const detail =
      unreached.length === 1 ? first.message : `${unreached.length} of ${ids.length} VMs: ${first.message}`;
    await vms.setReason(ids, op, detail);
    throw new Problem(first.code, detail, { cause: first });
  }
  return outcome;
}

const isMine = (vm: Vm, op: string, attempt: number): boolean =>
  vm.hold?.op === op && vm.hold.attempt === attempt && (vm.wanted === null || vm.wanted === op);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Moves VMs into the state of work; returns those that are there under our hold, as they are then. */
async function enter(vms: VmStore, mine: readonly Vm[], step: VmStep): Promise<Vm[]> {
  const moving = mine.filter((vm) => !step.isAtWork(vm));
  const moved = await vms.transition(moving.map((vm) => ({ vm, event: step.enter })));
  // All of them: nobody else can have changed them since, because each move filters on the whole hold.
  if (moved.size === moving.length)
    return mine.map((vm) => (step.isAtWork(vm) ? vm : { ...vm, ...stateAfter(vm, step.enter) }));
  const now = new Map((await vms.byIds(moving.map((vm) => vm._id))).map((vm) => [vm._id, vm]));
  return mine.flatMap((vm) => {
    if (step.isAtWork(vm)) return [vm];
    const fresh = now.get(vm._id);
    return moved.has(vm._id) && fresh?.hold?.epoch === vm.hold?.epoch && fresh ? [fresh] : [];
  });
}

type Recorded = VmMove & { vm: Vm };

/** Gathers outcomes for a moment and writes them together: a batch that boots at once costs one bulk write, not fifty. */
function recorder(vms: VmStore, step: VmStep, outcome: BatchOutcome) {
  const moment = 5;
  let waiting: Recorded[] = [];
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const write = async (moves: readonly Recorded[]): Promise<void> => {
    const succeeded = moves.filter(({ event }) => event === step.leave);
    if (step.before && succeeded.length > 0) await step.before(succeeded.map(({ vm }) => vm));
    const matched = await vms.transition(moves);
    for (const { vm, event } of moves)
      if (!matched.has(vm._id)) outcome.taken.push(vm._id);
      else if (event === step.leave) outcome.done.push(vm._id);
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const moves = waiting;
    waiting = [];
    if (moves.length > 0) {
      writing = writing.then(() => write(moves));
      // Reported by whoever awaits the flush; without this, a failure before that would end the process.
      writing.catch(() => undefined);
    }
    return writing;
  };
  return {
    push(move: Recorded): void {
      waiting.push(move);
      // A write that fails is thrown by the flush that ends the batch.
      timer ??= setTimeout(() => void flush(), moment);
    },
    flush,
  };
}
