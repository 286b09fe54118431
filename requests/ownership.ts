import { operationOnAny } from '../domain/operations/at-work.js';
import { Problem } from '../domain/problems.js';
import type { Ownership } from '../schemas/common/common.js';
import type { Service } from '../schemas/services/service.js';
import type { Vm } from '../schemas/vms/vm.js';
import type { OperationsContext } from './context.js';
import { ownershipOf } from './ownership-of.js';
import { keptOfPolicies } from './policy-resources.js';
import { namesFor, serviceResource } from './resources.js';
import { shownVm } from './vms/vms.js';

/** Who owns what operations are about, and what that permits: more goes with it than with other objects. */
export const ownershipOperations = (context: OperationsContext) => {
  const { store, directory } = context;
  return {
    vm: ownershipOf(context, 'vm', {
      change: store.ownership.changeVm,
      refuse: refuseNode,
      shown: (caller, vm) => shownVm(context, caller, vm),
    }),
    service: ownershipOf(context, 'service', {
      change: store.ownership.changeService,
      refuse: refuseBusy,
      shown: async (caller, service) => {
        const names = await namesFor(directory, caller, [service]);
        const nodes = (await store.services.findWithNodes(service._id))?.nodes ?? [];
        return serviceResource(service, nodes, names, await keptOfPolicies(store, [service]));
      },
    }),
  };
};

/** A VM of a service is charged to whoever has that, so it stays with it. */
function refuseNode({ _id, service, uid, gid }: Vm, after: Ownership): void {
  if (service && (uid !== after.uid || gid !== after.gid))
    throw new Problem(
      'wrong_state',
      `VM ${_id} belongs to service ${service.id}. Give that away, and its VMs go with it.`,
    );
}

/** An operation, be it on one role, goes on with the owner that it has read; VMs that it makes have the bits of then. */
function refuseBusy(service: Service, after: Ownership): void {
  const at = operationOnAny(service);
  if (at !== null && (service.uid !== after.uid || service.gid !== after.gid))
    throw new Problem(
      'operation_in_progress',
      `Operation ${at} is at work on service ${service._id}, and goes on with the owner and group that it has read. Wait for it, or cancel it.`,
      { operation: at },
    );
}
