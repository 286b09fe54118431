import { brief, longest } from '../brief.js';

/**
 * The engine's tasks for a run, which its workers do again and again and cannot: the run neither gets on nor hears a
 * cancel. `passes`: of a kind that goes by without anybody's doing.
 */
export type FailingTask = {
  tried: number;
  /** When the first of these tries failed. */
  since: Date;
  cause: TaskFault;
  detail: string;
  passes: boolean;
};

/** too_large: what has to be written down is more than the engine takes; other_way: the history and the code differ. */
export type TaskFault = 'too_large' | 'other_way' | 'broken';

/**
 * From when it is believed that a task fails for good. Both: while a new version is brought out, workers of the old one may
 * fail a run's tasks for some time; and on a machine that has stood still, time alone says nothing.
 */
const tries = 10;
const time = 60_000;

export const givenUpAt = ({ since }: FailingTask): Date => new Date(since.getTime() + time);

export const failsForGood = (task: FailingTask, now: Date): boolean =>
  !task.passes && task.tried >= tries && now >= givenUpAt(task);

/** What is wrong, in a clause. */
export function faultText({ cause, detail }: Pick<FailingTask, 'cause' | 'detail'>): string {
  switch (cause) {
    case 'too_large':
      return 'what it has to write down is larger than Temporal takes';
    case 'other_way':
      return 'its history and this version of the workflows do not fit each other';
    case 'broken':
      return brief(withoutEnd(detail) || 'it breaks without a word', longest.vm);
  }
}

/** Without the full stops and blanks that it ends in. */
function withoutEnd(text: string): string {
  let end = text.length;
  while (end > 0 && '. \t\r\n'.includes(text[end - 1] ?? '')) end--;
  return text.slice(0, end);
}

/** What is to be done about it by whoever finds that it has ended an operation. */
const advice: Record<TaskFault, string> = {
  too_large: 'Make the service smaller: fewer roles, fewer parents, shorter names.',
  other_way: 'Try the operation again.',
  broken:
    'Try the operation again; if it fails so again, this is a fault in Arcus: report it with the history of its run.',
};

/** Why an operation whose run's task fails for good has ended. */
export const gaveUpText = (task: FailingTask): string =>
  `its workflow task failed ${task.tried} times since ${task.since.toISOString().slice(0, 19)}Z: ${faultText(task)}. ${advice[task.cause]}`;
