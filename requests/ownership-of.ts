import type { Caller } from '../domain/identity/caller.js';
import { afterChmod, afterChown, demandedRight, receivers } from '../domain/identity/ownership.js';
import { groupSubject, mayOnUser } from '../domain/identity/user-rights.js';
import { type Finding, Problem } from '../domain/problems.js';
import type { Ownership } from '../schemas/common/common.js';
import type { Group } from '../schemas/identity/group.js';
import type { Chmod, Chown } from '../schemas/identity/ownership.js';
import type { User } from '../schemas/identity/user.js';
import { kinds, type OwnedKind } from '../schemas/kinds.js';
import { nobody } from '../store/mongo/references.js';
import type { OwnedNode, OwnershipChange } from '../store/ownership.js';
import { demand, subjectOf } from './authorise.js';
import type { OperationsContext } from './context.js';
import { underFreeName } from './free-name.js';
import { type Precondition, unconditional } from './precondition.js';

type Owned = Ownership & { _id: number; name: string; cluster_id?: number; cluster_ids?: readonly number[] };

/** How one kind differs from others. */
type Way<T, R> = {
  change: (id: number, change: OwnershipChange<T>) => Promise<T | null>;
  /** Refuses what its state does not allow. */
  refuse?: (seen: T, after: Ownership) => void;
  shown: (caller: Caller, object: T) => Promise<R>;
};

export type OwnershipOf<R> = {
  /** Sets permission bits. */
  chmod: (caller: Caller, id: number, request: Chmod, precondition?: Precondition) => Promise<R>;
  /** Gives to another owner, another group, or both. */
  chown: (caller: Caller, id: number, request: Chown, precondition?: Precondition) => Promise<R>;
};

/** How the owner, group and bits of a kind of object are changed: the same for every kind. */
export function ownershipOf<T extends Owned, R>(
  { directory }: Pick<OperationsContext, 'directory'>,
  kind: OwnedKind,
  { change, refuse, shown }: Way<T, R>,
): OwnershipOf<R> {
  const noun = kinds[kind].one;
  return {
    chmod: (caller, id, request, precondition = unconditional) =>
      changed(caller, id, precondition, {
        after: (seen) => afterChmod(seen, request),
        allow: (seen, after, nodes) => allow(caller, seen, after, nodes),
        names: {},
      }),

    async chown(caller, id, request, precondition = unconditional) {
      const found = await receiversOf(directory, request);
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
    const showing = (object: T) => shown(caller, object);
    const compare = (present: T) => precondition.demand(() => showing(present));
    const after = await underFreeName(
      `The new owner has a ${noun} of this name already. Rename one of them first.`,
      () => change(id, { ...wish, compare }),
    );
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
async function receiversOf(directory: OperationsContext['directory'], { uid, gid }: Chown): Promise<Receivers> {
  const [user, group] = await Promise.all([
    uid === undefined ? null : directory.users.find(uid),
    gid === undefined ? null : directory.groups.find(gid),
  ]);
  return { user, group };
}
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
