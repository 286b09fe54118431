/**
 * Task queues: workflows with their local activities, in two lanes; hypervisor calls; bytes of images; and periodic work in its own
 * namespace.
 */
export const taskQueues = {
  orchestration: 'orchestration',
  shared: 'orchestration-shared',
  compute: 'compute',
  storage: 'storage',
  ticks: 'ticks',
} as const;

/** Schedules of the ticks namespace. */
export const scheduleIds = {
  reconcile: 'reconcile',
  monitorHosts: 'monitor-hosts',
  monitorDatastores: 'monitor-datastores',
  monitorMarketplaces: 'monitor-marketplaces',
  elasticity: 'elasticity',
} as const;

/** The one run that places waiting VMs. */
export const placementWorkflowId = 'placement';
