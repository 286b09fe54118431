import type { Connection } from 'mongoose';
import { createConsistencyStore } from './consistency/consistency.js';
import { createConsistencyReads } from './consistency/consistency-reads.js';
import { createConsistencyRepairs } from './consistency/consistency-repairs.js';
import { createImageConsistency } from './consistency/image-consistency.js';
import { createLeaseReads } from './consistency/lease-reads.js';
import { createLeaseRepairs } from './consistency/lease-repairs.js';
import { createMarketConsistency } from './consistency/market-consistency.js';
import { createDocuments } from './documents.js';
import { createEdits } from './edits.js';
import { createEndings } from './endings.js';
import { createFailovers } from './failover/failovers.js';
import { createRestarts } from './failover/restarts.js';
import { createClusterChanges } from './hosts/cluster-changes.js';
import { createClusterStore } from './hosts/clusters.js';
import { createHostStore } from './hosts/hosts.js';
import { createInstallation } from './hosts/installation.js';
import { createWilds } from './hosts/wilds.js';
import { createOwned } from './identity/owned.js';
import { createQuotaStore } from './identity/quotas.js';
import { createAppStore } from './market/apps.js';
import { createMarketplaceStore } from './market/marketplaces.js';
import { createCounters } from './mongo/counters.js';
import { createReferences } from './mongo/references.js';
import { createLeases } from './networks/leases.js';
import { createNetworkStore } from './networks/networks.js';
import { createReservations } from './networks/reservations.js';
import { createSecurityGroups } from './networks/security-groups.js';
import { createForgetting } from './operations/forgetting.js';
import { createOperationStore } from './operations/operations.js';
import { createProgress } from './operations/progress.js';
import { createStepStore } from './operations/steps.js';
import { createOwnershipChanges } from './ownership.js';
import { createElasticity } from './scaling/elasticity.js';
import { createPerformances } from './scaling/performances.js';
import { createScalings } from './scaling/scalings.js';
import { createSchedules } from './scaling/schedules.js';
import { createSecrets } from './secrets.js';
import { createCardinality } from './services/cardinality.js';
import { createGivings } from './services/givings.js';
import { createHealth } from './services/health.js';
import { createQuestions } from './services/questions.js';
import { createReleases } from './services/releases.js';
import { createServiceNetworks } from './services/service-networks.js';
import { createServiceTemplateStore } from './services/service-templates.js';
import { createServiceStore } from './services/services.js';
import { createDatastoreStore } from './storage/datastores.js';
import { createImageCopies } from './storage/image-copies.js';
import { createImageUses } from './storage/image-uses.js';
import { createImageStore } from './storage/images.js';
import { createBoundMoves } from './vms/bound-moves.js';
import { createCopyClaims } from './vms/copy-claims.js';
import { createFlushes } from './vms/flushes.js';
import { createMetrics } from './vms/metrics.js';
import { createRelocations } from './vms/relocations.js';
import { createResched } from './vms/resched.js';
import { createScreenTokens } from './vms/screen-tokens.js';
import { createSightings } from './vms/sightings.js';
import { createTerminations } from './vms/terminations.js';
import { createToldValues } from './vms/told-values.js';
import { createVmDatastores } from './vms/vm-datastores.js';
import { createVmEdits } from './vms/vm-edits.js';
import { createVmHoldings } from './vms/vm-holdings.js';
import { createNics } from './vms/vm-nics.js';
import { createVmSchedules } from './vms/vm-schedules.js';
import { createVmStore } from './vms/vms.js';
import { createWaitingVms } from './vms/waiting-vms.js';

