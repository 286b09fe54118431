import type { FailedOver } from '../../../schemas/operations/failed-over.js';
import type { Flushed } from '../../../schemas/operations/flushed.js';
import type { Operation } from '../../../schemas/operations/operation.js';
import type { Situation } from './situation.js';
import { ago, ahead, answered, facts, failed, host, operation, silent, step } from './why-facts.js';

/** Hosts, and checks of the whole zone. */
const flush = (over: Partial<Operation>): Operation =>
  operation({ kind: 'flushHost', resource: { type: 'host', id: 3 }, resource_name: 'host-3', ...over });
const said = (over: Partial<Flushed>): Flushed => ({
  ...{ turn: 1, at: ago(5), outcome: 'moved', live: true, op: null, why: null },
  ...over,
});
const flushed = {
  34: said({}),
  35: said({ outcome: 'moving', live: false, why: 'live: its processor is another one' }),
  36: said({ outcome: 'waits', why: 'VM 35 of its role goes first' }),
  37: said({ outcome: 'stays', why: 'there is no other host' }),
};

const failover = (over: Partial<Operation>): Operation =>
  operation({ kind: 'failoverHost', resource: { type: 'host', id: 3 }, resource_name: 'host-3', ...over });
const fenceTest = (over: Partial<Operation>): Operation =>
  operation({ kind: 'testFencing', resource: { type: 'host', id: 3 }, resource_name: 'host-3', ...over });
const unarmed = 'nobody has tried whether it can be turned off: arcus host fence-test 3';
const recovered = (over: Partial<FailedOver>): FailedOver => ({
  ...{ turn: 1, at: ago(5), outcome: 'recovered', was: 'running', op: null, why: null },
  ...over,
});

