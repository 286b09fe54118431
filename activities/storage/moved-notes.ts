import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Progress } from '../../adapters/storage/port.js';
import { problemOf, problems } from '../../domain/problems.js';
import { isFurther, stuckAfter } from '../../domain/storage/image-progress.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Store } from '../../store/store.js';

/** Milliseconds between two notes of how far it is. */
const noted = 1_000;

/** How far an operation is with its bytes, told to the engine and to people, now and then. `before`: what it had moved when this step began. */
export function movedNotes(
  store: Store,
  { _id: op, moved, started_at }: Pick<Operation, '_id' | 'moved' | 'started_at'>,
  before = 0,
) {
  let last = moved?.at.getTime() ?? started_at?.getTime() ?? Date.now();
  let furthest: Pick<Progress, 'phase' | 'done'> | null = moved ?? null;
  let at = 0;
  let writing: Promise<unknown> = Promise.resolve();
  let latest: Progress | null = null;
  const write = (progress: Progress): void => {
    Context.current().heartbeat(progress);
    if (!isFurther(progress, furthest)) return;
    furthest = progress;
    last = Date.now();
    writing = store.operations.moved(op, progress).catch(() => undefined);
  };
  return {
    progress({ phase, done, total }: Progress): void {
      const progress = { phase, done: before + done, total: total === null ? null : before + total };
      latest = progress;
      const now = Date.now();
      if (now - at < noted) return;
      at = now;
      write(progress);
    },
    isStuck: (error: unknown): boolean => {
      const problem = problemOf(error);
      return problem !== undefined && problems[problem.code].retryable && Date.now() - last > stuckAfter;
    },
    async flush(): Promise<void> {
      if (latest) write(latest);
      await writing;
    },
  };
}

/** Nothing has moved for too long: it is not tried again. */
export const givenUp = (error: unknown): ApplicationFailure => {
  const problem = problemOf(error);
  return ApplicationFailure.create({
    type: problem?.code ?? 'internal',
    message: `${problem?.message ?? 'it failed'} (for ${stuckAfter / 60_000} min)`,
    nonRetryable: true,
  });
};
