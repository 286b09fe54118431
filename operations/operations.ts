import type { Caller } from '../domain/caller.js';
import type { Page, PageQuery } from '../schemas/common.js';
import type { OperationResource, OperationState, ResourceRef } from '../schemas/operation.js';
import { authorised } from './authorise.js';
import type { OperationsContext } from './context.js';
import { hostOperations } from './hosts.js';
import { operationActions } from './operation-actions.js';
import { operationResource } from './resources.js';
import { createRetries } from './retries.js';
import { serviceTemplateOperations } from './service-templates.js';
import { serviceOperations } from './services.js';
import { vmTemplateOperations } from './vm-templates.js';
import { vmOperations } from './vms.js';

type OperationQuery = PageQuery & {
  state?: OperationState;
  resource_type?: ResourceRef['type'];
  resource_id?: number;
  id_prefix?: string;
};

/** Everything that can be asked for. Every face calls these; each authorises, and throws a Problem or answers. */
export const createOperations = (context: OperationsContext) => {
  const [vms, services] = [vmOperations(context), serviceOperations(context)];
  return {
    hosts: hostOperations(context),
    vmTemplates: vmTemplateOperations(context),
    vms,
    serviceTemplates: serviceTemplateOperations(context),
    services,
    operations: {
      ...operationActions(context, createRetries({ services, vms })),
      async list(caller: Caller, query: OperationQuery): Promise<Page<OperationResource>> {
        const page = await context.store.operations.list(caller, query);
        const url = context.settings.temporalUiUrl;
        return { ...page, items: page.items.map((operation) => operationResource(operation, url)) };
      },
      async show(caller: Caller, id: string): Promise<OperationResource> {
        const found = authorised(caller, await context.store.operations.find(id), 'use', `operation ${id}`);
        return operationResource(found, context.settings.temporalUiUrl);
      },
    },
  };
};
export type Operations = ReturnType<typeof createOperations>;
