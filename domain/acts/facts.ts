import type { HostState } from '../../schemas/hosts/host.js';
import type { OperatedKind } from '../../schemas/kinds.js';
import type { AppState } from '../../schemas/market/app.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { Operation, OperationKind, OperationState } from '../../schemas/operations/operation.js';
import type { ServiceState } from '../../schemas/services/service.js';
import type { ImageState } from '../../schemas/storage/image.js';
import type { VmStateName } from '../vms/vm-states.js';

/** The operation that has a resource now. null: nothing more is known of it. `by`: who has asked for it. */
export type Work = { op: string; kind: OperationKind | null; state: OperationState | null; by?: string };

/** `work`: the operation that has the role, and not all of the service. `amiss`: a repair needs it, or the recovery of a deployment. */
export type RoleFacts = { name: string; state: ServiceState; work: Work | null; amiss?: true };

type Facts = {
  service: {
    state: ServiceState;
    /** The undeployment that was asked for and has not ended: only a harder one outbids it. */
    going: OperationInputs['undeployService'] | null;
    /** Its roles that are at work on their own, those that a repair needs, those whose scaling has failed, and those on hold. */
    roles: readonly RoleFacts[];
    /** VMs of it are switched off, and nobody is at work on them; absent: nobody has looked. */
    switchedOff?: boolean;
  };
  vm: {
    state: VmStateName;
    going: OperationInputs['terminateVm'] | null;
    /** It runs behind the ready gate of its service and has not reported. */
    unready: boolean;
    /** It was on its way from one host to another, and is at one of them. */
    between: boolean;
    ofService: boolean;
    /** Its host, where nothing is asked of that: `host-1, which is OFFLINE`, or off. */
    offline?: string;
    /** It has the domain of somebody else, of whose disks nothing is known. */
    imported?: true;
    /** Another host is looked for. */
    resched: boolean;
    /** What failed of it, action by action: where that stands, and whether somebody has begun with it; absent: it has not failed. */
    debugging?: { session: number; current: number | null; begun: boolean; actions: readonly string[] };
  };
  host: {
    name: string;
    state: HostState;
    /** Why it does not answer, where it does not. */
    error: string | null;
    /** How many VMs have their place there. */
    vms: number;
    /** It is known to be off. */
    fenced?: true;
    /** Its policy: how many of its methods need nobody, and whether it is armed. Absent: it has none. */
    ha?: { automatic: number; armed: boolean };
    /** A test has turned it off, and not on again. */
    cut?: true;
    /** Domains are up there that have no place on it. Absent: none. */
    outside?: true;
  };
  image: {
    name: string;
    state: ImageState;
    reason: string | null;
    /** What uses it, and what is being made of it. */
    vms: readonly number[];
    clones: readonly number[];
    /** Apps that are being published of it; absent: none. */
    apps?: readonly number[];
    /** It is not to be changed; absent: it may be. */
    locked?: boolean;
  };
  app: {
    name: string;
    state: AppState;
    reason: string | null;
    /** Operations that are making something of it. */
    exports: readonly string[];
    /** It is of a catalogue of others. */
    upstream: boolean;
  };
  zone: object;
};

/** `work`: the operation on it that has not ended, of whatever operations are about. */
type Worked<T> = T extends OperatedKind ? { work: Work | null } : object;

/** A resource as it is now. */
export type FactsOf<T extends keyof Facts> = { type: T; id: number } & Facts[T] & Worked<T>;
export type ResourceFacts = { [T in keyof Facts]: FactsOf<T> }[keyof Facts];

/** An operation that is asked about. */
export type OperationFacts = Pick<
  Operation,
  '_id' | 'kind' | 'state' | 'resource' | 'role' | 'input' | 'cancel_requested' | 'answer'
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
  /** Has the ADMIN right on the resource: may say of a VM what Arcus has not seen. */
  mayAdmin: boolean;
};
