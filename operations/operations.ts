import type { Caller } from '../domain/caller.js';
import type { Page } from '../schemas/common.js';
import type { OperatedKind, OwnedKind } from '../schemas/kinds.js';
import type { ListQuery } from '../schemas/list.js';
import type { OperationDetail, OperationResource, OperationState, ResourceRef } from '../schemas/operation.js';
import type { Service } from '../schemas/service.js';
import type { Vm } from '../schemas/vm.js';
import { aclOperations } from './acls.js';
import { authorised, authorisedOperation } from './authorise.js';
import { clusterOperations } from './clusters.js';
import { consistencyOperations } from './consistency.js';
import type { Admission, OperationsContext } from './context.js';
import { groupOperations } from './groups.js';
import { hostOperations } from './hosts.js';
import { operationActions } from './operation-actions.js';
import { operationDetail } from './operation-detail.js';
import { ownershipOperations } from './ownership.js';
import { ownershipIn } from './ownership-of.js';
import { quotaOperations } from './quotas.js';
import { operationResource } from './resources.js';
import { createRetries } from './retries.js';
import { serviceTemplateOperations } from './service-templates.js';
import { serviceOperations } from './services.js';
import { tokenOperations } from './tokens.js';
import { userOperations } from './users.js';
import { vmPlacementOperations } from './vm-placement.js';
import { vmRecovery } from './vm-recovery.js';
import { vmTemplateOperations } from './vm-templates.js';
import { vmOperations } from './vms.js';
import { whyOperations } from './why.js';

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
      async list(caller: Caller, query: OperationQuery): Promise<Page<OperationResource>> {
        const page = await context.store.operations.list(caller, query);
        return { ...page, items: page.items.map((operation) => operationResource(operation, context.settings)) };
      },
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
        return this.list(caller, { ...query, resource_type: type, resource_id: id });
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
