import type { Situation } from './situation.js';
import { ago, facts, failed, operation, service, step, succeeded, undeployed, vm } from './why-facts.js';

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

/** Operations on services that ask somebody, give way or have ended. */
export const serviceOutcomes: Situation[] = [
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
    'a repair that found no address for one VM, while another is on a host that is OFFLINE',
    facts({
      subject: service({
        state: 'WARNING',
        roles: [
          { name: 'db', state: 'RUNNING', reason: null, cardinality: 1 },
          { name: 'web', state: 'WARNING', reason: '1 of 3 VMs run', cardinality: 3 },
        ],
        vms: [
          vm(33, { name: 'db_0_(service_12)', role: 'db', host: 'host-4', offline: true }),
          vm(34),
          vm(35, { state: 'ACTIVE/UNKNOWN', reason: 'its host host-4 does not answer', host: 'host-4', offline: true }),
        ],
      }),
      operation: operation({
        ...failed(120),
        kind: 'repairService',
        error: {
          code: 'roles_failed',
          detail:
            'role web: 1 of 3 VMs run: Virtual network 0 (tight) has not a free address: of its 2, none is free; VM 35 (web_1_(service_12)): its host host-4 is OFFLINE; its host host-4 does not answer',
        },
      }),
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
];
