import { printAcl } from '../../domain/identity/acl.js';
import type { Caller } from '../../domain/identity/caller.js';
import { personName } from '../../domain/identity/given-names.js';
import { groupRules } from '../../domain/identity/group-rules.js';
import { allowed, type Right } from '../../domain/identity/permissions.js';
import { groupSubject } from '../../domain/identity/user-rights.js';
import { Problem } from '../../domain/problems.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import {
  administrators,
  type CreateGroup,
  defaultCreatable,
  defaultGroup,
  type Group,
  type GroupEdit,
  type GroupResource,
} from '../../schemas/identity/group.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { demand } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import type { Edit } from '../edit.js';
import type { Precondition } from '../precondition.js';
import { changeDirectory } from './change-directory.js';
import { refuseTaken } from './refuse-taken.js';

// Groups. Members see theirs; to change one takes ADMIN on it, which administrators have, and admins of the group have not.

export async function listGroups(
  context: OperationsContext,
  caller: Caller,
  query: ListQuery,
): Promise<Page<GroupResource>> {
  const { groups } = context.directory;
  const page = await groups.list(caller, query);
  return { ...page, items: await shown(context, page.items) };
}

export async function showGroup(context: OperationsContext, caller: Caller, id: number): Promise<GroupResource> {
  const { groups } = context.directory;
  return shownOne(context, authorised(caller, id, await groups.find(id), 'use'));
}

export async function createGroup(
  context: OperationsContext,
  caller: Caller,
  { name: wished, create = {}, shared_view = false }: CreateGroup,
): Promise<GroupResource> {
  const { directory } = context;
  const { version, groups } = directory;
  const name = personName(wished);
  const group = await changeDirectory(directory, caller, async (asking, transaction) => {
    if (!allowed(asking, { type: 'GROUP' }, 'create'))
      throw new Problem('not_authorized', 'You need the CREATE right on GROUP.');
    await refuseTaken('group', groups, name, null, transaction);
    const made: Group = {
      ...{ _id: await version.take('group', transaction), name, admins: [] },
      create: { users: create.users ?? [...defaultCreatable], admins: create.admins ?? [...defaultCreatable] },
      ...{ shared_view, created_at: new Date() },
    };
    await groups.insert(made, transaction);
    return made;
  });
  return shownOne(context, group);
}

export function updateGroup(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { revise, precondition }: Edit<GroupEdit>,
): Promise<GroupResource> {
  return changed(context, caller, id, precondition, async ({ name: present, create, shared_view }, transaction) => {
    const revised = revise({ name: present, create, shared_view }).wish;
    const wish = { ...revised, name: personName(revised.name, present) };
    if (wish.name !== present) await refuseTaken('group', context.directory.groups, wish.name, id, transaction);
    return wish;
  });
}

/** Makes a member an admin of the group. Asked again it is the same. */
export function addGroupAdmin(
  context: OperationsContext,
  caller: Caller,
  id: number,
  uid: number,
  precondition: Precondition,
): Promise<GroupResource> {
  const { users } = context.directory;
  return changed(context, caller, id, precondition, async ({ admins }, transaction) => {
    const user = await users.find(uid, transaction);
    if (!user) throw new Problem('not_found', `There is no user ${uid}.`);
    if (!user.groups.includes(id))
      throw new Problem('wrong_state', `User ${uid} is not in group ${id}: only members are admins of a group.`);
    return { admins: [...new Set([...admins, uid])].sort((one, other) => one - other) };
  });
}

export function removeGroupAdmin(
  context: OperationsContext,
  caller: Caller,
  id: number,
  uid: number,
  precondition: Precondition,
): Promise<GroupResource> {
  return changed(context, caller, id, precondition, async ({ admins }) => {
    if (!admins.includes(uid)) throw new Problem('not_found', `User ${uid} is no admin of group ${id}.`);
    return { admins: admins.filter((one) => one !== uid) };
  });
}

/** Removes a group without members and objects, with its quotas, and rules that are about nothing else. */
export async function removeGroup(
  context: OperationsContext,
  caller: Caller,
  id: number,
  precondition: Precondition,
): Promise<void> {
  const { directory, store } = context;
  const { groups, users, acls } = directory;
  await changeDirectory(directory, caller, async (asking, transaction) => {
    const group = authorised(asking, id, await groups.find(id, transaction), 'admin');
    await precondition.demand(() => shownOne(context, group));
    const { name } = group;
    if (id === administrators || id === defaultGroup)
      throw new Problem('wrong_state', `Group ${id} (${name}) is always there.`);
    const members = await users.countIn(id, transaction);
    if (members > 0)
      throw new Problem(
        'in_use',
        `Group ${id} (${name}) has ${members === 1 ? '1 member' : `${members} members`}. Take them out first.`,
      );
    const owned = await store.owned.by({ gid: id }, transaction);
    if (owned !== null)
      throw new Problem('in_use', `Group ${id} (${name}) has ${owned}. Give that to another group first.`);
    await acls.removeOfGroup(id, transaction);
    await store.quotas.forget({ type: 'group', id }, transaction);
    await groups.remove(id, transaction);
  });
}

async function shown(context: OperationsContext, found: readonly Group[]): Promise<GroupResource[]> {
  const { users } = context.directory;
  const [members, names] = await Promise.all([
    users.countMembers(found.map(({ _id }) => _id)),
    users.namesOf([...new Set(found.flatMap(({ admins }) => admins))]),
  ]);
  return found.map((group) => ({
    id: group._id,
    name: group.name,
    members: members.get(group._id) ?? 0,
    admins: group.admins.map((id) => ({ id, name: names.get(id) ?? String(id) })),
    create: group.create,
    shared_view: group.shared_view,
    rules: groupRules(group).map(printAcl),
    created_at: group.created_at.toISOString(),
  }));
}

async function shownOne(context: OperationsContext, group: Group): Promise<GroupResource> {
  const [one] = await shown(context, [group]);
  if (!one) throw new Error('a group was not shown');
  return one;
}

/** A change of one group, by whoever has the ADMIN right on it. */
async function changed(
  context: OperationsContext,
  caller: Caller,
  id: number,
  precondition: Precondition,
  change: (group: Group, transaction: Transaction) => Promise<Partial<Group>>,
): Promise<GroupResource> {
  const { directory } = context;
  const { groups } = directory;
  const after = await changeDirectory(directory, caller, async (asking, transaction) => {
    const group = authorised(asking, id, await groups.find(id, transaction), 'admin');
    await precondition.demand(() => shownOne(context, group));
    if (id === administrators)
      throw new Problem('wrong_state', `Group ${id} stays as it is: its members may do everything.`);
    return groups.update(id, await change(group, transaction), transaction);
  });
  if (!after) throw new Error('a group was not changed');
  return shownOne(context, after);
}

function authorised(caller: Caller, id: number, found: Group | null, right: Right): Group {
  if (!found) throw new Problem('not_found', `There is no group ${id}.`);
  demand(caller, groupSubject(found), right, `group ${id}`);
  return found;
}
