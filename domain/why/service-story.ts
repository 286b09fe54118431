import { capital } from '../../schemas/common/capital.js';
import { calledOf, counted } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import { takesAway } from '../../schemas/operations.js';
import { isOpen } from '../operation-states.js';
import { ofRole } from '../operations/names.js';
import { loweredText } from '../services/departure.js';
import { heldBack } from '../services/role-cap.js';
import { isUp } from '../services/service-states.js';
import { clock, few, lengthOf, sentence } from '../words.js';
import { joined, type ServiceSubject, type Story, story, type WhyFacts } from './facts.js';
import { acceptedStory, cancelStory, stepsStory, workStory } from './operation-story.js';
import {
  deedOf,
  endedText,
  errorText,
  goingOn,
  hasOperation,
  type OperationFacts,
  progressText,
} from './operation-words.js';
import { policyStory } from './policy-story.js';
import { failuresOf, isFailed, reasonsOf, saysMore, stillOf, untoldIn, unwatchedOf, vmName } from './vm-groups.js';

const ofRoles = { one: 'role', several: 'roles' };

type Facts = OperationFacts & { subject: ServiceSubject };

/** Why a service is as it is, or how an operation on it stands. */
export const serviceStory = (facts: WhyFacts & { subject: ServiceSubject }): Story =>
  joined(ownStory(facts), heldStory(facts.subject), loweredStory(facts.subject), policyStory(facts));

/** Roles that are on hold, and those that wait behind them. */
function heldStory({ state, roles }: ServiceSubject): Story {
  const held = state === 'DONE' ? [] : roles.filter((role) => role.state === 'HOLD');
  if (held.length === 0) return story([]);
  const names = few(held.map(({ name }) => name));
  const behind = state === 'HOLD' ? roles.filter((role) => role.state === 'PENDING') : [];
  return story([
    held.length === 1
      ? `Role ${names} is on hold: it is deployed once somebody releases it.`
      : `${counted(held.length, ofRoles)} are on hold, and are deployed once somebody releases them: ${names}.`,
    behind.length > 0 ? `Behind that waits ${few(behind.map(({ name }) => name))}.` : null,
  ]);
}

/** Roles that are to have fewer VMs than they were made with, because somebody has terminated some. */
function loweredStory({ state, roles }: ServiceSubject): Story {
  if (state === 'DONE') return story([]);
  const last = roles
    .filter(({ lowered }) => lowered)
    .toSorted((one, other) => (other.lowered?.at.getTime() ?? 0) - (one.lowered?.at.getTime() ?? 0));
  return story(last.slice(0, 3).map((role) => sentence(loweredText(role) ?? '')));
}

function ownStory(facts: WhyFacts & { subject: ServiceSubject }): Story {
  if (!hasOperation(facts)) return restStory(facts);
  const { operation, isLast, subject } = facts;
  if (!isLast && !isOpen(operation)) {
    const present = `${capital(nameOf(subject))} is ${subject.state} now.`;
    return story([endedText(facts), errorText(operation), 'Another operation has come after it.', present]);
  }
  switch (operation.state) {
    case 'accepted':
      return joined(acceptedStory(facts), cancelStory(facts));
    case 'running':
    case 'waiting':
      return runningStory(facts);
    case 'waiting_for_you':
      return questionStory(facts);
    case 'failed':
    case 'cancelled':
      return failedStory(facts);
    case 'succeeded':
      return joined(restStory(facts), story([endedText(facts)]));
  }
}

const nameOf = ({ id, name }: ServiceSubject): string => `service ${id} (${name})`;

function runningStory(facts: Facts): Story {
  const { operation, subject, steps } = facts;
  const deploys = !takesAway(operation.kind);
  const waits = deploys ? joined(capacityStory(subject), gateStory(subject)) : story([]);
  const troubles = joined(stepsStory(facts, steps, subject.vms), deploys ? lossesStory(subject) : story([]));
  const isHeldUp = waits.sentences.length > 0 || troubles.trouble;
  return joined(
    story([goingOn(`${ofRole(operation.role)}${nameOf(subject)}`, facts)]),
    cancelStory(facts),
    troubles,
    waits.sentences.length > 0 || operation.waiting_for === null
      ? waits
      : story([sentence(`It waits for ${operation.waiting_for}`)]),
    deploys ? turnStory(subject) : story([]),
    isHeldUp ? story([]) : workStory(facts),
  );
}

