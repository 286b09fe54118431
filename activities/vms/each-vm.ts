import { Context } from '@temporalio/activity';
import { begunInSlices } from '../../adapters/process/in-slices.js';
import { brief, longest } from '../../domain/brief.js';
import { Problem, problemOf, problems } from '../../domain/problems.js';
import { isAfter, isDuring, type VmVerb, vmVerbs } from '../../domain/vms/vm-verbs.js';
import type { VmMove } from '../../store/vms/vm-transitions.js';
import type { VmStore } from '../../store/vms/vms.js';
import type { WorkVm } from '../../store/vms/work-vms.js';

/** What a step did with a batch: each VM's outcome is its own. `taken`: another operation has it now. */
export type BatchOutcome = {
  done: number[];
  failed: { vm: number; code: string; detail: string }[];
  taken: number[];
  /** VMs with which nothing was done yet: images of their disks are to be brought to where these are made. Absent: none. */
  bring?: number[];
};

export type VmStep = {
  /** What is done: which moves lead into the state of work and out of it, and which VMs are done. */
  verb: VmVerb;
  /** What is done with each VM of the batch; may be done again. Returns what its last move writes. */
  work: (vm: WorkVm, signal: AbortSignal) => Promise<VmMove['set']>;
  /** What the last move writes beside that, at its moment: the same for all that are recorded together. */
  left?: (vm: WorkVm, at: Date) => VmMove['set'];
  /** Another step follows, and nobody is to have the VM in between. */
  goesOn?: boolean;
  /** What `work` needs to know of all of them; read while they enter. */
  prepare?: (vms: readonly WorkVm[]) => Promise<void>;
  /** Runs for VMs whose work succeeded, before their last move is written. */
  before?: (vms: readonly WorkVm[]) => Promise<void>;
  /** Writes the last moves; returns the ids of those that are there. Default: nothing else is written with them. */
  write?: (moves: readonly (VmMove & { vm: WorkVm })[]) => Promise<ReadonlySet<number>>;
  /** Hears which VMs the batch is through with, as it goes. */
  watch?: BatchWatch;
};

/** `done`: by an earlier try; `settled`: their work has ended, well or badly, and that is written down. */
export type BatchWatch = {
  begin(all: readonly WorkVm[], done: readonly WorkVm[]): void;
  settled(vms: readonly WorkVm[]): void;
  end(): void;
};

/**
 * One step over a batch of VMs that an operation holds: says which try this is, enters the state of work, works on all
 * at once, and records each by a guarded transition as it ends. VMs that an earlier try finished are done; those whose
 * hold says otherwise are left alone. When some could not be reached, the others are recorded first, then the step fails
 * retryably and its next try goes on with the rest.
 */
export async function eachVm(vms: VmStore, op: string, ids: readonly number[], step: VmStep): Promise<BatchOutcome> {
  const { info, cancellationSignal: signal } = Context.current();
  const { done, entered, taken } = await enter(vms, op, ids, step, info.attempt);
  const outcome: BatchOutcome = { done: idsOf(done), failed: [], taken: idsOf(taken) };
  step.watch?.begin([...done, ...entered, ...taken], done);

  const unreached: Problem[] = [];
  const { leave, fail } = vmVerbs[step.verb];
  const record = recorder(vms, step, outcome);
  // None of them fails: what one comes to is recorded.
  await begunInSlices(entered, async (vm) => {
    try {
      record.push({
        vm,
        event: leave,
        set: { reason: null, ...(await step.work(vm, signal)) },
        release: step.goesOn !== true,
      });
    } catch (error) {
      if (signal.aborted) return;
      const problem = problemOf(error);
      if (problem?.code === 'stale_epoch') outcome.taken.push(vm._id);
      else if (problem && !problems[problem.code].retryable) {
        outcome.failed.push({ vm: vm._id, code: problem.code, detail: brief(problem.message, longest.vm) });
        record.push({ vm, event: fail, set: { reason: problem.message }, release: true });
      } else unreached.push(problem ?? new Problem('internal', `VM ${vm._id}: ${messageOf(error)}`, { cause: error }));
    }
  });
  try {
    await record.flush();
  } finally {
    step.watch?.end();
  }
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

/** Held by this operation and not by a later try of this step, and nobody else wants it. */
const isMine = (vm: WorkVm, op: string, attempt: number): boolean =>
  vm.hold?.op === op && vm.hold.attempt <= attempt && (vm.wanted === null || vm.wanted === op);

const idsOf = (vms: readonly WorkVm[]): number[] => vms.map((vm) => vm._id);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Moves VMs into the state of work under the number of this try; returns those that are there under our hold, as they
 * are then. When one has changed between reading and writing, all are looked at again.
 */
async function enter(vms: VmStore, op: string, ids: readonly number[], step: VmStep, attempt: number) {
  const isDone = (vm: WorkVm): boolean => isAfter(step.verb, vm);
  for (;;) {
    const present = await vms.byIds(ids);
    const left = present.filter((vm) => !isDone(vm));
    const mine = left.filter((vm) => isMine(vm, op, attempt));
    const [entered] = await Promise.all([
      vms.enter(mine, attempt, (vm) => (isDuring(step.verb, vm) ? null : vmVerbs[step.verb].enter)),
      step.prepare?.(mine),
    ]);
    if (entered === null) continue;
    return { done: present.filter(isDone), entered, taken: left.filter((vm) => !mine.includes(vm)) };
  }
}

type Recorded = VmMove & { vm: WorkVm };

/** Gathers outcomes for a moment and writes them together: a batch that boots at once costs one bulk write, not fifty. */
function recorder(vms: VmStore, step: VmStep, outcome: BatchOutcome) {
  const moment = 5;
  const { leave } = vmVerbs[step.verb];
  let waiting: Recorded[] = [];
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const write = async (moves: readonly Recorded[]): Promise<void> => {
    const succeeded = moves.filter(({ event }) => event === leave);
    if (step.before && succeeded.length > 0) await step.before(succeeded.map(({ vm }) => vm));
    const at = new Date();
    const matched = await (step.write ?? vms.transition)(
      moves.map((move) =>
        move.event === leave ? { ...move, set: { ...move.set, ...step.left?.(move.vm, at) } } : move,
      ),
    );
    for (const { vm, event } of moves)
      if (!matched.has(vm._id)) outcome.taken.push(vm._id);
      else if (event === leave) outcome.done.push(vm._id);
    step.watch?.settled(moves.flatMap(({ vm }) => (matched.has(vm._id) ? [vm] : [])));
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