export const hosts: Situation[] = [
  [
    'a host that was registered just now',
    facts({
      subject: host({ state: 'INIT', lastProbe: null, nextProbe: ahead(4), used: { cpu: 0, memory: 0 }, vms: 0 }),
    }),
  ],
  [
    'a host that has returned and still runs what is over',
    facts({
      subject: host({
        state: 'INIT',
        error: 'it still runs VMs 33 and 34 of before, which are gone or replaced and removed first',
      }),
    }),
  ],
  ['a host that answers', facts({ subject: host() })],
  [
    'a host that answers and is full',
    facts({ subject: host({ used: { cpu: 800, memory: 8_192 }, vms: 8, waiting: true }) }),
  ],
  ['a host that nobody probes', facts({ subject: host({ lastProbe: ago(400) }) })],
  [
    'a host that does not answer',
    facts({ subject: host({ state: 'ERROR', error: 'connect ECONNREFUSED 10.0.0.3:8006' }) }),
  ],
  [
    'a host that does not answer while Temporal is away',
    facts({
      subject: host({ state: 'ERROR', error: 'the probe took longer than 4 s', nextProbe: null }),
      engine: silent,
    }),
  ],
  [
    'a host whose monitoring is paused',
    facts({
      subject: host({ state: 'ERROR', error: 'the probe took longer than 4 s', nextProbe: null, vms: 1 }),
      engine: answered,
    }),
  ],
  [
    'a host of which nobody has asked when it is probed next, for it has an operation',
    facts({
      subject: host({ state: 'ERROR', error: 'the probe took longer than 4 s', nextProbe: undefined }),
      engine: answered,
    }),
  ],
  [
    'a host that has not answered for a while',
    facts({ subject: host({ state: 'ERROR', error: 'no route', silentSince: ago(340) }) }),
  ],
  [
    'a host that has missed a poll, and has a policy',
    facts({
      subject: host({
        ...{ state: 'ERROR', error: 'no route', silentSince: ago(5), vms: 3 },
        ha: { action: 'recreate', polls: 3, missed: 1, brake: null, unarmed: null },
      }),
    }),
  ],
  [
    'a host that answers, and whose policy is not armed',
    facts({
      subject: host({
        ha: { action: 'recreate', polls: 3, missed: 0, brake: null, unarmed },
      }),
    }),
  ],
  [
    'a host that does not answer, and whose policy is not armed',
    facts({
      subject: host({
        ...{ state: 'ERROR', error: 'no route', silentSince: ago(65), vms: 3 },
        ha: { action: 'recreate', polls: 3, missed: 4, brake: null, unarmed },
      }),
    }),
  ],
  [
    'a host that is turned off and on to try that',
    facts({
      subject: host({ state: 'DISABLED', error: 'no route', vms: 0, used: { cpu: 0, memory: 0 } }),
      operation: fenceTest({}),
      steps: [step({ name: 'restorePower', role: null, vms: null })],
    }),
  ],
  [
    'a host whose fencing test has failed',
    facts({
      subject: host({
        ...{ state: 'DISABLED', vms: 0, used: { cpu: 0, memory: 0 } },
        ha: { action: 'recreate', polls: 3, missed: 0, brake: null, unarmed },
      }),
      operation: fenceTest({ ...failed(5), error: { code: 'not_fenced', detail: 'ipmi at 10.0.9.3: no route' } }),
      engine: null,
    }),
  ],
  [
    'a host that is silent with most of its cluster',
    facts({
      subject: host({
        ...{ state: 'ERROR', error: 'no route', silentSince: ago(65), vms: 3 },
        ha: {
          action: 'migrate',
          polls: 3,
          missed: 4,
          brake: '3 of 5 hosts of its cluster do not answer',
          unarmed: null,
        },
      }),
    }),
  ],
  [
    'a host that is failed over, once somebody says that it is off',
    facts({
      subject: host({ state: 'ERROR', error: 'no route', silentSince: ago(65), vms: 3 }),
      operation: failover({
        ...{ state: 'waiting', waiting_for: 'somebody to say that the host is off: arcus host fenced 3' },
      }),
    }),
  ],
  [
    'a host whose VMs are recovered elsewhere',
    facts({
      subject: host({ state: 'ERROR', error: 'no route', fenced: { at: ago(2), by: 'ipmi-off' }, vms: 3 }),
      operation: failover({
        failed_over: {
          34: recovered({}),
          35: recovered({ outcome: 'under_way' }),
          36: recovered({ outcome: 'waits', why: 'VMs of role db go first' }),
          37: recovered({ outcome: 'pending', why: 'no host has 4 CPU free' }),
          38: recovered({ outcome: 'stays', was: 'off', why: 'it is off' }),
        },
      }),
      progress: { done: 1, total: 4, unit: 'VMs', roles: [] },
    }),
  ],
  [
    'a host whose failover has failed',
    facts({
      subject: host({ state: 'ERROR', error: 'no route', silentSince: ago(90), vms: 3 }),
      operation: failover({
        ...failed(5),
        error: { code: 'not_fenced', detail: 'host-3 could not be turned off: ipmi-off ended with 1: no route.' },
      }),
      engine: null,
    }),
  ],
  [
    'a host that is being flushed',
    facts({
      subject: host({ state: 'DISABLED', vms: 3 }),
      operation: flush({ flushed }),
      progress: { done: 1, total: 4, unit: 'VMs', roles: [] },
    }),
  ],
  [
    'a host that is being flushed while another one does not answer',
    facts({
      subject: host({ state: 'DISABLED', vms: 3 }),
      operation: flush({ flushed }),
      progress: { done: 1, total: 4, unit: 'VMs', roles: [] },
      hindered: new Map([[35, 'tried 3 times: host-4 could not be reached']]),
    }),
  ],
  [
    'a host whose flush has failed',
    facts({
      subject: host({ state: 'DISABLED', vms: 1 }),
      operation: flush({
        ...failed(5),
        error: { code: 'vm_failed', detail: '1 of 4 VMs stays on host-3: VM 37: there is no other host' },
      }),
      engine: null,
    }),
  ],
  [
    'a host that was enabled after its flush failed',
    facts({
      subject: host(),
      operation: flush({ ...failed(60), error: { code: 'vm_failed', detail: 'no' } }),
      engine: null,
    }),
  ],
  ['a host that is disabled', facts({ subject: host({ state: 'DISABLED' }) })],
  ['a host that is disabled and silent', facts({ subject: host({ state: 'DISABLED', error: 'no route' }) })],
  ['a host that is offline', facts({ subject: host({ state: 'OFFLINE', vms: 0, used: { cpu: 0, memory: 0 } }) })],

  // The zone.
  [
    'a consistency check that goes on',
    facts({
      about: 'operation',
      subject: { type: 'zone', id: 0, name: 'Arcus' },
      operation: operation({
        kind: 'checkConsistency',
        input: { repair: false },
        resource: { type: 'zone', id: 0 },
        resource_name: 'Arcus',
      }),
      steps: [step({ name: 'checkHosts', role: null, vms: null })],
    }),
  ],
  [
    'a consistency check that failed',
    facts({
      about: 'operation',
      subject: { type: 'zone', id: 0, name: 'Arcus' },
      operation: operation({
        kind: 'checkConsistency',
        input: { repair: false },
        resource: { type: 'zone', id: 0 },
        resource_name: 'Arcus',
        ...failed(5),
        error: { code: 'backend_unavailable', detail: 'no hypervisor answers' },
      }),
      engine: null,
    }),
  ],
];
