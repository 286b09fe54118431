import { describe, expect, it } from 'vitest';
import { HostState } from '../../../schemas/hosts/host.js';
import { deadEnds, sayWalked, walk } from '../acts/ways-out.js';
import { offeredOf, probed, type SeenHost, turned } from './host-ways.js';

const states = walk<SeenHost>({
  from: { state: 'INIT', answers: true },
  happens: turned,
  leadsOn: (host) => [...probed(host), ...offeredOf(host)],
});

sayWalked('a host', states);

/** One that answers takes VMs; of one that is gone for good that is said, and nothing waits for it. */
const isWell = ({ state, answers }: SeenHost): boolean => state === (answers ? 'MONITORED' : 'OFFLINE');

describe('a host', () => {
  it('has from every state that can come about a way to MONITORED if it answers, and to OFFLINE if it never does', () => {
    expect(deadEnds(states, isWell)).toEqual([]);
  });

  it('comes into every state, answering or not', () => {
    const found = [...states.values()].map(({ state: { state, answers } }) => `${state} ${answers}`);
    expect(found.sort()).toEqual(HostState.options.flatMap((state) => [`${state} false`, `${state} true`]).sort());
  });

  it.each([['enable'], ['offline'], ['it is probed']])('would be stuck if it were not for %s', (name) => {
    expect(deadEnds(states, isWell, [name])).not.toEqual([]);
  });
});
