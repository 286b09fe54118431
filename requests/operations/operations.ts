import type { Caller } from '../../domain/identity/caller.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { OperationState, ResourceRef } from '../../schemas/operations/operation.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Admission, OperationsContext } from '../context.js';
import { operationResource } from './operation-resource.js';

type OperationQuery = ListQuery & {
  state?: OperationState;
  resource_type?: ResourceRef['type'];
  resource_id?: number;
  id_prefix?: string;
};

export async function listOperations(
  { store, settings }: OperationsContext,
  caller: Caller,
  query: OperationQuery,
): Promise<Page<OperationResource>> {
  const page = await store.operations.list(caller, query);
  return { ...page, items: page.items.map((operation) => operationResource(operation, settings)) };
}

/** Whether the caller has sent a request with this key before. */
export async function isRepeated(
  { store }: OperationsContext,
  caller: Caller,
  { idempotencyKey }: Admission,
): Promise<boolean> {
  return idempotencyKey !== undefined && store.operations.hasKey(caller.id, idempotencyKey);
}
