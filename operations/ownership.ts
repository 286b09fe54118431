import type { Caller } from '../domain/caller.js';
import { afterChmod, afterChown, demandedRight, receivers } from '../domain/ownership.js';
import { type Finding, Problem } from '../domain/problems.js';
import { groupSubject, mayOnUser } from '../domain/user-rights.js';
import type { Cluster } from '../schemas/cluster.js';
import type { Ownership } from '../schemas/common.js';
import type { Group } from '../schemas/group.js';
import { kinds, type OwnedKind } from '../schemas/kinds.js';
import type { Chmod, Chown } from '../schemas/ownership.js';
import type { Service } from '../schemas/service.js';
import type { User } from '../schemas/user.js';
import type { Vm } from '../schemas/vm.js';
import { isDuplicateKey } from '../store/operations.js';
import type { OwnedNode, OwnershipChange } from '../store/ownership.js';
import { nobody } from '../store/references.js';
import { demand, subjectOf } from './authorise.js';
import type { OperationsContext } from './context.js';
import { type Precondition, unconditional } from './precondition.js';
import {
  clusterResource,
  hostResource,
  type Names,
  namesFor,
  serviceResource,
  serviceTemplateResource,
  vmResource,
  vmTemplateResource,
} from './resources.js';

type Owned = Ownership & { _id: number; name: string; cluster_id?: number };

/** How the owner, group and bits of a kind are changed. */
type Way<T, R> = {
  change: (id: number, change: OwnershipChange<T>) => Promise<T | null>;
  /** Refuses what its state does not allow. */
  refuse?: (seen: T, after: Ownership) => void;
  shown: (object: T, names: Names) => R | Promise<R>;
};

export type OwnershipOf<R> = {
  /** Sets permission bits. */
  chmod: (caller: Caller, id: number, request: Chmod, precondition?: Precondition) => Promise<R>;
  /** Gives to another owner, another group, or both. */
  chown: (caller: Caller, id: number, request: Chown, precondition?: Precondition) => Promise<R>;
};

