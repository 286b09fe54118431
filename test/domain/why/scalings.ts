import type { Operation } from '../../../schemas/operations/operation.js';
import type { Situation } from './situation.js';
import { ago, ahead, answered, facts, operation, service, step, vm } from './why-facts.js';

const web = { name: 'web', state: 'RUNNING', reason: null, cardinality: 3 } as const;
const vms = [vm(34), vm(35), vm(36)];
const scaling = (over: Partial<Operation> = {}): Operation =>
  operation({ kind: 'scaleRole', role: 'web', input: { from: 3, cardinality: 5, force: false }, ...over });

/** A role that is given another number of VMs. */
export const scalings: Situation[] = [
  [
    'a role that is scaled',
    facts({
      subject: service({ state: 'SCALING', roles: [{ ...web, state: 'SCALING', cardinality: 5 }], vms }),
      operation: scaling(),
      steps: [step({ name: 'bootVms', role: 'web', vms: 2 })],
      engine: answered,
    }),
  ],
  [
    'a role whose scaling has failed',
    facts({
      subject: service({
        state: 'FAILED_SCALING',
        roles: [{ ...web, state: 'FAILED_SCALING', cardinality: 5, reason: '3 of 5 VMs run: VM 37 (web_3): no image' }],
        vms,
      }),
      operation: scaling({
        ...{ state: 'failed', started_at: ago(185), ended_at: ago(5) },
        error: { code: 'roles_failed', detail: 'role web: 3 of 5 VMs run' },
      }),
      engine: null,
    }),
  ],
  [
    'a role that rests after a scaling',
    facts({
      subject: service({ state: 'COOLDOWN', roles: [{ ...web, state: 'COOLDOWN', cooldown_until: ahead(240) }], vms }),
      operation: scaling({ state: 'succeeded', ended_at: ago(60), started_at: ago(70) }),
      engine: null,
    }),
  ],
];
