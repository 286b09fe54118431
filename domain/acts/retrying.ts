import type { OperatedKind } from '../../schemas/kinds.js';
import type { OperationOn } from '../../schemas/operations.js';
import { nameOf } from '../operations/names.js';
import type { OperationFacts, ResourceFacts } from './facts.js';
import { notFound, type Verdict } from './verdict.js';

type MayAgain = (operation: OperationFacts, resource: ResourceFacts | null) => Verdict;
/** Whether each kind of operation on a kind of thing may be tried again: one that nobody has thought of does not compile. */
export type MayRetryOn<T extends OperatedKind> = { readonly [K in OperationOn<T>]: MayAgain };

type Of<T extends OperatedKind> = Extract<ResourceFacts, { type: T }>;
const isOf = <T extends OperatedKind>(type: T, resource: ResourceFacts | null): resource is Of<T> =>
  resource?.type === type;

/** As its resource says, as long as that is there. */
export const whereThere =
  <T extends OperatedKind>(type: T, may: (resource: Of<T>, operation: OperationFacts) => Verdict): MayAgain =>
  (operation, resource) =>
    isOf(type, resource) ? may(resource, operation) : notFound(nameOf(operation.resource));
