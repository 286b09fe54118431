import { isOpen } from '../operation-states.js';
import { few, sentence } from '../words.js';
import { type AppSubject, joined, type Story, story, type WhyFacts } from './facts.js';
import { acceptedStory, cancelStory, stepsStory, workStory } from './operation-story.js';
import { goingOn, hasOperation, resourceName } from './operation-words.js';

/** Why an app is as it is: what is at work on it, what failed, or what is made of it. */
export function appStory(facts: WhyFacts & { subject: AppSubject }): Story {
  const { subject, steps } = facts;
  if (!hasOperation(facts) || !isOpen(facts.operation)) return stateStory(subject);
  if (facts.operation.state === 'accepted') return joined(acceptedStory(facts), cancelStory(facts));
  return joined(
    story([goingOn(resourceName(facts.operation), facts)]),
    cancelStory(facts),
    stepsStory(facts, steps, []),
    workStory(facts),
  );
}

function stateStory({ id, name, state, reason, exports }: AppSubject): Story {
  const it = `App ${id} (${name})`;
  const why = reason ?? 'nobody knows why';
  switch (state) {
    case 'ERROR':
      return story([`${it} is in ERROR: ${sentence(why)}`], {
        failures: [{ what: it, detail: why, attempts: null, next_retry_at: null }],
        trouble: true,
      });
    case 'DISABLED':
      return story([`${it} is disabled: nobody exports it until it is enabled.`]);
    case 'READY':
      return story([
        exports.length === 0
          ? `${it} is READY: it may be exported.`
          : `${it} is being exported, by ${exports.length === 1 ? 'operation' : 'operations'} ${few(exports)}.`,
      ]);
    case 'LOCKED':
    case 'INIT':
      return story([`${it} is ${state}, and nothing is at work on it.`], { trouble: true });
  }
}