/** Roles that could begin, and are behind others. */
function turnStory({ roles }: ServiceSubject): Story {
  const next = roles.filter(({ isNext }) => isNext);
  if (next.length === 0) return story([]);
  const waits = next.length === 1 ? 'is ready and waits for its turn' : 'are ready and wait for their turn';
  return story([`${counted(next.length, ofRoles)} ${waits}: ${few(next.map(({ name }) => name))}.`]);
}

/** VMs that fit on no host, with what placement said. */
function capacityStory({ vms }: ServiceSubject): Story {
  const waiting = vms.filter(({ state, reason }) => state === 'PENDING' && reason !== null);
  if (waiting.length === 0) return story([]);
  const roles = [...new Set(waiting.flatMap(({ role }) => (role === null ? [] : [role])))];
  return story([
    `It waits for room for ${counted(waiting.length, kinds.vm)} of ${calledOf(roles.length, ofRoles)} ${few(roles)}.`,
    ...reasonsOf(waiting),
    // Where room is not what they lack, their reasons say what helps.
    waiting.some(({ reason }) => reason?.includes('arcus host '))
      ? 'It goes on by itself once an administrator has done that, or that host takes VMs again.'
      : 'It goes on by itself as soon as a host has room: add, enable or free one.',
  ]);
}

/** VMs that run behind the ready gate and have not reported. */
function gateStory({ vms }: ServiceSubject): Story {
  const unready = vms.filter((vm) => vm.unready);
  if (unready.length === 0) return story([]);
  return story([
    `It waits for ${counted(unready.length, kinds.vm)} to report READY=YES from inside: ${few(unready.map(vmName))}.`,
  ]);
}

/** VMs that have failed while others go on. */
function lossesStory({ vms }: ServiceSubject): Story {
  const failed = vms.filter(isFailed);
  if (failed.length === 0) return story([]);
  const opening = `${counted(failed.length, kinds.vm)} ${failed.length === 1 ? 'has' : 'have'} failed so far.`;
  return story([opening, ...reasonsOf(failed)], { failures: failuresOf(failed), trouble: true });
}

function questionStory(facts: Facts): Story {
  const { operation, subject, now } = facts;
  const { question } = operation;
  const since = question
    ? `, since ${clock(question.asked_at, now)} (${lengthOf(now.getTime() - question.asked_at.getTime())})`
    : '';
  const progress = progressText(facts);
  return joined(
    story(
      [
        `${capital(deedOf(operation))} waits for your answer${since}${progress ? `: ${progress}` : ''}.`,
        question && sentence(question.text),
      ],
      { failures: failuresOf(subject.vms.filter(isFailed)), trouble: true },
    ),
    cancelStory(facts),
  );
}

function failedStory(facts: Facts): Story {
  const { operation, subject } = facts;
  const progress = progressText(facts);
  const failed = subject.vms.filter(isFailed);
  // What is said of each VM that failed need not be said twice; what the roles lack beside is said by the operation alone.
  const detail = operation.error?.detail ?? '';
  const isTold =
    operation.error?.code === 'roles_failed' &&
    failed.length > 0 &&
    (takesAway(operation.kind) || !saysMore(detail, failed, namesOf(subject)));
  const ownError = isTold ? null : errorText(operation);
  const count =
    failed.length > 0 && `${counted(failed.length, kinds.vm)} ${failed.length === 1 ? 'has' : 'have'} failed`;
  const counts = [progress, count || null].filter((text) => text !== null);
  const own = operation.state === 'failed' && operation.error;
  const surplus = takesAway(operation.kind) ? [] : surplusOf(subject);
  return story(
    [
      endedText(facts),
      ownError,
      counts.length > 0 ? capital(sentence(counts.join('; '))) : null,
      ...surplus,
      ...(takesAway(operation.kind) ? [] : heldBackOf(subject)),
      ...reasonsOf(ownError === null ? failed : untoldIn(detail, failed)),
      ...unwatchedOf(subject.vms),
    ],
    {
      failures: [
        ...(own && ownError !== null
          ? [{ what: deedOf(operation), detail: own.detail, attempts: null, next_retry_at: null }]
          : []),
        ...failuresOf(failed),
      ],
      trouble: true,
    },
  );
}

