import type { Connection } from 'mongoose';
import type { ServiceTemplate } from '../schemas/service-template.js';
import type { VmTemplate } from '../schemas/vm-template.js';
import { createBoundMoves } from './bound-moves.js';
import { createCardinality } from './cardinality.js';
import { createClusterChanges } from './cluster-changes.js';
import { createClusterStore } from './clusters.js';
import { createConsistencyStore } from './consistency.js';
import { createConsistencyReads } from './consistency-reads.js';
import { createConsistencyRepairs } from './consistency-repairs.js';
import { createCounters } from './counters.js';
import { createEdits } from './edits.js';
import { createEndings } from './endings.js';
import { createForgetting } from './forgetting.js';
import { createGivings } from './givings.js';
import { createHealth } from './health.js';
import { createHostStore } from './hosts.js';
import { createOperationStore } from './operations.js';
import { createOwned } from './owned.js';
import { createOwnershipChanges } from './ownership.js';
import { createProgress } from './progress.js';
import { createQuestions } from './questions.js';
import { createQuotaStore } from './quotas.js';
import { createReferences } from './references.js';
import { createReleases } from './releases.js';
import { createServiceStore } from './services.js';
import { createSightings } from './sightings.js';
import { createStepStore } from './steps.js';
import { createTemplateStore } from './templates.js';
import { createTerminations } from './terminations.js';
import { createVmStore } from './vms.js';
import { createWaitingVms } from './waiting-vms.js';

/** Everything that Arcus keeps of one zone. */
export function createStore(connection: Connection) {
  const operations = createOperationStore(connection);
  const quotas = createQuotaStore(connection);
  const services = createServiceStore(connection, quotas);
  const references = createReferences(connection);
  const cardinality = createCardinality(connection, { services, quotas });
  const vms = createVmStore(connection, { quotas, departures: cardinality });
  const clusters = createClusterStore(connection);
  const hosts = createHostStore(connection, clusters);
  const health = createHealth(connection, { services, vms });
  const releases = createReleases(connection, { operations, services, vms });
  const steps = createStepStore(connection);
  const givings = createGivings(connection, { operations, services, vms });
  return {
    connection,
    edit: createEdits(connection),
    counters: createCounters(connection),
    hosts,
    clusters,
    moveBound: createBoundMoves(connection, vms),
    clusterChanges: createClusterChanges(connection, { clusters, hosts, references }),
    vmTemplates: createTemplateStore<VmTemplate>(connection, 'vm_template', {
      template: { neededBy: ['template', 'warnings'], empty: {} },
    }),
    serviceTemplates: createTemplateStore<ServiceTemplate>(connection, 'service_template', {
      body: { neededBy: ['body'], empty: {} },
    }),
    operations,
    progress: createProgress(connection),
    steps,
    forgetting: createForgetting(connection, { operations, steps }),
    services,
    cardinality,
    vms,
    waiting: createWaitingVms(connection),
    sightings: createSightings(connection, vms),
    quotas,
    owned: createOwned(connection),
    references,
    ownership: createOwnershipChanges(connection, { operations, services, vms, quotas, references, givings }),
    givings,
    health,
    terminations: createTerminations(connection, vms, operations),
    endings: createEndings(connection, { operations, services, vms, quotas, health, releases }),
    consistency: {
      ...createConsistencyStore(connection),
      reads: createConsistencyReads(connection, { operations, services, vms, hosts }),
      repairs: createConsistencyRepairs(connection, { operations, services, vms, hosts }),
    },
    releases,
    questions: createQuestions(connection, { operations, services, releases }),
  };
}
export type Store = ReturnType<typeof createStore>;