/** Everything that Arcus keeps of one zone. */
export function createStore(connection: Connection) {
  const documents = createDocuments(connection);
  const networks = createNetworkStore(connection, documents('network'));
  const networkTemplates = documents('network_template');
  const securityGroups = createSecurityGroups(connection, documents('security_group'));
  const references = createReferences(connection);
  const leases = createLeases(connection, networks, references);
  const operations = createOperationStore(connection);
  const quotas = createQuotaStore(connection);
  const services = createServiceStore(connection, quotas);
  const datastores = createDatastoreStore(connection);
  const marketplaces = createMarketplaceStore(connection);
  const images = createImageStore(connection, { quotas, datastores });
  const apps = createAppStore(connection);
  const serviceTemplates = createServiceTemplateStore(connection, documents('service_template'));
  const uses = createImageUses(images);
  const holdings = createVmHoldings({ leases, uses, networks, quotas });
  const reservations = createReservations({ leases, networks, quotas });
  const serviceNetworks = createServiceNetworks(connection, {
    ...{
      services: services.model,
      networks,
      networkTemplates,
      securityGroups,
      leases,
      reservations,
      references,
      quotas,
    },
  });
  const cardinality = createCardinality(connection, { services, quotas, holdings });
  const vms = createVmStore(connection, { quotas, departures: cardinality, holdings });
  const imageCopies = createImageCopies(connection, { images });
  const vmDatastores = createVmDatastores(vms.model, datastores, imageCopies);
  const clusters = createClusterStore(connection);
  const hosts = createHostStore(connection, clusters);
  const scalings = createScalings(connection, { services, quotas });
  const wilds = createWilds(connection);
  const failovers = createFailovers({ hosts, vms, operations, services });
  const flushes = createFlushes(connection, { hosts, vms, operations });
  const health = createHealth(connection, { services, vms });
  const releases = createReleases(connection, { operations, services, vms });
  const steps = createStepStore(connection);
  const givings = createGivings(connection, { operations, services, vms, quotas });
  return {
    connection,
    edit: createEdits(connection),
    counters: createCounters(connection),
    installation: createInstallation(connection),
    hosts,
    wilds,
    clusters,
    datastores,
    secrets: createSecrets({ datastores, marketplaces, hosts }),
    images,
    marketplaces,
    apps,
    imageUses: uses,
    imageCopies,
    copyClaims: createCopyClaims(connection, { images, copies: imageCopies, vms, datastores: vmDatastores }),
    vmDatastores,
    screenTokens: createScreenTokens(connection),
    places: createBoundMoves(connection, { vms, datastores: vmDatastores }),
    relocations: createRelocations(connection, { vms, hosts }),
    clusterChanges: createClusterChanges(connection, { clusters, hosts, references }),
    documents,
    networks,
    networkTemplates,
    securityGroups,
    nics: createNics(connection, { networks, securityGroups }),
    leases,
    reservations,
    serviceNetworks,
    vmTemplates: documents('vm_template'),
    serviceTemplates,
    operations,
    progress: createProgress(connection),
    steps,
    forgetting: createForgetting(connection, { operations, steps }),
    services,
    cardinality,
    vms,
    holdings,
    vmEdits: createVmEdits(connection, { vms, hosts, quotas }),
    waiting: createWaitingVms(connection),
    sightings: createSightings(connection, vms),
    resched: createResched(vms),
    vmSchedules: createVmSchedules(connection),
    metrics: createMetrics(connection),
    toldValues: createToldValues(connection),
    quotas,
    owned: createOwned(connection),
    references,
    ownership: createOwnershipChanges(connection, { operations, vms, quotas, references, givings, serviceNetworks }),
    givings,
    health,
    terminations: createTerminations(connection, vms, operations),
    endings: createEndings(connection, {
      operations,
      services,
      vms,
      quotas,
      health,
      releases,
      scalings,
      flushes,
      failovers,
      wilds,
      images,
      holdings,
      serviceNetworks,
      apps,
      vmTemplates: documents('vm_template'),
      serviceTemplates,
    }),
    scalings,
    flushes,
    failovers,
    restarts: createRestarts(vms),
    performances: createPerformances({ services, operations }),
    schedules: createSchedules(connection),
    elasticity: createElasticity(connection),
    consistency: {
      ...createConsistencyStore(connection),
      reads: {
        ...createConsistencyReads(connection, { operations, services, vms, hosts }),
        ...createLeaseReads({ leases, networks, vms }),
      },
      repairs: {
        ...createConsistencyRepairs(connection, { operations, services, vms, hosts }),
        ...createLeaseRepairs(connection, { leases, networks, services, vms }),
      },
      images: createImageConsistency(connection, { images, datastores, operations, vms, uses, holdings }),
      markets: createMarketConsistency(connection, { apps, marketplaces, images, operations }),
    },
    releases,
    questions: createQuestions(connection, { operations, services, releases }),
  };
}
export type Store = ReturnType<typeof createStore>;
