import { hostEvents } from '../../../domain/acts/host-acts.js';
import { nextActions } from '../../../domain/acts/next-actions.js';
import { type HostEvent, nextHostState } from '../../../domain/hosts/host-states.js';
import type { HostState } from '../../../schemas/hosts/host.js';
import type { Way } from '../acts/ways-out.js';

/** A host: what it is called, and whether it answers, which nobody knows but by asking. */
export type SeenHost = { state: HostState; answers: boolean };

/** What a probe finds, which comes by itself. */
export function probed(host: SeenHost): Way<SeenHost>[] {
  const events: readonly HostEvent[] = host.answers ? ['answer', 'answer_unclear'] : ['fall_silent'];
  return events.flatMap((event) => {
    const state = nextHostState(host.state, event);
    return state === undefined || state === host.state ? [] : [{ name: 'it is probed', to: { ...host, state } }];
  });
}

const verbs = { enable: 'enabled', disable: 'disabled', offline: 'offline' } as const;

/** What administrators are offered, and what comes of it. */
export function offeredOf(host: SeenHost): Way<SeenHost>[] {
  const facts = { about: 'resource', operation: null, after: null, mayManage: true, mayAdmin: true } as const;
  return nextActions({
    ...facts,
    resource: { ...{ type: 'host', id: 1, name: 'host-1' }, ...{ state: host.state, error: null, vms: 0, work: null } },
  }).flatMap(({ name }) => {
    if (name !== 'enable' && name !== 'disable' && name !== 'offline') return [];
    const state = nextHostState(host.state, hostEvents[verbs[name]]);
    return state === undefined ? [] : [{ name, to: { ...host, state } }];
  });
}

/** It falls silent, or answers again: nobody can count on either. */
export const turned = (host: SeenHost): Way<SeenHost>[] => [
  { name: host.answers ? 'the host falls silent' : 'the host answers', to: { ...host, answers: !host.answers } },
];
