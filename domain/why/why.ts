import { capital } from '../../schemas/common/capital.js';
import type { OperatedKind } from '../../schemas/kinds.js';
import type { NextAction } from '../../schemas/operations/next-action.js';
import type { Why } from '../../schemas/operations/why.js';
import type { ActionName } from '../acts/next-actions.js';
import { retryWords } from '../acts/retry-words.js';
import { isOpen } from '../operation-states.js';
import { listed } from '../words.js';
import { appStory } from './app-story.js';
import { joined, type Story, type Subject, story, type WhyFacts } from './facts.js';
import { hostStory } from './host-story.js';
import { imageStory } from './image-story.js';
import { acceptedStory, cancelStory, stepsStory, workStory } from './operation-story.js';
import { deedOf, endedText, errorText, goingOn, hasOperation, resourceName } from './operation-words.js';
import { serviceStory } from './service-story.js';
import { vmStory } from './vm-story.js';

/** Why something is as it is: what goes on, what failed with its own error, when it is tried next, what can be done. */
export function why(facts: WhyFacts): Why {
  const { subject, operation, actions, engine } = facts;
  const told = tell(facts);
  return {
    text: [...told.sentences, adviceOn(facts, told)].filter((text) => text !== null).join(' '),
    resource: resourceOf(subject),
    operation: operation?._id ?? null,
    operation_state: operation?.state ?? null,
    waiting_for: operation?.waiting_for ?? null,
    failures: told.failures,
    actions,
    asked_engine: engine?.answered !== false,
  };
}

type StoriesOf<T extends Subject['type']> = {
  [K in T]: (facts: WhyFacts & { subject: Extract<Subject, { type: K }> }) => Story;
};
/** Of what operations are about: these tell of the operation, too. */
const operated: StoriesOf<OperatedKind> = {
  service: serviceStory,
  vm: vmStory,
  host: hostStory,
  image: imageStory,
  app: appStory,
  zone: plainStory,
};
const others: StoriesOf<Exclude<Subject['type'], OperatedKind>> = { gone: plainStory };

function tell(facts: WhyFacts): Story {
  const { subject } = facts;
  switch (subject.type) {
    case 'service':
      return operated.service({ ...facts, subject });
    case 'vm':
      return operated.vm({ ...facts, subject });
    case 'host':
      return operated.host({ ...facts, subject });
    case 'image':
      return operated.image({ ...facts, subject });
    case 'app':
      return operated.app({ ...facts, subject });
    case 'zone':
      return operated.zone({ ...facts, subject });
    case 'gone':
      return others.gone({ ...facts, subject });
  }
}

/** Of an operation alone: its resource is gone, or is the whole zone. */
function plainStory(facts: WhyFacts): Story {
  if (!hasOperation(facts)) return story([]);
  const { operation, subject, steps } = facts;
  if (operation.state === 'accepted') return joined(acceptedStory(facts), cancelStory(facts));
  if (isOpen(operation))
    return joined(
      story([goingOn(resourceName(operation), facts)]),
      cancelStory(facts),
      stepsStory(facts, steps, []),
      workStory(facts),
    );
  const { error } = operation;
  return story(
    [
      endedText(facts),
      errorText(operation),
      subject.type === 'gone' ? `${capital(resourceName(operation))} does not exist any more.` : null,
    ],
    {
      failures:
        operation.state === 'failed' && error
          ? [{ what: deedOf(operation), detail: error.detail, attempts: null, next_retry_at: null }]
          : [],
      trouble: operation.state === 'failed',
    },
  );
}

/** What may be advised: answers are named by the question itself, and what administrators may claim is only listed. */
type Advised = Exclude<ActionName, 'skip' | 'recover_success' | 'recover_failure'>;
/** Each action in words: what is done, and to what. */
const deeds: Readonly<Record<string, readonly [verb: string, object: string]>> = {
  retry: ['try', 'again'],
  recover: ['recover', 'the service'],
  give_up: ['give up', 'its scaling'],
  repair: ['repair', 'the service'],
  release: ['release', 'the service'],
  resume: ['resume', 'the VM'],
  recreate: ['recreate', 'the VM'],
  debug: ['go through', 'what failed action by action'],
  migrate: ['migrate', 'the VM'],
  hold: ['put on hold', 'the VM'],
  offline: ['take offline', 'the host'],
  report_ready: ['say', 'in its place that it is ready'],
  enable: ['enable', 'the host'],
  cancel: ['cancel', 'the operation'],
  undeploy: ['undeploy', 'the service'],
  terminate: ['terminate', 'the VM'],
  delete: ['delete', 'the service'],
  delete_image: ['delete', 'the image'],
  enable_image: ['enable', 'the image'],
  delete_app: ['delete', 'the app'],
  enable_app: ['enable', 'the app'],
  flush: ['flush', 'the host'],
  failover: ['fail over', 'the host'],
  fenced: ['say', 'that the host is off'],
  disable: ['disable', 'the host'],
  test_fencing: ['test', 'its fencing'],
} satisfies Record<Advised, readonly [verb: string, object: string]>;

/** What can be done, in words; nothing of it where all goes as it should. */
function adviceOn({ operation, actions, subject }: WhyFacts, { trouble }: Story): string | null {
  const open = operation !== null && isOpen(operation);
  const asks = operation?.state === 'waiting_for_you';
  const waits =
    open && (operation.state !== 'running' || operation.waiting_for !== null) && operation.state !== 'accepted';
  const rests =
    (subject.type === 'host' && (subject.state === 'DISABLED' || subject.state === 'OFFLINE')) ||
    (subject.type === 'image' && subject.upload !== null);
  if (!trouble && !waits && !rests) return open ? 'Nothing needs to be done.' : null;
  if (actions.length === 0) return open && !asks ? null : 'You may only look at it.';
  // The question itself names the answers.
  // What administrators may claim is listed, and not advised.
  const sound = actions.filter(({ name }) => !name.startsWith('recover_'));
  const offered = asks ? sound.filter(({ name }) => name in deeds && name !== 'retry' && name !== 'give_up') : sound;
  return `You can ${asks ? 'also ' : ''}${choices(offered, subject, operation)}.`;
}

/** `cancel the operation, or undeploy or delete the service`: an object is said once. */
function choices(actions: readonly NextAction[], { type }: Subject, operation: WhyFacts['operation']): string {
  const verbs = new Map<string, string[]>();
  for (const { name, href } of actions) {
    const ofLast =
      operation && href.endsWith(`/operations/${operation._id}/retry`) ? retryWords[operation.kind].advice : undefined;
    const [verb, of] = ofLast ?? deeds[name] ?? [name.replaceAll('_', ' '), ''];
    // Of a service, what is resumed is what of it is switched off.
    const object = name === 'resume' && type === 'service' ? 'its VMs' : of;
    verbs.set(object, [...(verbs.get(object) ?? []), verb]);
  }
  const said = [...verbs].map(([object, its]) => `${listed(its, 'or')} ${object}`.trim());
  const isNested = said.length > 1 && said.some((text) => text.includes(' or '));
  return isNested ? `${said.slice(0, -1).join(', ')}, or ${said.at(-1)}` : listed(said, 'or');
}

function resourceOf(subject: Subject): Why['resource'] {
  const { id, name } = subject;
  if (subject.type === 'gone') return { type: subject.was, id, name, state: 'gone' };
  return { type: subject.type, id, name, state: subject.type === 'zone' ? 'RUNNING' : subject.state };
}
