import type { WhyFacts } from '../../domain/why/facts.js';
import {
  ago,
  ahead,
  answered,
  facts,
  host,
  node,
  ofVm,
  operation,
  pending,
  service,
  single,
  step,
  vm,
} from './why-facts.js';

const silent = { answered: false } as const;
const failed = (seconds: number) =>
  ({ state: 'failed', started_at: ago(seconds + 180), ended_at: ago(seconds) }) as const;
const succeeded = { state: 'succeeded', started_at: ago(7_209), ended_at: ago(7_200) } as const;
const unreachable = {
  code: 'backend_unavailable',
  detail: 'host-3 does not answer: connect ECONNREFUSED 10.0.0.3:8006',
};
const booting = { state: 'ACTIVE/BOOT', reason: unreachable.detail } as const;
const boundHosts =
  'the one enabled host will not do: host 2: role web is together with role db, which is on host 1 that does not answer and may still run it: arcus host offline 1, once that is gone for good';
const fullHosts = 'needs 4 CPU; the freest of 3 enabled hosts has 2';
const retrying = step({
  attempts: 4,
  error: unreachable,
  pending: pending({ tried: 4, error: unreachable, nextTryAt: ahead(8) }),
});
const someBoot = service({
  vms: [
    vm(33, { name: 'db_0_(service_12)', role: 'db' }),
    vm(34, booting),
    vm(35, booting),
    vm(36, { host: 'host-1' }),
  ],
});
const undeployed = { kind: 'undeployService', input: { hard: null, remove: false } } as const;
const manyFailed = service({
  state: 'FAILED_DEPLOYING',
  roles: [
    { name: 'db', state: 'RUNNING', reason: null, cardinality: 1 },
    { name: 'web', state: 'FAILED_DEPLOYING', reason: '1 of 7 VMs run', cardinality: 7 },
  ],
  vms: [
    vm(33, { name: 'db_0_(service_12)', role: 'db' }),
    vm(34),
    ...[35, 36, 37, 38].map((id) => vm(id, { state: 'ACTIVE/BOOT_FAILURE', reason: 'there is no image debian-13' })),
    vm(39, { state: 'ACTIVE/BOOT_FAILURE', reason: 'the disk of host-1 is full' }),
    vm(40, { state: 'ACTIVE/UNKNOWN', reason: null }),
  ],
});

