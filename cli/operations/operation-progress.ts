import type { OperationState } from '../../schemas/operations/operation.js';
import type { OperationDetail, OperationResource } from '../../schemas/operations/operation-resource.js';
import type { StepResource } from '../../schemas/operations/step.js';
import { operations } from '../../schemas/operations.js';
import { durationText, roughText } from '../shell/duration.js';

/** What a person asked of what: `deployService of service 12 (web)`. */
export const subjectOf = ({ type, action, resource }: OperationResource): string =>
  `${action === null ? type : `${type} (${action})`} of ${resource.type} ${resource.id} (${resource.name})`;

const stateWords: Record<OperationState, string> = {
  accepted: 'accepted, not begun',
  running: 'at work',
  waiting: 'waiting',
  waiting_for_you: 'waiting for you',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** Where an operation stands, in a line for somebody who waits for its end. */
export function progressLine(detail: OperationDetail, now: Date): string {
  return `${subjectOf(detail)}: ${[standing(detail), ...outlook(detail, now)].join(' · ')}`;
}

/** The same where no line can be drawn over: without what changes from one look to the next. */
export const milestoneLine = (detail: OperationDetail, now: Date): string =>
  `${subjectOf(detail)}: ${[standing(detail), ...etaText(detail, now)].join(' · ')}`;

/** Differs when an operation has come on enough to say so again: by its state, or a tenth of the whole. */
export function milestoneOf({ state, progress, cancel_requested }: OperationDetail): string {
  const tenth = progress && progress.total > 0 ? Math.floor((10 * progress.done) / progress.total) : 0;
  return [state, cancel_requested !== null, tenth].join(' ');
}

function standing({ type, state, progress, cancel_requested }: OperationDetail): string {
  // Of one VM, and before anything is done, the state says it all.
  const counted =
    progress && progress.total > 1 && (state === 'running' || progress.done > 0)
      ? `${progress.done} of ${progress.total} ${progress.unit} ${operations[type].counts}`
      : undefined;
  if (cancel_requested !== null) return [counted, 'stopping'].filter(Boolean).join(', ');
  if (state === 'running') return counted ?? 'at work';
  return [counted, stateWords[state]].filter(Boolean).join(', ');
}

/** What comes next: the next try of what failed, the end. */
function outlook(detail: OperationDetail, now: Date): string[] {
  const tries = failing(detail).filter(({ state }) => state === 'running');
  const eta = etaText(detail, now);
  const since = detail.started_at ?? detail.created_at;
  return [
    ...tries.map((step) => `${nextTry(step, now)}: ${step.title}`),
    ...(eta.length > 0 ? eta : [`${roughText(now.getTime() - Date.parse(since))} so far`]),
  ];
}

const etaText = ({ eta }: OperationDetail, now: Date): string[] =>
  eta ? [`about ${roughText(Date.parse(eta.at) - now.getTime())} left`] : [];

/**
 * Steps whose last try failed, as far as the engine was there to say what has become of them since. An end that nobody has
 * written down yet is a guess: what was tried again may have succeeded.
 */
const failing = ({ steps, asked_engine }: OperationDetail): StepResource[] =>
  steps.filter(
    ({ state, error, ended_at }) =>
      error !== null && ((state === 'failed' && ended_at !== null) || (state === 'running' && asked_engine)),
  );

/** `try 3 in 4 s`, or that it is at work again, or waits for a worker. */
export function nextTry({ attempts, failed_attempt, next_retry_at }: StepResource, now: Date): string {
  if (next_retry_at === null)
    return failed_attempt === attempts ? `try ${attempts + 1} soon` : `try ${attempts} at work`;
  return `try ${attempts + 1} in ${roughText(Date.parse(next_retry_at) - now.getTime())}`;
}

/** Something to be told for good: once for each key. */
export type News = { key: string; text: string };

/**
 * What went wrong and what it waits for. A step that is tried again is told once for each error, or for `everyTry` where
 * no line shows the tries.
 */
export function newsOf(detail: OperationDetail, now: Date, { everyTry }: { everyTry: boolean }): News[] {
  const waiting =
    detail.waiting_for === null
      ? []
      : [{ key: `waiting ${detail.waiting_for}`, text: `Waiting: ${sentence(detail.waiting_for)}` }];
  return [...waiting, ...failing(detail).flatMap((step) => failureNews(step, now, everyTry))];
}

function failureNews(step: StepResource, now: Date, everyTry: boolean): News[] {
  const { title, role, started_at, error, attempts, state, failed_attempt } = step;
  if (error === null) return [];
  const failedTry = failed_attempt ?? attempts;
  const key = [title, role, started_at, state, error.detail, ...(everyTry ? [failedTry] : [])].join('\n');
  const next = state === 'failed' ? '' : ` Next: ${nextTry(step, now)}.`;
  return [{ key, text: `${title}: try ${failedTry} failed: ${sentence(error.detail)}${next}` }];
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** How long a step has taken or takes. */
export const tookText = ({ started_at, ended_at }: StepResource, now: Date): string =>
  durationText((ended_at === null ? now.getTime() : Date.parse(ended_at)) - Date.parse(started_at));
