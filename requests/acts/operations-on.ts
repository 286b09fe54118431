import type { Caller } from '../../domain/identity/caller.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { OperatedKind, OwnedKind } from '../../schemas/kinds.js';
import type { App } from '../../schemas/market/app.js';
import type { OperationState } from '../../schemas/operations/operation.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Service } from '../../schemas/services/service.js';
import type { Image } from '../../schemas/storage/image.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { listOperations } from '../operations/operations.js';

/** Those of one service, VM, host, image or app that the caller may USE. */
export async function listOperationsOn(
  context: OperationsContext,
  caller: Caller,
  { type, id }: { type: OperatedKind & OwnedKind; id: number },
  query: ListQuery & { state?: OperationState },
): Promise<Page<OperationResource>> {
  const { services, vms, hosts, images, apps } = context.store;
  const find: Record<OperatedKind & OwnedKind, () => Promise<Service | Vm | Host | Image | App | null>> = {
    service: () => services.find(id),
    vm: () => vms.find(id),
    host: () => hosts.find(id),
    image: () => images.find(id),
    app: () => apps.find(id),
  };
  authorised(caller, type, await find[type](), 'use', id);
  return listOperations(context, caller, { ...query, resource_type: type, resource_id: id });
}
