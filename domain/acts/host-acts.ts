import type { UpdateHost } from '../../schemas/hosts/host.js';
import { type HostEvent, heardStates, nextHostState } from '../hosts/host-states.js';
import type { FactsOf } from './facts.js';
import type { Verdict } from './verdict.js';

export type HostWish = NonNullable<UpdateHost['state']>;

/** What a wish does to a host. */
export const hostEvents = { enabled: 'enable', disabled: 'disable', offline: 'offline' } as const satisfies Record<
  HostWish,
  HostEvent
>;

/** Administrators may set it from every state to every other. One that does not answer is enabled already. */
export function maySetHost({ state }: FactsOf<'host'>, to: HostWish): Verdict {
  const isSo =
    to === 'enabled'
      ? heardStates.some((heard) => heard === state)
      : nextHostState(state, hostEvents[to]) === undefined;
  return isSo ? 'is so' : 'may';
}
