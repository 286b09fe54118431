import type { UpdateHost } from '../../schemas/hosts/host.js';
import { onHost } from '../hosts/host-operations.js';
import { type HostEvent, heardStates, isSilent, nextHostState } from '../hosts/host-states.js';
import { sentence } from '../words.js';
import type { FactsOf, Work } from './facts.js';
import { type MayRetryOn, whereThere } from './retrying.js';
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
  return work ? isBusy(host, work) : 'may';
}

/** VMs are moved away from a host that answers: of one that does not nobody knows what runs there. */
export function mayFlush(host: FactsOf<'host'>): Verdict {
  const { id, name, state, error, work } = host;
  if (work) return isBusy(host, work);
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

function isBusy({ id, name }: FactsOf<'host'>, work: Work): Verdict {
  const does = onHost(work.kind)?.does ?? 'at work on';
  return inTheWay(work, `Operation ${work.op} is ${does} host ${id} (${name}). Wait for it or cancel it.`);
}

/** Nothing is taken from a host that answers: what runs there would run twice. */
export function mayFailOver(host: FactsOf<'host'>): Verdict {
  const { id, name, state, work } = host;
  if (work) return isBusy(host, work);
  if (state === 'ERROR' || (state === 'DISABLED' && isSilent(host))) return 'may';
  const it = `Host ${id} (${name})`;
  return wrongState(
    state === 'OFFLINE'
      ? `${it} is OFFLINE: nobody looks whether it answers. Enable or disable it first, which has it watched again.`
      : `${it} answers, or has not been looked at yet: its VMs run there. arcus host flush ${id} moves them away.`,
  );
}

/** Who says that a host is off says it of one that does not answer: where it does, it is not. */
export function mayCallFenced({ id, name, state, error }: FactsOf<'host'>): Verdict {
  if (state === 'ERROR' || (state === 'DISABLED' && isSilent({ state, error }))) return 'may';
  return wrongState(
    state === 'OFFLINE'
      ? `Host ${id} (${name}) is OFFLINE: that says already that nothing runs there.`
      : `Host ${id} (${name}) answers, or has not been looked at yet: it is not off.`,
  );
}

export const hostRetries: MayRetryOn<'host'> = {
  flushHost: whereThere('host', mayFlush),
  failoverHost: whereThere('host', mayFailOver),
};
