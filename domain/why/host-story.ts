import { counted, lengthOf, sentence, when } from '../words.js';
import { type HostSubject, type Story, story, type WhyFacts } from './facts.js';

/** A host that was not probed for so long is not being monitored as it should. */
const overdue = 60_000;

/** Why a host takes VMs or does not. */
export function hostStory({ subject, engine, now }: WhyFacts & { subject: HostSubject }): Story {
  const { id, name, state, error, lastProbe, nextProbe, waiting } = subject;
  const it = `Host ${id} (${name})`;
  const next = nextProbe
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
        ],
        { trouble: late !== null },
      );
    case 'ERROR':
      return story(
        [
          `${it} did not answer when it was probed${lastProbe ? ` ${when(lastProbe, now)}` : ''}: ${sentence(error ?? 'it said nothing')}`,
          late ?? next,
          `Until it answers it takes no VMs${subject.vms > 0 ? `; ${counted(subject.vms, 'VM')} ${subject.vms === 1 ? 'has its' : 'have their'} place on it, and steps on ${subject.vms === 1 ? 'it' : 'them'} are tried again` : ''}.`,
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
        error === null ? null : `It did not answer when it was last probed: ${sentence(error)}`,
      ]);
    case 'OFFLINE':
      return story([`${it} is offline: it is not probed and takes no VMs. ${capital(room(subject))}.`]);
  }
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const isFull = ({ total, used }: HostSubject): boolean => used.cpu >= total.cpu || used.memory >= total.memory;

const cores = (hundredths: number): string => String(hundredths / 100);

function room({ total, used, vms }: HostSubject): string {
  const [cpu, memory] = [total.cpu - used.cpu, total.memory - used.memory];
  return `${cores(cpu)} of ${cores(total.cpu)} CPU and ${memory} of ${total.memory} MB of memory are free, with ${counted(vms, 'VM')} on it`;
}
