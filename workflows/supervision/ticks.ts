import { ticks } from '../activity-options.js';
import type { OperationInput } from '../operations/operation.js';
import { settle } from '../operations/operation.js';

/** Each tick looks at every operation that has not ended. */
export async function reconcile(): Promise<void> {
  await ticks.reconcile();
}

/** Makes way for an operation that pre-empts. */
export async function handOver({ op }: OperationInput): Promise<void> {
  await ticks.handOver({ op });
}

/** Each tick looks at every role that is scaled by policies. */
export async function evaluatePolicies(): Promise<void> {
  await ticks.evaluatePolicies();
}

/** Each tick asks every datastore how much room it has. */
export async function monitorDatastores(): Promise<void> {
  await ticks.monitorDatastores();
}

/** Each tick asks every marketplace how much room it has, and which apps. */
export async function monitorMarketplaces(): Promise<void> {
  await ticks.monitorMarketplaces();
}

/** Each tick probes every host that is not OFFLINE. */
export async function monitorHosts(): Promise<void> {
  const batches = await ticks.hostsToMonitor();
  await settle(batches.map((hosts) => ticks.monitorHosts(hosts)));
}