/** A service that nothing is done with. */
function restStory({ subject, now }: Pick<WhyFacts, 'now'> & { subject: ServiceSubject }): Story {
  const { state, roles, vms } = subject;
  const name = capital(nameOf(subject));
  if (state === 'DONE') return story([`${name} is DONE: its VMs are gone, and only its document is left.`]);
  if (!isUp(state))
    return story([`${name} is ${state}.`, ...roleReasons(subject), ...offlineOf(subject)], {
      failures: failuresOf(vms.filter(isFailed)),
      trouble: state === 'WARNING' || state === 'FAILED_SCALING',
    });
  const others = vms.filter((vm) => vm.state !== 'ACTIVE/RUNNING');
  const total = roles.reduce((sum, { cardinality }) => sum + cardinality, 0);
  const counts = countsOf(subject);
  const lacking = counts.reduce((sum, { runs, cardinality }) => sum + Math.max(0, cardinality - runs), 0);
  const surplus = surplusOf(subject);
  if (lacking === 0) {
    const all = total === 1 ? 'its one VM runs' : `all ${total} VMs of its ${counted(roles.length, ofRoles)} run`;
    return story(
      [
        `${name} runs: ${all}.`,
        ...surplus,
        ...(others.length === 0
          ? []
          : [`Besides, it has ${counted(others.length, kinds.vm)} that ${others.length === 1 ? 'does' : 'do'} not.`]),
        ...stillOf(others, now),
        ...unwatchedOf(vms),
        ...restingRoles(subject, now),
      ],
      { failures: failuresOf(others.filter(isFailed)), trouble: surplus.length > 0 || others.some(isFailed) },
    );
  }
  return story(
    [
      `${name} is ${state}, but only ${total - lacking} of ${counted(total, kinds.vm)} run.`,
      ...surplus,
      ...stillOf(others, now),
      ...unwatchedOf(vms),
    ],
    { failures: failuresOf(others.filter(isFailed)), trouble: true },
  );
}

/** VMs of a service at rest of whose hosts its roles do not say that they are OFFLINE. */
const offlineOf = ({ vms }: ServiceSubject): string[] => [
  ...reasonsOf(vms.filter((vm) => vm.offline && isFailed(vm))),
  ...unwatchedOf(vms),
];

const namesOf = ({ roles }: ServiceSubject): string[] => roles.map(({ name }) => name);

/** Roles that have more VMs than they are to have: one that could not be removed, and was replaced, may run after all. */
const surplusOf = (subject: ServiceSubject): string[] =>
  countsOf(subject).flatMap(({ role, runs, cardinality }) => {
    if (runs <= cardinality) return [];
    const way =
      subject.state === 'FAILED_DEPLOYING'
        ? 'a recovery ends what is too many'
        : `end what is too many (\`arcus vm terminate\`), or scale the role to ${runs} to keep all`;
    return [
      `Role ${role} has ${counted(runs, kinds.vm)} that ${runs === 1 ? 'runs' : 'run'}, and is to have ${cardinality}: ${way}.`,
    ];
  });

/** Roles in the place of whose VMs no others are made, for those that are not gone are too many. */
function heldBackOf(subject: ServiceSubject): string[] {
  return countsOf(subject).flatMap(({ role, runs, cardinality }) => {
    const there = subject.vms.filter((vm) => vm.role === role).length;
    const why = runs < cardinality ? heldBack(cardinality, there) : null;
    return why === null ? [] : [sentence(`Role ${role}: ${why}`)];
  });
}

/** How many VMs of each role run, and are to. */
function countsOf({ roles, vms }: ServiceSubject): { role: string; runs: number; cardinality: number }[] {
  const running = new Map<string | null, number>();
  for (const { role, state } of vms) if (state === 'ACTIVE/RUNNING') running.set(role, (running.get(role) ?? 0) + 1);
  return roles.map(({ name, cardinality }) => ({ role: name, runs: running.get(name) ?? 0, cardinality }));
}

const restingRoles = ({ roles }: ServiceSubject, now: Date): string[] =>
  roles.flatMap(({ name, state, cooldown_until: until }) =>
    state === 'COOLDOWN' && until ? [`Role ${name} was scaled, and rests until ${clock(until, now)}.`] : [],
  );

const roleReasons = ({ roles }: ServiceSubject): string[] =>
  roles.flatMap(({ name, reason }) => (reason === null ? [] : [sentence(`Role ${name}: ${reason}`)]));
