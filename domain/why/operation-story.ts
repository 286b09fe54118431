import { capital } from '../../schemas/common/capital.js';
import { askerOf } from '../operations/asker.js';
import { type FailingTask, failsForGood, faultText, givenUpAt } from '../operations/failing-task.js';
import { ownLane } from '../operations/lanes.js';
import { stepTitle } from '../operations/step-title.js';
import type { SeenStep } from '../operations/steps.js';
import { stuckAfter } from '../storage/image-progress.js';
import { clock, few, lengthOf, sentence, times, when } from '../words.js';
import { type Failure, joined, type Story, story, type VmFacts } from './facts.js';
import { deedOf, etaText, type OperationFacts } from './operation-words.js';
import { placesOf } from './vm-groups.js';

/** How long nobody need worry that a worker has not come yet, in milliseconds. */
const patience = 3_000;

/** An operation that has no run which has claimed it: just admitted, or about to go on in a new run. */
export function acceptedStory(facts: OperationFacts): Story {
  const { engine, now, steps } = facts;
  const opening = story([acceptedText(facts)]);
  if (engine === null) return opening;
  if (!engine.answered)
    return joined(
      opening,
      story(['Temporal, which runs operations, does not answer. It begins by itself when Temporal is back.'], {
        trouble: true,
      }),
    );
  if (engine.inTheWay !== null || steps.some(({ name, state }) => name === 'handOver' && state === 'running')) {
    const other = engine.inTheWay === null ? 'What is in its way' : `Operation ${engine.inTheWay}`;
    return joined(opening, story([`${other} is being stopped first, which takes 30 s at most.`]));
  }
  if (engine.failing) return joined(opening, failingStory(engine.failing, now));
  if (engine.queuedSince !== null) return joined(opening, unattended(facts, engine.queuedSince));
  return joined(opening, story([engine.hasRun ? null : 'It starts within 10 s.']));
}

function acceptedText({ operation, now }: OperationFacts): string {
  const deed = capital(deedOf(operation));
  const { answer, started_at, created_at } = operation;
  if (answer) {
    const wish = answer.answer.replace('_', ' ');
    return `${deed} is about to go on: ${answer.by.name} answered “${wish}” ${when(answer.at, now)}.`;
  }
  if (started_at) return `${deed} began ${when(started_at, now)}, and is about to go on in a new run.`;
  return `${deed} was accepted ${when(created_at, now)}, for ${askerOf(operation)}, and has not begun.`;
}

function unattended({ operation, now }: OperationFacts, since: Date): Story {
  const waited = now.getTime() - since.getTime();
  if (waited < patience) return story([]);
  if (operation.lane === 'shared')
    return story([
      `It has waited for its turn for ${lengthOf(waited)}: the first ${ownLane} operations of a user at a time are done at once, and with those beyond users take turns.`,
    ]);
  return story([`No worker has taken it up for ${lengthOf(waited)}: see whether one is running.`], { trouble: true });
}

/** Its run gets no further, for its task fails; and until when that may go on. */
function failingStory(task: FailingTask, now: Date): Story {
  const { tried, since, passes } = task;
  const until = givenUpAt(task);
  const outlook = passes
    ? null
    : failsForGood(task, now)
      ? 'It is about to be given up.'
      : `If it still fails ${until > now ? when(until, now) : 'then'}, the operation is ended as failed.`;
  return story(
    [
      `Its workflow task fails: ${faultText(task)}.`,
      `It was tried ${times(tried)}, first ${when(since, now)}.`,
      outlook,
    ],
    {
      failures: [{ what: 'its workflow task', detail: faultText(task), attempts: tried, next_retry_at: null }],
      trouble: true,
    },
  );
}

/** What holds up a running operation at the engine: steps that are tried again or that nobody takes, or its silence. */
export function stepsStory(facts: OperationFacts, steps: readonly SeenStep[], vms: readonly VmFacts[]): Story {
  const { engine, now } = facts;
  const failing = steps.filter(({ state, error }) => state === 'running' && error !== null);
  const queued = steps.filter(
    ({ pending, error }) =>
      error === null && pending?.queuedSince && now.getTime() - pending.queuedSince.getTime() > patience,
  );
  return joined(
    ...failing.map((step) => retryStory(step, facts, vms)),
    story(
      queued.map((step) => {
        const waited = now.getTime() - (step.pending?.queuedSince ?? now).getTime();
        return `No worker has taken the step “${stepTitle(step)}” for ${lengthOf(waited)}: see whether one is running.`;
      }),
      { trouble: queued.length > 0 },
    ),
    engine?.answered && engine.queuedSince ? unattended(facts, engine.queuedSince) : story([]),
    engine?.answered && engine.failing ? failingStory(engine.failing, now) : story([]),
    engine?.answered === false && failing.length === 0
      ? story(['Temporal, which runs it, did not answer within a second: it goes on when Temporal is back.'], {
          trouble: true,
        })
      : story([]),
  );
}

const between: readonly VmFacts['state'][] = ['ACTIVE/PROLOG', 'ACTIVE/BOOT', 'ACTIVE/SHUTDOWN', 'ACTIVE/EPILOG'];

/** A step that has failed and is tried again: with its own error, how often, when next, and until when. */
function retryStory(step: SeenStep, { now, engine }: OperationFacts, vms: readonly VmFacts[]): Story {
  const title = stepTitle(step);
  const next = step.pending?.nextTryAt ?? null;
  const concerned = vms.filter(
    ({ role, state, reason }) =>
      reason !== null && between.includes(state) && (step.role === null || role === step.role),
  );
  const outlook =
    next !== null
      ? `the next try is ${when(next, now)}`
      : engine?.answered === false
        ? 'when next is not known, for Temporal did not answer within a second'
        : 'it is being tried again now';
  const end = step.pending?.givesUpAt;
  const failure: Failure = {
    what: title,
    detail: step.error?.detail ?? '',
    attempts: step.attempts,
    next_retry_at: next?.toISOString() ?? null,
  };
  return story(
    [
      `The step “${title}” does not succeed: ${sentence(failure.detail)}`,
      concerned.length > 0 ? `This concerns ${placesOf(concerned)}.` : null,
      `It was tried ${times(step.attempts)}; ${outlook}.`,
      step.name === 'fillImage'
        ? `It is given up once it gets no further for ${lengthOf(stuckAfter)}.`
        : end && end > now
          ? `If it still fails at ${clock(end, now)}, in ${lengthOf(end.getTime() - now.getTime())}, it is given up.`
          : null,
    ],
    { failures: [failure], trouble: true },
  );
}

/** What is at work, and when all of it should be done. */
export function workStory(facts: OperationFacts): Story {
  const atWork = facts.steps.filter(({ state, local, error }) => state === 'running' && !local && error === null);
  return story([atWork.length > 0 ? `At work now: ${few(atWork.map(stepTitle))}.` : null, etaText(facts)]);
}

/** Who asked it to stop. */
export const cancelStory = ({ operation: { cancel_requested: asked }, now }: OperationFacts): Story =>
  story([asked && `${asked.by.name} asked it to stop ${when(asked.at, now)}: it stops at its next safe point.`]);
