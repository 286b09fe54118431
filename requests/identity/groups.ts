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

/** Groups. Members see theirs; to change one takes ADMIN on it, which administrators have, and admins of the group have not. */
export const groupOperations = ({ store, directory }: OperationsContext) => {
  const { users, groups, acls, version } = directory;

  async function shown(found: readonly Group[]): Promise<GroupResource[]> {
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

  async function shownOne(group: Group): Promise<GroupResource> {
    const [one] = await shown([group]);
    if (!one) throw new Error('a group was not shown');
    return one;
  }

  /** Names of groups are apart by more than case and the like. */
  async function refuseTaken(name: string, itself: number | null, transaction: Transaction): Promise<void> {
    const namesake = await groups.byName(name, transaction);
    if (namesake && namesake._id !== itself) throw new Problem('name_taken', `There is a group "${name}" already.`);
    const alike = await groups.lookAlike(name, itself, transaction);
    if (alike)
      throw new Problem('name_taken', `There is a group "${alike.name}" already, whose name looks like "${name}".`);
  }

  /** A change of one group, by whoever has the ADMIN right on it. */
  async function changed(
    caller: Caller,
    id: number,
    precondition: Precondition,
    change: (group: Group, transaction: Transaction) => Promise<Partial<Group>>,
  ): Promise<GroupResource> {
    const after = await changeDirectory(directory, caller, async (asking, transaction) => {
      const group = authorised(asking, id, await groups.find(id, transaction), 'admin');
      await precondition.demand(() => shownOne(group));
      if (id === administrators)
        throw new Problem('wrong_state', `Group ${id} stays as it is: its members may do everything.`);
      return groups.update(id, await change(group, transaction), transaction);
    });
    if (!after) throw new Error('a group was not changed');
    return shownOne(after);
  }

  return {
    async list(caller: Caller, query: ListQuery): Promise<Page<GroupResource>> {
      const page = await groups.list(caller, query);
      return { ...page, items: await shown(page.items) };
    },

    show: async (caller: Caller, id: number): Promise<GroupResource> =>
      shownOne(authorised(caller, id, await groups.find(id), 'use')),

    async create(
      caller: Caller,
      { name: wished, create = {}, shared_view = false }: CreateGroup,
    ): Promise<GroupResource> {
      const name = personName(wished);
      const group = await changeDirectory(directory, caller, async (asking, transaction) => {
        if (!allowed(asking, { type: 'GROUP' }, 'create'))
          throw new Problem('not_authorized', 'You need the CREATE right on GROUP.');
        await refuseTaken(name, null, transaction);
        const made: Group = {
          ...{ _id: await version.take('group', transaction), name, admins: [] },
          create: { users: create.users ?? [...defaultCreatable], admins: create.admins ?? [...defaultCreatable] },
          ...{ shared_view, created_at: new Date() },
        };
        await groups.insert(made, transaction);
        return made;
      });
      return shownOne(group);
    },

    update: (caller: Caller, id: number, { revise, precondition }: Edit<GroupEdit>): Promise<GroupResource> =>
      changed(caller, id, precondition, async ({ name: present, create, shared_view }, transaction) => {
        const revised = revise({ name: present, create, shared_view }).wish;
        const wish = { ...revised, name: personName(revised.name, present) };
        if (wish.name !== present) await refuseTaken(wish.name, id, transaction);
        return wish;
      }),

    /** Makes a member an admin of the group. Asked again it is the same. */
    addAdmin: (caller: Caller, id: number, uid: number, precondition: Precondition): Promise<GroupResource> =>
      changed(caller, id, precondition, async ({ admins }, transaction) => {
        const user = await users.find(uid, transaction);
        if (!user) throw new Problem('not_found', `There is no user ${uid}.`);
        if (!user.groups.includes(id))
          throw new Problem('wrong_state', `User ${uid} is not in group ${id}: only members are admins of a group.`);
        return { admins: [...new Set([...admins, uid])].sort((one, other) => one - other) };
      }),

    removeAdmin: (caller: Caller, id: number, uid: number, precondition: Precondition): Promise<GroupResource> =>
      changed(caller, id, precondition, async ({ admins }) => {
        if (!admins.includes(uid)) throw new Problem('not_found', `User ${uid} is no admin of group ${id}.`);
        return { admins: admins.filter((one) => one !== uid) };
      }),

    /** Removes a group without members and objects, with its quotas, and rules that are about nothing else. */
    async remove(caller: Caller, id: number, precondition: Precondition): Promise<void> {
      await changeDirectory(directory, caller, async (asking, transaction) => {
        const group = authorised(asking, id, await groups.find(id, transaction), 'admin');
        await precondition.demand(() => shownOne(group));
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
    },
  };
};

function authorised(caller: Caller, id: number, found: Group | null, right: Right): Group {
  if (!found) throw new Problem('not_found', `There is no group ${id}.`);
  demand(caller, groupSubject(found), right, `group ${id}`);
  return found;
}
