import type { Situation } from './situation.js';
import {
  ago,
  booting,
  facts,
  failed,
  fullHosts,
  node,
  ofVm,
  operation,
  retrying,
  single,
  step,
  succeeded,
  unreachable,
} from './why-facts.js';

/** VMs by themselves, and nodes of services. */
export const vms: Situation[] = [
  [
    'a VM whose deployment begins',
    facts({
      subject: single({ state: 'PENDING', host: null }),
      operation: ofVm({ state: 'accepted', started_at: null, run_id: null, created_at: ago(1) }),
    }),
  ],
  [
    'a VM that waits for room',
    facts({
      subject: single({ state: 'PENDING', host: null, reason: fullHosts }),
      operation: ofVm({ state: 'waiting', waiting_for: fullHosts }),
      engine: null,
    }),
  ],
  [
    'a VM that boots',
    facts({ subject: single({ state: 'ACTIVE/BOOT' }), operation: ofVm(), steps: [step({ role: null, vms: 1 })] }),
  ],
  [
    'a VM whose host does not answer',
    facts({
      subject: single({ ...booting, silentHost: { name: 'host-3', error: unreachable.detail, lastProbe: ago(7) } }),
      operation: ofVm(),
      steps: [{ ...retrying, role: null, vms: 1 }],
    }),
  ],
  [
    'a VM of which a claim was not believed',
    facts({
      subject: single({ state: 'ACTIVE/BOOT_FAILURE', reason: 'there is no image debian-13' }),
      operation: ofVm({
        ...{ ...failed(3), kind: 'recoverVm', input: { claim: 'success' } },
        error: {
          code: 'wrong_state',
          detail: 'VM 34 has no domain on host-3, which answers: what was said of it is not so.',
        },
      }),
    }),
  ],
  [
    'a VM whose migration was cancelled, while its new host is silent',
    facts({
      subject: single({
        ...{ state: 'ACTIVE/MIGRATE', target: 'host-4' },
        silentHost: { name: 'host-4', error: 'no route', lastProbe: ago(7) },
      }),
      operation: ofVm({
        ...{ kind: 'migrateVm', input: { from: 3, host: null, live: true } },
        cancel_requested: { by: { id: 2, name: 'alice' }, at: ago(3) },
      }),
      steps: [step({ name: 'settleMove', role: null, vms: 1 })],
    }),
  ],
  [
    'a VM that is on one of two hosts',
    facts({
      subject: single({ state: 'ACTIVE/UNKNOWN', target: 'host-4', reason: 'it was lost on its way to another host' }),
      operation: ofVm({ kind: 'migrateVm', input: { from: 3, host: null, live: true }, ...failed(60) }),
      engine: null,
    }),
  ],
  ['a VM that runs', facts({ subject: single(), operation: ofVm(succeeded), engine: null })],
  [
    'a VM that runs on a host that does not answer',
    facts({
      subject: single({ silentHost: { name: 'host-3', error: unreachable.detail, lastProbe: ago(7) } }),
      operation: ofVm(succeeded),
      engine: null,
    }),
  ],
  [
    'a VM on a host that is OFFLINE',
    facts({ subject: single({ offline: true }), operation: ofVm(succeeded), engine: null }),
  ],
  [
    'a VM that failed to boot',
    facts({
      subject: single({ state: 'ACTIVE/BOOT_FAILURE', reason: 'there is no image debian-13' }),
      operation: ofVm({ ...failed(60), error: { code: 'vm_failed', detail: 'there is no image debian-13' } }),
      engine: null,
    }),
  ],
  [
    'a VM whose deployment was cancelled before it had a host',
    facts({
      subject: single({ state: 'PENDING', host: null, reason: fullHosts }),
      operation: ofVm({
        state: 'cancelled',
        ended_at: ago(5),
        error: { code: 'cancelled', detail: 'cancelled' },
        cancel_requested: { by: { id: 2, name: 'alice' }, at: ago(5) },
      }),
      engine: null,
    }),
  ],
  [
    'a VM that is being terminated',
    facts({
      subject: single({ state: 'ACTIVE/SHUTDOWN' }),
      operation: ofVm({ kind: 'terminateVm', input: { hard: false } }),
      steps: [step({ name: 'destroyVms', role: null, vms: 1 })],
    }),
  ],
  [
    'a VM that could not be terminated',
    facts({
      subject: single({ state: 'ACTIVE/UNKNOWN', reason: 'the guest does not shut down' }),
      operation: ofVm({
        kind: 'terminateVm',
        input: { hard: false },
        ...failed(90),
        error: { code: 'vm_failed', detail: 'the guest does not shut down' },
      }),
      engine: null,
    }),
  ],
  [
    'a VM that is gone',
    facts({
      subject: single({ state: 'DONE', host: null, endedAt: ago(3_600) }),
      operation: ofVm({ kind: 'terminateVm', input: { hard: false }, ...succeeded }),
      engine: null,
    }),
  ],
  ['a node that boots', facts({ subject: node({ state: 'ACTIVE/BOOT' }), operation: operation(), steps: [step()] })],
  ['a node whose step is tried again', facts({ subject: node(booting), operation: operation(), steps: [retrying] })],
  [
    'a node that waits for room',
    facts({
      subject: node({ state: 'PENDING', host: null, reason: fullHosts }),
      operation: operation({ waiting_for: 'capacity for 2 VMs of role web' }),
    }),
  ],
  [
    'a node that has not reported',
    facts({
      subject: node({ unready: true }),
      operation: operation({ waiting_for: '2 VMs of role web to report READY=YES' }),
    }),
  ],
  [
    'a node that failed, of a service that waits for you',
    facts({
      subject: node({ state: 'ACTIVE/BOOT_FAILURE', reason: 'there is no image debian-13' }),
      operation: operation({
        state: 'waiting_for_you',
        waiting_for: 'your answer',
        question: {
          text: 'Role web has failed to deploy: 2 of 3 VMs run. Retry the failed VMs, skip them, or give up?',
          roles: ['web'],
          asked_at: ago(120),
        },
      }),
      engine: null,
    }),
  ],
  [
    'a node that failed and whose service failed',
    facts({
      subject: node({ state: 'ACTIVE/BOOT_FAILURE', reason: 'there is no image debian-13' }),
      operation: operation({ ...failed(60), error: { code: 'roles_failed', detail: 'role web: 2 of 3 VMs run' } }),
      engine: null,
    }),
  ],
  ['a node that runs', facts({ subject: node(), operation: operation(succeeded), engine: null })],
];
