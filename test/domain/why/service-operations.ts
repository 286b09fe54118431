import type { Situation } from './situation.js';
import {
  ago,
  ahead,
  answered,
  booting,
  facts,
  fullHosts,
  operation,
  pending,
  retrying,
  service,
  silent,
  step,
  undeployed,
  unreachable,
  vm,
} from './why-facts.js';

const boundHosts =
  'the one enabled host will not do: host 2: role web is together with role db, which is on host 1 that does not answer and may still run it: arcus host offline 1, once that is gone for good';
const someBoot = service({
  vms: [
    vm(33, { name: 'db_0_(service_12)', role: 'db' }),
    vm(34, booting),
    vm(35, booting),
    vm(36, { host: 'host-1' }),
  ],
});

/** Operations on services that go on, and what they wait for. */
export const serviceOperations: Situation[] = [
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
];
