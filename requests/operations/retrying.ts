import type { Caller } from '../../domain/identity/caller.js';
import type { OperatedKind } from '../../schemas/kinds.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { OperationKind, OperationOn } from '../../schemas/operations.js';
import type { OperationsContext } from '../context.js';
import type { Asked } from './admit.js';

/** How an operation is tried again that has failed or was cancelled, and is the last of its resource: by what that can be asked for anyway. */
export type Retry<K extends OperationKind> = (
  context: OperationsContext,
  caller: Caller,
  operation: Operation<K>,
  asked: Asked & { retryOf: string },
) => Promise<OperationResource>;
/** Of each kind of operation on a kind of thing: one that cannot be tried again says so. */
export type RetriesOn<T extends OperatedKind> = { readonly [K in OperationOn<T>]: Retry<K> };
