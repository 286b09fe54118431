import type { UpdateHost } from '../../schemas/hosts/host.js';
import { type HostEvent, heardStates, isSilent, nextHostState } from '../hosts/host-states.js';
import { sentence } from '../words.js';
import type { FactsOf } from './facts.js';
import { inTheWay, type Verdict, wrongState } from './verdict.js';

export type HostWish = NonNullable<UpdateHost['state']>;

/** What a wish does to a host. */
export const hostEvents = { enabled: 'enable', disabled: 'disable', offline: 'offline' } as const satisfies Record<
  HostWish,
  HostEvent
>;

/**
 * Administrators may set it from every state to every other, but for what takes a flush its ground. One that does not answer is
 * enabled already.
 */
export function maySetHost(host: FactsOf<'host'>, to: HostWish): Verdict {
  const { state, work } = host;
  const isSo =
    to === 'enabled'
      ? heardStates.some((heard) => heard === state)
      : nextHostState(state, hostEvents[to]) === undefined;
  if (isSo) return 'is so';
  return work ? isFlushed(host, work) : 'may';
}

/** VMs are moved away from a host that answers: of one that does not nobody knows what runs there. */
export function mayFlush(host: FactsOf<'host'>): Verdict {
  const { id, name, state, error, work } = host;
  if (work) return isFlushed(host, work);
  if (!isSilent(host)) return 'may';
  const it = `Host ${id} (${name})`;
  if (state === 'OFFLINE')
    return wrongState(
      `${it} is OFFLINE: nothing is asked of it. Disable it first, which has it watched again, and flush it then.`,
    );
  return wrongState(
    `${it} does not answer: ${sentence(error ?? 'it said nothing')} Nothing can be moved away from it until it does. VMs that are lost with it can be terminated or recreated.`,
  );
}

const isFlushed = ({ id, name }: FactsOf<'host'>, work: NonNullable<FactsOf<'host'>['work']>): Verdict =>
  inTheWay(work, `Operation ${work.op} is flushing host ${id} (${name}). Wait for it or cancel it.`);