/** Every situation that somebody asks about: what is, and what is said of it. */
export const cases: [situation: string, facts: WhyFacts][] = [
  // Operations on services.
  [
    'a deployment accepted just now',
    facts({
      subject: service({ state: 'PENDING', vms: [] }),
      operation: operation({ state: 'accepted', run_id: null, started_at: null, created_at: ago(1) }),
      engine: { ...answered, hasRun: false },
    }),
  ],
  [
    'a deployment accepted while Temporal is away',
    facts({
      subject: service({ state: 'PENDING', vms: [] }),
      operation: operation({ state: 'accepted', run_id: null, started_at: null }),
      engine: silent,
    }),
  ],
  [
    'a deployment that no worker takes up',
    facts({
      subject: service({ state: 'PENDING', vms: [] }),
      operation: operation({ state: 'accepted', run_id: null, started_at: null }),
      engine: { ...answered, queuedSince: ago(12) },
    }),
  ],
  [
    'a deployment that waits for its turn',
    facts({
      subject: service({ state: 'PENDING', vms: [] }),
      operation: operation({ state: 'accepted', run_id: null, started_at: null, lane: 'shared' }),
      engine: { ...answered, queuedSince: ago(12) },
    }),
  ],
  [
    'an undeployment whose run cannot write down what it has to',
    facts({
      subject: service({ state: 'UNDEPLOYING' }),
      operation: operation({ ...undeployed, state: 'running' }),
      engine: { ...answered, failing: { tried: 4, since: ago(4), cause: 'too_large', detail: '', passes: false } },
    }),
  ],
  [
    'a deployment whose run has not begun, for its code breaks',
    facts({
      subject: service({ state: 'PENDING', vms: [] }),
      operation: operation({ state: 'accepted', run_id: null, started_at: null }),
      engine: {
        ...answered,
        failing: { tried: 12, since: ago(70), cause: 'broken', detail: 'x is not a function', passes: false },
      },
    }),
  ],
  [
    'an undeployment behind the deployment that it stops',
    facts({
      subject: service({ state: 'DEPLOYING' }),
      operation: operation({ ...undeployed, state: 'accepted', run_id: null, started_at: null }),
      engine: { ...answered, hasRun: false, inTheWay: '01KAJ3V5Q0F8T4X2M7N9P6R1AA' },
    }),
  ],
  [
    'a deployment that goes well, with an ETA',
    facts({
      subject: service({
        vms: [
          vm(33, { name: 'db_0_(service_12)', role: 'db' }),
          vm(34, { state: 'ACTIVE/BOOT' }),
          vm(35),
          vm(36, { state: 'ACTIVE/BOOT' }),
        ],
      }),
      operation: operation(),
      steps: [step()],
      eta: { at: ahead(9), typicalMilliseconds: 21_000, runs: 8 },
    }),
  ],
  [
    'a deployment of many roles, of which some have had their turn',
    facts({
      subject: service({
        roles: [
          { name: 'db', state: 'DEPLOYING', reason: null, cardinality: 1 },
          ...Array.from({ length: 198 }, (_, at) => {
            return { name: `web-${at}`, state: 'PENDING' as const, reason: null, cardinality: 1, isNext: true };
          }),
        ],
        vms: [vm(33, { name: 'db_0_(service_12)', role: 'db', state: 'ACTIVE/BOOT' })],
      }),
      operation: operation(),
    }),
  ],
  [
    'a deployment that goes well, the first of its template',
    facts({
      subject: service(),
      operation: operation(),
      steps: [step({ name: 'finishRoles', local: true, vms: null })],
    }),
  ],
  [
    'a step in retry, for a hypervisor does not answer',
    facts({ subject: someBoot, operation: operation({ started_at: ago(20) }), steps: [retrying] }),
  ],
  [
    'a step in retry while Temporal is away',
    facts({
      subject: someBoot,
      operation: operation({ started_at: ago(20) }),
      steps: [step({ attempts: 4, error: unreachable })],
      engine: silent,
    }),
  ],
  [
    'a step in its second try',
    facts({
      subject: someBoot,
      operation: operation(),
      steps: [step({ attempts: 2, error: unreachable, pending: pending({ tried: 2 }) })],
    }),
  ],
  [
    'a step that no worker takes',
    facts({
      subject: service(),
      operation: operation({ started_at: ago(30) }),
      steps: [step({ attempts: 0, role: null, vms: null, pending: pending({ tried: 0, queuedSince: ago(25) }) })],
    }),
  ],
  [
    'a run whose worker is gone',
    facts({
      subject: service(),
      operation: operation({ started_at: ago(30) }),
      engine: { ...answered, queuedSince: ago(20) },
    }),
  ],
  [
    'a deployment that waits for room',
    facts({
      subject: service({
        vms: [
          vm(33, { name: 'db_0_(service_12)', role: 'db' }),
          vm(34),
          vm(35, { state: 'PENDING', reason: fullHosts, host: null }),
          vm(36, { state: 'PENDING', reason: fullHosts, host: null }),
        ],
      }),
      operation: operation({ waiting_for: 'capacity for 2 VMs of role web', started_at: ago(200) }),
    }),
  ],
  [
    'a repair that waits for VMs whose host does not answer',
    facts({
      subject: service({
        vms: [
          vm(33, { name: 'db_0_(service_12)', role: 'db' }),
          vm(34),
          vm(35, { state: 'PENDING', reason: boundHosts, host: null }),
          vm(36, { state: 'PENDING', reason: boundHosts, host: null }),
        ],
      }),
      operation: operation({ waiting_for: 'capacity for 2 VMs of role web', started_at: ago(200) }),
    }),
  ],
  [
    'a deployment behind the ready gate',
    facts({
      subject: service({
        vms: [
          vm(33, { name: 'db_0_(service_12)', role: 'db' }),
          vm(34),
          vm(35, { unready: true }),
          vm(36, { unready: true }),
        ],
      }),
      operation: operation({ waiting_for: '2 VMs of role web to report READY=YES', started_at: ago(100) }),
    }),
  ],
  [
    'a deployment of which VMs have failed and others go on',
    facts({
      subject: service({
        vms: [
          vm(33, {
            name: 'db_0_(service_12)',
            role: 'db',
            state: 'ACTIVE/BOOT_FAILURE',
            reason: 'there is no image debian-13',
          }),
          vm(34, { state: 'ACTIVE/BOOT' }),
        ],
      }),
      operation: operation(),
      steps: [step({ vms: 1 })],
    }),
  ],
  [
    'a deployment that was asked to stop',
    facts({
      subject: service(),
      operation: operation({ cancel_requested: { by: { id: 0, name: 'oneadmin' }, at: ago(3) } }),
      steps: [step()],
    }),
  ],
  [
    'a deployment that waits for you',
    facts({
      subject: service({
        vms: [
          vm(33, { name: 'db_0_(service_12)', role: 'db' }),
          vm(34),
          vm(35, { state: 'ACTIVE/BOOT_FAILURE', reason: 'there is no image debian-13' }),
          vm(36),
        ],
      }),
      operation: operation({
        state: 'waiting_for_you',
        waiting_for: 'your answer',
        started_at: ago(300),
        question: {
          text: 'Role web has failed to deploy: 2 of 3 VMs run: VM 35 (web_1_(service_12)): there is no image debian-13. Retry the failed VMs, skip them, or give up?',
          roles: ['web'],
          asked_at: ago(120),
        },
      }),
      engine: null,
    }),
  ],
  [
    'a deployment that failed, with reasons',
    facts({
      subject: manyFailed,
      operation: operation({ ...failed(120), error: { code: 'roles_failed', detail: 'role web: 1 of 7 VMs run' } }),
      engine: null,
    }),
  ],
  [
    'the same deployment, asked about as an operation',
    facts({
      about: 'operation',
      subject: manyFailed,
      operation: operation({ ...failed(120), error: { code: 'roles_failed', detail: 'role web: 1 of 7 VMs run' } }),
      engine: null,
    }),
  ],
  [
    'the same, asked by somebody who may only look',
    facts({
      mayManage: false,
      subject: manyFailed,
      operation: operation({ ...failed(120), error: { code: 'roles_failed', detail: 'role web: 1 of 7 VMs run' } }),
      engine: null,
    }),
  ],
  [
    'a deployment whose run was lost',
    facts({
      subject: service({ state: 'FAILED_DEPLOYING' }),
      operation: operation({
        ...failed(30),
        error: { code: 'run_lost', detail: 'its run was terminated in Temporal' },
      }),
      engine: null,
    }),
  ],
  [
    'a deployment that was cancelled',
    facts({
      subject: service({
        state: 'FAILED_DEPLOYING',
        vms: [
          vm(33, { name: 'db_0_(service_12)', role: 'db' }),
          vm(34, { state: 'ACTIVE/BOOT_FAILURE', reason: 'cancelled' }),
        ],
      }),
      operation: operation({
        state: 'cancelled',
        ended_at: ago(60),
        started_at: ago(100),
        error: { code: 'cancelled', detail: 'cancelled' },
        cancel_requested: { by: { id: 2, name: 'alice' }, at: ago(61) },
      }),
      engine: null,
    }),
  ],
  [
    'a deployment that gave way, asked about later',
    facts({
      about: 'operation',
      subject: service({ state: 'UNDEPLOYING' }),
      isLast: false,
      operation: operation({
        state: 'cancelled',
        ended_at: ago(60),
        error: { code: 'taken', detail: 'Operation 01KAJ3V5Q0F8T4X2M7N9P6R1AA took over.' },
      }),
      engine: null,
    }),
  ],
  [
    'a deployment that succeeded long ago, before others',
    facts({
      about: 'operation',
      subject: service({ state: 'DONE', vms: [] }),
      isLast: false,
      operation: operation({ ...succeeded, ended_at: ago(200_000), started_at: ago(200_009) }),
      engine: null,
    }),
  ],
  [
    'an undeployment that goes on',
    facts({
      subject: service({
        state: 'UNDEPLOYING',
        roles: [
          { name: 'db', state: 'UNDEPLOYING', reason: null, cardinality: 1 },
          { name: 'web', state: 'DONE', reason: null, cardinality: 3 },
        ],
        vms: [
          vm(33, { name: 'db_0_(service_12)', role: 'db', state: 'ACTIVE/SHUTDOWN' }),
          ...[34, 35, 36].map((id) => vm(id, { state: 'DONE' })),
        ],
      }),
      operation: operation(undeployed),
      steps: [step({ name: 'destroyVms', role: 'db', vms: 1 })],
    }),
  ],
  [
    'a deletion that goes on',
    facts({
      subject: service({ state: 'UNDEPLOYING' }),
      operation: operation({ ...undeployed, input: { hard: true, remove: true } }),
      steps: [step({ name: 'destroyVms' })],
    }),
  ],
  [
    'an undeployment that failed',
    facts({
      subject: service({
        state: 'FAILED_UNDEPLOYING',
        vms: [vm(34, { state: 'ACTIVE/UNKNOWN', reason: 'the guest of VM 34 does not shut down' })],
      }),
      operation: operation({
        ...undeployed,
        ...failed(600),
        error: { code: 'roles_failed', detail: 'role web: 1 VMs are left' },
      }),
      engine: null,
    }),
  ],
  [
    'a service that was removed',
    facts({
      subject: { type: 'gone', was: 'service', id: 12, name: 'shop' },
      operation: operation({ ...undeployed, input: { hard: true, remove: true }, ...succeeded }),
      engine: null,
    }),
  ],

  // Services at rest.
  [
    'a service that runs',
    facts({ subject: service({ state: 'RUNNING' }), operation: operation(succeeded), engine: null }),
  ],
  [
    'a service that runs with a VM less',
    facts({
      subject: service({
        state: 'RUNNING',
        vms: [
          vm(33, { name: 'db_0_(service_12)', role: 'db' }),
          vm(34),
          vm(35),
          vm(36, { state: 'ACTIVE/UNKNOWN', reason: 'its domain is gone from host-3' }),
        ],
      }),
      operation: operation(succeeded),
      engine: null,
    }),
  ],
  [
    'a service in WARNING',
    facts({
      subject: service({
        state: 'WARNING',
        roles: [
          { name: 'db', state: 'RUNNING', reason: null, cardinality: 1 },
          {
            name: 'web',
            state: 'WARNING',
            reason: '2 of 3 VMs run: 1 is missing',
            cardinality: 3,
          },
        ],
        vms: [vm(33, { name: 'db_0_(service_12)', role: 'db' }), vm(34), vm(35)],
      }),
      operation: operation(succeeded),
      engine: null,
    }),
  ],
  [
    'a service of which somebody has terminated a VM',
    facts({
      subject: service({
        state: 'RUNNING',
        roles: [
          { name: 'db', state: 'RUNNING', reason: null, cardinality: 1 },
          {
            name: 'web',
            state: 'RUNNING',
            reason: null,
            cardinality: 2,
            lowered: { vm: 36, by: 'oneadmin', at: ago(100) },
          },
        ],
        vms: [vm(33, { name: 'db_0_(service_12)', role: 'db' }), vm(34), vm(35)],
      }),
      operation: operation(succeeded),
      engine: null,
    }),
  ],
  [
    'a service that is being repaired',
    facts({
      subject: service({ state: 'WARNING' }),
      operation: operation({ kind: 'repairService' }),
    }),
  ],
  [
    'a VM that was switched off inside',
    facts({
      subject: single({ state: 'POWEROFF', reason: 'stopped outside Arcus' }),
      operation: ofVm(succeeded),
      engine: null,
    }),
  ],
  [
    'a service that is DONE',
    facts({
      subject: service({ state: 'DONE', vms: [] }),
      operation: operation({ ...undeployed, ...succeeded }),
      engine: null,
    }),
  ],

  // VMs.
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

  // Hosts.
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
  ['a host that is disabled', facts({ subject: host({ state: 'DISABLED' }) })],
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
