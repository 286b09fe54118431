import type { Situation } from './situation.js';
import { ago, facts, ofVm, operation, service, single, succeeded, undeployed, vm } from './why-facts.js';

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
];
