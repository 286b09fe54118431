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

/** Nothing of it may be lost when its power is cut, and nothing may come to it meanwhile. */
export function mayTestFencing(host: FactsOf<'host'>): Verdict {
  const { id, name, state, vms, ha, outside, cut, work } = host;
  const it = `Host ${id} (${name})`;
  if (work) return isBusy(host, work);
  if (!ha) return wrongState(`${it} has no policy that says how it is turned off: arcus host ha ${id} gives it one.`);
  if (ha.automatic === 0)
    return wrongState(`${it} is turned off by a person, who is asked when it fails: there is nothing to test.`);
  if (vms > 0)
    return wrongState(
      `${it} has ${vms === 1 ? 'a VM' : `${vms} VMs`}, and its power is cut: arcus host flush ${id} moves them away.`,
    );
  if (outside)
    return wrongState(
      `${it} runs domains that have no place there (zombies or wilds), and its power is cut: end them.`,
    );
  if (state === 'DISABLED')
    return isSilent(host) && !cut
      ? wrongState(`${it} does not answer: only of one that does it is seen that it goes.`)
      : 'may';
  return wrongState(
    `${it} is ${state}, and has to be DISABLED, so that no VM comes while its power is cut: arcus host disable ${id}, and enable it afterwards.`,
  );
}

export const hostRetries: MayRetryOn<'host'> = {
  flushHost: whereThere('host', mayFlush),
  failoverHost: whereThere('host', mayFailOver),
  testFencing: whereThere('host', mayTestFencing),
};
