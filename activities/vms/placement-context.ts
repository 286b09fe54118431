import type { PlacementContext } from '../../domain/placement/placement.js';
import type { Sibling } from '../../domain/placement/placement-ties.js';
import { portionsOf } from '../../domain/portions.js';
import type { DescribedDatastore } from '../../domain/storage/datastore-attributes.js';
import { hasFiles } from '../../domain/vms/vm-wish.js';
import type { Store } from '../../store/store.js';
import type { WorkVm } from '../../store/vms/work-vms.js';

// What a plan of placement goes by beside hosts.

/** Where VMs of their services are, and what else waits that is to be with one of them. */
export async function contextOf(store: Store, vms: readonly WorkVm[]): Promise<PlacementContext> {
  const [services, together] = [new Set<number>(), new Set<number>()];
  for (const { service, placement } of vms) {
    if (!service || !placement) continue;
    services.add(service.id);
    if (placement.together.length > 0) together.add(service.id);
  }
  const [siblings, waiting, datastores] = await Promise.all([
    siblingsIn(store, [...services]),
    store.vms.waitingTogether([...together]),
    datastoresFor(store, vms),
  ]);
  return { siblings, datastores, ...(together.size > 0 && { waiting }) };
}

/** The datastores that disks of VMs may be put into, and what their guests are told, where any of these has some. */
export const datastoresFor = async (
  store: Store,
  vms: readonly Pick<WorkVm, 'disks' | 'files' | 'datastore' | 'told'>[],
): Promise<DescribedDatastore[]> =>
  vms.some((vm) => (vm.disks ?? []).length > 0 || vm.datastore || hasFiles(vm)) ? store.vmDatastores.snapshot() : [];

/** Services whose VMs are read at once. */
const portion = 200;

/** Where the VMs of services are, however many services they are. */
export async function siblingsIn(store: Store, services: readonly number[]): Promise<Sibling[]> {
  const found: Sibling[] = [];
  for (const some of portionsOf(services, portion))
    for (const sibling of await store.vms.siblings(some)) found.push(sibling);
  return found;
}
