import type { StepNote, StepStore } from '../../store/operations/steps.js';

/**
 * How long notes are gathered before they are written together, and how long after a write that failed, in milliseconds.
 * A write costs some 2 ms of CPU, whether of one note or of ten, so that a busy worker spends 2 % of a core on them; most
 * steps are over within one pause, and cost one write in all.
 */
const pause = 100;
const pauseAfterFailure = 1_000;
/** Notes that wait at most: what MongoDB does not take in time is not worth a worker's memory. */
const most = 5_000;

/**
 * What the steps of one worker process say of themselves, written behind the work: a step never waits for its note, and
 * one that is lost with the process is missing in a list and nowhere else.
 */
export type StepLog = {
  note(note: StepNote): void;
  /** Writes what waits; resolves when it is written, or could not be. */
  flush(): Promise<void>;
};

export function createStepLog(steps: Pick<StepStore, 'write'>): StepLog {
  const waiting = new Map<string, StepNote>();
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const arm = (after: number): void => {
    timer ??= setTimeout(() => void flush(), after).unref();
  };

  const write = async (): Promise<void> => {
    const notes = [...waiting.values()];
    waiting.clear();
    try {
      await steps.write(notes);
    } catch {
      for (const note of notes) keep(waiting, note);
      arm(pauseAfterFailure);
    }
  };

  // One write at a time: a step's end is never written before its beginning.
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
    return writing;
  };

  return {
    note(note) {
      keep(waiting, note);
      arm(pause);
    },
    flush,
  };
}

function keep(waiting: Map<string, StepNote>, note: StepNote): void {
  const known = waiting.get(note._id);
  if (!known && waiting.size >= most) return;
  waiting.set(note._id, known ? merged(known, note) : note);
}

/** One note that says what two did, in whichever order they came. */
export function merged(one: StepNote, other: StepNote): StepNote {
  const rank = ({ attempt, ended, error }: StepNote): number => attempt * 3 + (ended ? 2 : error ? 1 : 0);
  const [older, newer] = rank(one) <= rank(other) ? [one, other] : [other, one];
  const failing = newer.error ? newer : older;
  return {
    ...newer,
    started_at: new Date(Math.min(one.started_at.getTime(), other.started_at.getTime())),
    error: failing.error,
    ...(failing.error && { failed: failing.failed ?? failing.attempt }),
  };
}
