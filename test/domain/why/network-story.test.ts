import { expect, it } from 'vitest';
import { longestRun } from '../../../domain/networks/free-addresses.js';
import { type NetworkFacts, whyNetwork } from '../../../domain/why/network-story.js';

const facts = (over: Partial<NetworkFacts> = {}): NetworkFacts => ({
  ...{ id: 3, name: 'office', parent: null, service: null, size: 10, longest: 10 },
  vms: { addresses: 0, first: [], count: 0 },
  ...{ reservations: [], held: { addresses: 0, first: null } },
  ...{ manages: true, administers: true, href: '/api/v1/virtual-networks/3' },
  ...over,
});
const vms = { addresses: 5, first: [7, 8, 9], count: 4 };
const held = { addresses: 1, first: { ip: '10.0.0.9' } };
const reservations = [{ id: 4, name: 'mine', addresses: 4 }];

it.each<[string, Partial<NetworkFacts>, string, state: string]>([
  ['that nobody uses', {}, 'Virtual network 3 (office) has 10 addresses, and nobody has one.', 'FREE'],
  [
    'that some use',
    { vms, longest: 3 },
    'Virtual network 3 (office) has 10 addresses: 5 are had by VM 7, VM 8, VM 9 and 1 more and 5 are free, at most 3 of them in a row, for a reservation.',
    'FREE',
  ],
  [
    'that is full',
    { vms, held, reservations, longest: 0 },
    'Virtual network 3 (office) has 10 addresses: 5 are had by VM 7, VM 8, VM 9 and 1 more, 4 are reserved for network 4 (mine), 1 is held back and none is free. One comes back when a VM that has one is DONE, or its NIC is detached. You can release what is held or add a range (arcus network addar 3 --ip … --size …).',
    'FULL',
  ],
  [
    'that is full, for whoever may only use it',
    { size: 5, vms, longest: 0, manages: false, administers: false },
    'Virtual network 3 (office) has 5 addresses: 5 are had by VM 7, VM 8, VM 9 and 1 more and none is free. One comes back when a VM that has one is DONE, or its NIC is detached. Whoever has ADMIN on it can add a range.',
    'FULL',
  ],
  [
    'without a range',
    { size: 0, longest: 0 },
    'Virtual network 3 (office) has no addresses: no VM can be on it before a range is added. You can add a range (arcus network addar 3 --ip … --size …).',
    'EMPTY',
  ],
  [
    'of a service',
    { parent: { id: 1, name: null }, service: 12, size: 5, vms, longest: 0 },
    'Virtual network 3 (office) is made of addresses of network 1, was made for service 12, and goes with it. It has 5 addresses: 5 are had by VM 7, VM 8, VM 9 and 1 more and none is free. One comes back when a VM that has one is DONE, or its NIC is detached.',
    'FULL',
  ],
])('tells of a network %s', (_, over, text, state) => {
  const told = whyNetwork(facts(over));
  expect([told.text, told.resource.state]).toEqual([text, state]);
});

it('offers what may be done, by whoever may do it', () => {
  const commands = (over: Partial<NetworkFacts>) => whyNetwork(facts(over)).actions.map(({ command }) => command);
  expect(commands({})).toEqual(['arcus network delete 3']);
  expect(commands({ manages: false })).toEqual([]);
  expect(commands({ service: 12 })).toEqual([]);
  expect(commands({ held, vms })).toEqual(['arcus network release 3 10.0.0.9']);
  expect(commands({ held: { addresses: 1, first: { mac: '02:00:00:00:00:01' } } })).toEqual([
    'arcus network release 3 02:00:00:00:00:01',
  ]);
});

it('knows the longest run that is free', () => {
  expect([longestRun([], 4), longestRun([0, 3], 9), longestRun([2, 3], 5), longestRun([0, 1], 2)]).toEqual([
    4, 5, 2, 0,
  ]);
});
