import { capital } from '../../schemas/common/capital.js';
import { counted } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Step } from '../../schemas/operations/step.js';
import { onHost } from '../hosts/host-operations.js';
import { isOpen } from '../operation-states.js';
import { clauses, clock, lengthOf, sentence, times, when } from '../words.js';
import { type HostSubject, joined, type Story, story, type WhyFacts } from './facts.js';
import { acceptedStory, cancelStory, stepsStory } from './operation-story.js';
import { endedText, errorText, goingOn, hasOperation, type OperationFacts, resourceName } from './operation-words.js';

/** A host that was not probed for so long is not being monitored as it should. */
const overdue = 60_000;

type Facts = WhyFacts & { subject: HostSubject };

/** Why a host takes VMs or does not, and how far the operation on it is, or what came of the last one. */
export function hostStory(facts: Facts): Story {
  return joined(stateStory(facts), hasOperation(facts) ? workOnIt(facts) : story([]));
}

function workOnIt(facts: Facts & OperationFacts): Story {
  const { operation, subject, steps } = facts;
  if (operation.state === 'accepted') return joined(acceptedStory(facts), cancelStory(facts));
  if (isOpen(operation))
    return joined(
      story([
        goingOn(resourceName(operation), facts),
        ...flushedText(operation, facts.hindered),
        ...failedOverText(operation),
      ]),
      cancelStory(facts),
      stepsStory(facts, steps, []),
    );
  if (operation.state === 'succeeded' || onHost(operation.kind)?.isTold(subject) !== true) return story([]);
  return story([endedText(facts), errorText(operation)], { trouble: true });
}

/** VMs that are told of in full. */
const told = 3;

/** What the VMs of a flush wait for, and which cannot be moved. */
function flushedText(operation: Operation, hindered: WhyFacts['hindered']): string[] {
  const all = Object.entries(operation.flushed ?? {});
  return (['moving', 'waits', 'stays'] as const).flatMap((outcome) => {
    const its = all.filter(([, one]) => one.outcome === outcome);
    if (its.length === 0) return [];
    const said = its.slice(0, told).map(([vm, { why, live }]) => {
      const way = outcome === 'moving' ? (live ? 'live' : 'cold') : null;
      const hindrance = outcome === 'moving' ? hindered?.get(Number(vm)) : undefined;
      const about = [way, why, hindrance].filter((text) => text !== null && text !== undefined).join(', ');
      return `VM ${vm}${about === '' ? '' : ` (${about})`}`;
    });
    const more = its.length > told ? [`${its.length - told} more`] : [];
    return [`${words[outcome]}: ${clauses([...said, ...more])}.`];
  });
}
const words = { moving: 'On their way', waits: 'Waiting', stays: 'Cannot be moved' } as const;

/** The same of a failover. */
function failedOverText(operation: Operation): string[] {
  if (operation.state === 'waiting' && operation.waiting_for !== null)
    return [sentence(`It waits for ${operation.waiting_for}`)];
  const all = Object.entries(operation.failed_over ?? {});
  return (['under_way', 'waits', 'pending', 'stays'] as const).flatMap((outcome) => {
    const its = all.filter(([, one]) => one.outcome === outcome);
    if (its.length === 0) return [];
    const said = its.slice(0, told).map(([vm, { why }]) => `VM ${vm}${why === null ? '' : ` (${why})`}`);
    const more = its.length > told ? [`${its.length - told} more`] : [];
    return [`${recoveryWords[outcome]}: ${clauses([...said, ...more])}.`];
  });
}
const recoveryWords = {
  ...{ under_way: 'Being recovered', waits: 'Waiting' },
  ...{ pending: 'Waiting for room', stays: 'Not recovered' },
} as const;

/** Whether it is known to be off, and what is done by itself. */
function haText({ fenced, ha, vms }: HostSubject, now: Date): string[] {
  if (fenced) return [`It is off: ${fenced.by} said so ${when(fenced.at, now)}.`];
  if (!ha || vms === 0) return [];
  const done = { recreate: 'made anew elsewhere', migrate: 'started elsewhere', delete: 'ended' }[ha.action];
  if (ha.unarmed !== null) return [sentence(`No failover begins by itself: ${ha.unarmed}`)];
  if (ha.brake !== null) return [sentence(capital(ha.brake))];
  if (ha.missed >= ha.polls) return [];
  const missed = ha.missed === 1 ? 'a poll' : `${ha.missed} polls in a row`;
  return [`It has missed ${missed}: after ${ha.polls} it is turned off, and its VMs are ${done}.`];
}

