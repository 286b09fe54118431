import type { HostState } from '../../schemas/hosts/host.js';
import type { Operation, OperationInputs, OperationKind, OperationState } from '../../schemas/operations/operation.js';
import type { ServiceState } from '../../schemas/services/service.js';
import type { VmStateName } from '../vms/vm-states.js';

/** The operation that has a resource now. null: nothing more is known of it. */
export type Work = { op: string; kind: OperationKind | null; state: OperationState | null };

/** A resource as it is now. `work`: the operation on it that has not ended. */
export type ResourceFacts =
  | {
      type: 'service';
      id: number;
      state: ServiceState;
      work: Work | null;
      /** The undeployment that was asked for and has not ended: only a harder one outbids it. */
      going: OperationInputs['undeployService'] | null;
    }
  | {
      type: 'vm';
      id: number;
      state: VmStateName;
      work: Work | null;
      going: OperationInputs['terminateVm'] | null;
      /** It runs behind the ready gate of its service and has not reported. */
      unready: boolean;
    }
  | { type: 'host'; id: number; state: HostState }
  | { type: 'zone'; id: number; work: Work | null };

export type FactsOf<T extends ResourceFacts['type']> = Extract<ResourceFacts, { type: T }>;

/** An operation that is asked about. */
export type OperationFacts = Pick<
  Operation,
  '_id' | 'kind' | 'state' | 'resource' | 'input' | 'cancel_requested' | 'answer'
>;

export type ActionFacts = {
  /** What was asked about: where the same can be done through operation and resource, it is offered through this one. */
  about: 'operation' | 'resource';
  operation: OperationFacts | null;
  /** The last operation on its resource, where that is another one: it has come after it. */
  after: Pick<Operation, '_id' | 'kind'> | null;
  /** null: it is gone. */
  resource: ResourceFacts | null;
  /** The caller may MANAGE the operation and its resource; is an administrator, for hosts and the zone. */
  mayManage: boolean;
  /** And may say of a VM what Arcus has not seen: has the ADMIN right on it. */
  mayAdmin: boolean;
};
