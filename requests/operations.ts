import type { Caller } from '../domain/identity/caller.js';
import type { Page } from '../schemas/common/common.js';
import type { ListQuery } from '../schemas/common/list.js';
import type { OperatedKind, OwnedKind } from '../schemas/kinds.js';
import type {
  OperationDetail,
  OperationResource,
  OperationState,
  ResourceRef,
} from '../schemas/operations/operation.js';
import type { Service } from '../schemas/services/service.js';
import type { Vm } from '../schemas/vms/vm.js';
import { operationActions } from './acts/operation-actions.js';
import { createRetries } from './acts/retries.js';
import { authorised, authorisedOperation } from './authorise.js';
import { consistencyOperations } from './consistency/consistency.js';
import type { Admission, OperationsContext } from './context.js';
import { clusterOperations } from './hosts/clusters.js';
import { hostOperations } from './hosts/hosts.js';
import { aclOperations } from './identity/acls.js';
import { groupOperations } from './identity/groups.js';
import { quotaOperations } from './identity/quotas.js';
import { tokenOperations } from './identity/tokens.js';
import { userOperations } from './identity/users.js';
import { ownershipOperations } from './ownership.js';
import { ownershipIn } from './ownership-of.js';
import { operationResource } from './resources.js';
import { serviceTemplateOperations } from './services/service-templates.js';
import { serviceOperations } from './services/services.js';
import { vmPlacementOperations } from './vms/vm-placement.js';
import { vmRecovery } from './vms/vm-recovery.js';
import { vmTemplateOperations } from './vms/vm-templates.js';
import { vmOperations } from './vms/vms.js';
import { operationDetail } from './why/operation-detail.js';
import { whyOperations } from './why/why.js';

type OperationQuery = ListQuery & {
  state?: OperationState;
  resource_type?: ResourceRef['type'];
  resource_id?: number;
  id_prefix?: string;
};

/** Everything that can be asked for. Every face calls these; each authorises, and throws a Problem or answers. */
export const createOperations = (context: OperationsContext) => {
  const known = vmOperations(context);
  const vms = { ...known, ...vmRecovery(context, known) };
  const [services, consistency] = [serviceOperations(context), consistencyOperations(context)];
  const [hosts, clusters] = [hostOperations(context), clusterOperations(context)];
  const [vmTemplates, serviceTemplates] = [vmTemplateOperations(context), serviceTemplateOperations(context)];

  async function listed(caller: Caller, query: OperationQuery): Promise<Page<OperationResource>> {
    const page = await context.store.operations.list(caller, query);
    return { ...page, items: page.items.map((operation) => operationResource(operation, context.settings)) };
  }

  return {
    hosts,
    clusters,
    vmTemplates,
    vms,
    vmPlacement: vmPlacementOperations(context),
    serviceTemplates,
    services,
    why: whyOperations(context),
    consistency,
    quotas: quotaOperations(context),
    users: userOperations(context),
    groups: groupOperations(context),
    acls: aclOperations(context),
    tokens: tokenOperations(context),
    /** By kind. */
    ownership: {
      ...ownershipOperations(context),
      host: ownershipIn(hosts),
      cluster: ownershipIn(clusters),
      vm_template: ownershipIn(vmTemplates),
      service_template: ownershipIn(serviceTemplates),
    } satisfies Record<OwnedKind, object>,
    operations: {
      ...operationActions(context, createRetries({ consistency, services, vms })),
      list: listed,
      /** Those of one service or VM that the caller may USE. */
      async listOn(
        caller: Caller,
        { type, id }: { type: OperatedKind & OwnedKind; id: number },
        query: ListQuery & { state?: OperationState },
      ): Promise<Page<OperationResource>> {
        const { services: inServices, vms: inVms } = context.store;
        const find: Record<OperatedKind & OwnedKind, () => Promise<Service | Vm | null>> = {
          service: () => inServices.find(id),
          vm: () => inVms.find(id),
        };
        authorised(caller, type, await find[type](), 'use', id);
        return listed(caller, { ...query, resource_type: type, resource_id: id });
      },
      /** Whether the caller has sent a request with this key before. */
      isRepeated: async (caller: Caller, { idempotencyKey }: Admission): Promise<boolean> =>
        idempotencyKey !== undefined && context.store.operations.hasKey(caller.id, idempotencyKey),
      async show(caller: Caller, id: string): Promise<OperationDetail> {
        const found = authorisedOperation(caller, id, await context.store.operations.find(id), 'use');
        return operationDetail(context, caller, found);
      },
    },
  };
};
export type Operations = ReturnType<typeof createOperations>;
