import { grouped } from '../../schemas/common/limits.js';
import { isOpen } from '../operation-states.js';
import { sentence, when } from '../words.js';
import { type ImageSubject, joined, type Story, story, type WhyFacts } from './facts.js';
import { acceptedStory, cancelStory, stepsStory, workStory } from './operation-story.js';
import { goingOn, hasOperation, resourceName } from './operation-words.js';

type Facts = WhyFacts & { subject: ImageSubject };

/** Why an image is as it is: what is at work on it, what failed, or who uses it. */
export function imageStory(facts: Facts): Story {
  const { subject, steps } = facts;
  if (hasOperation(facts) && isOpen(facts.operation)) {
    if (facts.operation.state === 'accepted') return joined(acceptedStory(facts), cancelStory(facts));
    if (subject.upload)
      return joined(uploadStory(subject, subject.upload, facts.now), cancelStory(facts), stepsStory(facts, steps, []));
    return joined(
      story([goingOn(resourceName(facts.operation), facts)]),
      cancelStory(facts),
      stepsStory(facts, steps, []),
      workStory(facts),
    );
  }
  return stateStory(subject);
}

/** It waits for whoever sends it; without him it gets no further. */
function uploadStory(
  { id, name }: ImageSubject,
  { bytes, arrived, expires }: NonNullable<ImageSubject['upload']>,
  now: Date,
): Story {
  return story([
    `Image ${id} (${name}) waits for its bytes: ${grouped(arrived)} of ${grouped(bytes)} have been sent.`,
    `It is given up ${when(expires, now)} if no more come; “arcus image upload ${id} FILE” goes on with the same file.`,
  ]);
}

function stateStory({ id, name, state, reason, vms, clones, apps = [] }: ImageSubject): Story {
  const it = `Image ${id} (${name})`;
  switch (state) {
    case 'ERROR':
      return story([`${it} is in ERROR: ${sentence(reason ?? 'nobody knows why')}`], {
        failures: [{ what: it, detail: reason ?? 'nobody knows why', attempts: null, next_retry_at: null }],
        trouble: true,
      });
    case 'DISABLED':
      return story([`${it} is disabled: no VM may use it until it is enabled.`]);
    case 'USED':
    case 'USED_PERS':
      return story([`${it} is in use by ${vms.length === 1 ? `VM ${vms[0]}` : `${vms.length} VMs`}.`]);
    case 'CLONE':
      if (clones.length === 0)
        return story([`${it} is being published, as ${apps.length === 1 ? `app ${apps[0]}` : `${apps.length} apps`}.`]);
      return story([
        `${it} is being cloned, as ${clones.length === 1 ? `image ${clones[0]}` : `${clones.length} images`}.`,
      ]);
    case 'READY':
      return story([`${it} is READY: VMs may use it.`]);
    case 'LOCKED':
    case 'DELETE':
      return story([`${it} is ${state}, and nothing is at work on it.`], { trouble: true });
  }
}
