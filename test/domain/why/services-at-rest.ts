import type { SaidAt } from '../../../domain/scaling/policy-log.js';
import type { PolicyRecord } from '../../../domain/scaling/role-record.js';
import { idlePolicies } from '../../../domain/why/policy-story.js';
import type { Situation } from './situation.js';
import { ago, ahead, facts, now, ofVm, operation, service, single, succeeded, undeployed, vm } from './why-facts.js';

/** What of the policies of role web does not do what it is for: of what is kept of it. */
const idle = idlePolicies(
  {
    ...{ name: 'web', state: 'RUNNING', reason: null, cardinality: 3, vm_template: 0, parents: [] },
    ...{ last_vmname: 3, mark: null },
    elasticity_policies: [
      { type: 'CHANGE', adjust: 1, expression: 'ATT > 50', enabled: false },
      { type: 'CHANGE', adjust: 1, expression: 'LOAD > 1' },
      { target: 'CPU = 60' },
      { target: 'MEMORY = 60' },
    ],
    scheduled_policies: [
      { type: 'CARDINALITY', adjust: 5, recurrence: '0 9 * * *', paused_until: ahead(3_600).toISOString() },
      { type: 'CARDINALITY', adjust: 9, recurrence: '0 10 * * *' },
    ],
  },
  {
    record: {
      ...{ _id: '12/web', service: 12, role: 'web', evaluation: 7, look: 'l', at: ago(4), decided: null },
      ...{ scaled_at: null, retry_at: ahead(26), least: { last: null, log: [] } },
      policies: [
        recordOfWeb('LOAD > 1', [{ verdict: 'unknown', why: 'VM 36 (web_2) has no LOAD', found: null, at: ago(4) }]),
        recordOfWeb('target CPU = 60', [
          { verdict: 'refused', why: 'from 3 to 5: alice may have 4 VMs.', found: null, at: ago(34) },
          { verdict: 'refused', why: 'it wants 5, was refused, and asks again in 26 s', found: 'CPU[95]', at: ago(4) },
        ]),
        recordOfWeb('target MEMORY = 60', [{ verdict: 'false', why: 'it does not hold', found: null, at: ago(4) }]),
      ],
    },
    schedule: {
      ...{ version: 3, due_at: null, zone: 'UTC' },
      of: [
        {
          ...{ role: 'web', policy: 1, print: '', next_at: null },
          last: { due_at: ago(900), at: ago(895), verdict: 'refused', why: 'alice may have 4 VMs.', operation: null },
        },
      ],
    },
  },
  now,
);

function recordOfWeb(text: string, log: SaidAt[]): PolicyRecord {
  const count = { print: JSON.stringify([text, 0, 0]), last_eval: null, true_evals: 0, sampled: null, wishes: [] };
  return { count, log, last: log.at(-1) ?? null };
}

/** Services on which nothing is at work, or that something has become of. */
export const servicesAtRest: Situation[] = [
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
    'a service that has a VM too many',
    facts({
      subject: service({
        state: 'RUNNING',
        vms: [vm(33, { name: 'db_0_(service_12)', role: 'db' }), vm(34), vm(35), vm(36), vm(37)],
      }),
      operation: operation(succeeded),
      engine: null,
    }),
  ],
  [
    'a service whose VMs somebody has switched off, and two that nobody has',
    facts({
      subject: service({
        state: 'RUNNING',
        roles: [{ name: 'web', state: 'RUNNING', reason: null, cardinality: 9 }],
        vms: Array.from({ length: 9 }, (_, at) =>
          at < 7
            ? vm(34 + at, { state: 'POWEROFF', switched: { action: 'poweroff', by: 'bob', at: ago(60 - at) } })
            : vm(34 + at, { state: 'POWEROFF', reason: 'its guest has shut down' }),
        ),
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
    'a service with policies that do nothing',
    facts({
      subject: service({ state: 'RUNNING', policies: idle.slice(0, 3) }),
      operation: operation(succeeded),
      engine: null,
    }),
  ],
  [
    'a service with many policies that do nothing',
    facts({ subject: service({ state: 'WARNING', policies: idle }), operation: operation(succeeded), engine: null }),
  ],
  [
    'a service that is being repaired, with policies that do nothing meanwhile',
    facts({ subject: service({ state: 'WARNING', policies: idle }), operation: operation({ kind: 'repairService' }) }),
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
];
