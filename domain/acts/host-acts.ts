import type { HostState, UpdateHost } from '../../schemas/host.js';
import type { FactsOf } from './facts.js';
import type { Verdict } from './verdict.js';

export type HostWish = NonNullable<UpdateHost['state']>;

const already: { readonly [W in HostWish]: readonly HostState[] } = {
  // One that does not answer is enabled too: to ask for it has it looked at at once.
  enabled: ['INIT', 'MONITORED', 'ERROR'],
  disabled: ['DISABLED'],
  offline: ['OFFLINE'],
};

/** Administrators may set it from every state to every other. */
export const maySetHost = ({ state }: FactsOf<'host'>, to: HostWish): Verdict =>
  already[to].includes(state) ? 'is so' : 'may';