/** Of one that has not failed: what comes of it when it does. */
const unarmedText = ({ ha }: HostSubject): string | null =>
  ha?.unarmed ? sentence(`Should it fail, no failover begins by itself: ${ha.unarmed}`) : null;

/** What a migration does not get on with: what it waits for has its name in the words in which that failed. */
export const hindrance = ({ attempts, error }: Pick<Step, 'attempts' | 'error'>): string =>
  `tried ${times(attempts)}: ${error?.detail.replace(/\.$/, '') ?? 'it is not known why'}`;

function stateStory({ subject, engine, now }: Facts): Story {
  const { id, name, state, error, lastProbe, silentSince, nextProbe, waiting } = subject;
  const since = silentSince
    ? `It has not answered since ${clock(silentSince, now)} (${lengthOf(now.getTime() - silentSince.getTime())}).`
    : null;
  const it = `Host ${id} (${name})`;
  const next =
    nextProbe === undefined
      ? null
      : nextProbe
        ? `It is probed ${lastProbe ? 'again ' : ''}${when(nextProbe, now)}.`
        : engine?.answered === false
          ? 'When it is probed next is not known, for Temporal did not answer.'
          : 'No probe is planned: the monitoring is paused in Temporal.';
  const isOverdue = lastProbe !== null && now.getTime() - lastProbe.getTime() > overdue;
  const late =
    isOverdue && lastProbe
      ? `It was not probed for ${lengthOf(now.getTime() - lastProbe.getTime())}: see whether a worker is running.`
      : null;
  switch (state) {
    case 'INIT':
      if (error !== null) return story([`${it} answers, and takes no VMs yet: ${sentence(error)}`, late ?? next]);
      return story([`${it} has not been probed yet; it takes VMs as soon as it has answered.`, next]);
    case 'MONITORED':
      return story(
        [
          `${it} answers${lastProbe ? `, last ${when(lastProbe, now)}` : ''}, and ${isFull(subject) ? 'is full' : 'takes VMs'}: ${room(subject)}.`,
          late,
          waiting ? 'Some VMs wait for a host, for they fit nowhere now.' : null,
          unarmedText(subject),
        ],
        { trouble: late !== null },
      );
    case 'ERROR':
      return story(
        [
          `${it} did not answer when it was probed${lastProbe ? ` ${when(lastProbe, now)}` : ''}: ${sentence(error ?? 'it said nothing')}`,
          since,
          late ?? next,
          ...haText(subject, now),
          `Until it answers it takes no VMs${subject.vms > 0 ? `; ${counted(subject.vms, kinds.vm)} ${subject.vms === 1 ? 'has its' : 'have their'} place on it${subject.fenced ? '' : `, and steps on ${subject.vms === 1 ? 'it' : 'them'} are tried again`}` : ''}.`,
        ],
        {
          failures: [
            {
              what: it,
              detail: error ?? 'it said nothing',
              attempts: null,
              next_retry_at: nextProbe?.toISOString() ?? null,
            },
          ],
          trouble: true,
        },
      );
    case 'DISABLED':
      return story([
        `${it} is disabled: it keeps its VMs and takes no new ones. ${capital(room(subject))}.`,
        error === null ? null : `Nothing is heard of it: ${sentence(error)}`,
        error === null ? null : since,
        unarmedText(subject),
      ]);
    case 'OFFLINE':
      return story([`${it} is offline: it is not probed and takes no VMs. ${capital(room(subject))}.`]);
  }
}

const isFull = ({ total, used }: HostSubject): boolean => used.cpu >= total.cpu || used.memory >= total.memory;

const cores = (hundredths: number): string => String(hundredths / 100);

function room({ total, used, vms }: HostSubject): string {
  const [cpu, memory] = [total.cpu - used.cpu, total.memory - used.memory];
  return `${cores(cpu)} of ${cores(total.cpu)} CPU and ${memory} of ${total.memory} MB of memory are free, with ${counted(vms, kinds.vm)} on it`;
}