/** Who owns objects, and what they permit: asked for alike of every kind. */
export const ownershipOperations = (context: OperationsContext) => {
  const { store, directory } = context;

  return {
    vm: ownershipOf('vm', {
      change: store.ownership.changeVm,
      refuse: refuseNode,
      shown: vmResource,
    }),
    service: ownershipOf('service', {
      change: store.ownership.changeService,
      refuse: refuseBusy,
      shown: async (service, names) => {
        const nodes = (await store.services.findWithNodes(service._id))?.nodes ?? [];
        return serviceResource(service, nodes, names);
      },
    }),
    vm_template: ownershipOf('vm_template', {
      change: store.ownership.changeOf('vm_template', store.vmTemplates.model),
      shown: vmTemplateResource,
    }),
    service_template: ownershipOf('service_template', {
      change: store.ownership.changeOf('service_template', store.serviceTemplates.model),
      shown: serviceTemplateResource,
    }),
    host: ownershipOf('host', {
      change: store.ownership.changeOf('host', store.hosts.model),
      shown: hostResource,
    }),
    cluster: ownershipOf('cluster', {
      change: store.ownership.changeOf('cluster', store.clusters.model),
      shown: async (cluster: Cluster, names) => {
        const hosts = await store.clusterChanges.hostsOf([cluster._id]);
        return clusterResource(cluster, hosts.get(cluster._id) ?? [], names);
      },
    }),
  } satisfies Record<OwnedKind, unknown>;

  function ownershipOf<T extends Owned, R>(kind: OwnedKind, { change, refuse, shown }: Way<T, R>): OwnershipOf<R> {
    const noun = kinds[kind].one;
    return {
      chmod: (caller, id, request, precondition = unconditional) =>
        changed(caller, id, precondition, {
          after: (seen) => afterChmod(seen, request),
          allow: (seen, after, nodes) => allow(caller, seen, after, nodes),
          names: {},
        }),

      async chown(caller, id, request, precondition = unconditional) {
        const found = await receiversOf(request);
        const mayReceive = (seen: T, after: Ownership) => demandOnReceivers(caller, seen, after, found);
        return changed(caller, id, precondition, {
          after: (seen) => afterChown(seen, request),
          allow: (seen, after, nodes) => allow(caller, seen, after, nodes, mayReceive),
          names: {
            ...(found.user && { uname: found.user.name }),
            ...(found.group && { gname: found.group.name }),
          },
        });
      },
    };

    async function changed(
      caller: Caller,
      id: number,
      precondition: Precondition,
      wish: Omit<OwnershipChange<T>, 'compare'>,
    ): Promise<R> {
      const showing = async (object: T) => shown(object, await namesFor(directory, caller, [object]));
      const compare = (present: T) => precondition.demand(() => showing(present));
      const after = await change(id, { ...wish, compare }).catch((error: unknown) => {
        if (!isDuplicateKey(error)) throw error;
        throw new Problem('name_taken', `The new owner has a ${noun} of this name already. Rename one of them first.`);
      });
      if (!after) throw new Problem('not_found', `There is no ${noun} ${id}.`);
      return showing(after);
    }

    /** In this order: who may not do it learns nothing of those who would get it, nor of what is going on. */
    function allow(
      caller: Caller,
      seen: T,
      after: Ownership,
      nodes: readonly OwnedNode[],
      mayReceive: (seen: T, after: Ownership) => void = () => {},
    ): void {
      const what = `${noun} ${seen._id}`;
      demand(caller, subjectOf(kind, seen), demandedRight(seen, after), what);
      // Nobody does anything any more with one that is DONE.
      for (const node of nodes)
        if (node.state !== 'DONE')
          demand(caller, subjectOf('vm', node), demandedRight(node, after), `VM ${node._id} of ${what}`);
      mayReceive(seen, after);
      refuse?.(seen, after);
    }
  }

  /** The new owner and the new group; null: there is none such, or none is asked for. */
  async function receiversOf({ uid, gid }: Chown): Promise<Receivers> {
    const [user, group] = await Promise.all([
      uid === undefined ? null : directory.users.find(uid),
      gid === undefined ? null : directory.groups.find(gid),
    ]);
    return { user, group };
  }
};

type Receivers = { user: User | null; group: Group | null };

function demandOnReceivers(caller: Caller, before: Ownership, after: Ownership, { user, group }: Receivers): void {
  const on = receivers(caller, before, after);
  const findings: Finding[] = [
    ...(on.user !== null && !user ? [{ pointer: '/uid', detail: `there is no user ${on.user}` }] : []),
    ...(on.group !== null && !group ? [{ pointer: '/gid', detail: `there is no group ${on.group}` }] : []),
  ];
  if (findings.length > 0) throw nobody(findings);
  if (on.user !== null && user && !mayOnUser(caller, user, 'manage'))
    throw new Problem('not_authorized', `You need the MANAGE right on user ${user._id} to give something to him.`);
  if (on.group !== null && group) demand(caller, groupSubject(group), 'use', `group ${group._id}`);
}

/** A VM of a service is charged to whoever has that, so it stays with it. */
function refuseNode({ _id, service, uid, gid }: Vm, after: Ownership): void {
  if (service && (uid !== after.uid || gid !== after.gid))
    throw new Problem(
      'wrong_state',
      `VM ${_id} belongs to service ${service.id}. Give that away, and its VMs go with it.`,
    );
}

/** An operation goes on with the owner and the bits that it has read. */
function refuseBusy({ _id, operation, wanted }: Service): void {
  const at = wanted ?? operation;
  if (at !== null)
    throw new Problem(
      'operation_in_progress',
      `Operation ${at} is at work on service ${_id}, and goes on with the owner, group and permissions that it has read. Wait for it, or cancel it.`,
      { operation: at },
    );
}
