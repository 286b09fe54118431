import { printAcl } from '../../domain/identity/acl.js';
import type { Caller } from '../../domain/identity/caller.js';
import { personName } from '../../domain/identity/given-names.js';
import { demandUmask } from '../../domain/identity/permission-bits.js';
import { isAdministrator } from '../../domain/identity/permissions.js';
import { mayCreateUser } from '../../domain/identity/user-rights.js';
import { type Finding, Problem } from '../../domain/problems.js';
import type { Page } from '../../schemas/common/common.js';
import { limits } from '../../schemas/common/limits.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { administrators, defaultGroup } from '../../schemas/identity/group.js';
import {
  type ChangePassword,
  type CreateUser,
  defaultUmask,
  type SelfResource,
  type User,
  type UserEdit,
  type UserResource,
} from '../../schemas/identity/user.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import type { OperationsContext, RequestsContext } from '../context.js';
import type { Edit } from '../edit.js';
import type { Precondition } from '../precondition.js';
import { authorisedUser, commandedUser, demandFill } from './authorise-user.js';
import { changeDirectory } from './change-directory.js';
import { hashPassword } from './passwords.js';
import { refuseTaken } from './refuse-taken.js';
import { shownUser, shownUsers } from './shown-users.js';
import { userAttributes } from './user-attributes.js';

/** User 0, which is always there. */
const oneadmin = 0;

// Users, as those may manage them who have rights on them: themselves, admins of their group, administrators.

export async function listUsers(
  context: OperationsContext,
  caller: Caller,
  query: ListQuery,
): Promise<Page<UserResource>> {
  const { users } = context.directory;
  const page = await users.list(caller, query);
  return { ...page, items: await shownUsers(context, page.items) };
}

export async function showUser(context: OperationsContext, caller: Caller, id: number): Promise<UserResource> {
  const { users } = context.directory;
  return shownUser(context, authorisedUser(caller, id, await users.find(id), 'use'));
}

/** The caller, and what the caller may do. */
export async function showSelf(context: OperationsContext, caller: Caller): Promise<SelfResource> {
  const { users } = context.directory;
  const user = await users.find(caller.id);
  if (!user) throw new Problem('not_found', `There is no user ${caller.id}.`);
  return {
    ...(await shownUser(context, user)),
    authenticated_by: caller.login?.by ?? 'password',
    rules: caller.rules.map(printAcl),
  };
}

/** Needs CREATE on USER in the primary group, and MANAGE on each group that the user comes into. */
export async function createUser(
  context: OperationsContext,
  caller: Caller,
  request: CreateUser,
): Promise<UserResource> {
  const { directory } = context;
  const { users, version } = directory;
  const { password, groups: more = [], umask = defaultUmask, enabled = true } = request;
  const attributes = userAttributes(request.attributes);
  const gid = request.gid ?? (isAdministrator(caller) ? defaultGroup : caller.gid);
  const name = personName(request.name);
  demandUmask(umask);
  const all = [...new Set([gid, ...more])];
  const demandCreate = (asking: Caller): void => {
    if (mayCreateUser(asking, gid, all)) return;
    for (const one of all) demandFill(asking, one);
    throw new Problem('not_authorized', `You need the CREATE right on USER in group ${gid}.`);
  };
  demandCreate(caller);
  const password_hash = await hashPassword(password);
  const made = await changeDirectory(directory, caller, async (asking, transaction) => {
    demandCreate(asking);
    if (!isAdministrator(asking) && (await users.countIn(gid, transaction)) >= limits.members.most)
      throw new Problem('wrong_state', `Group ${gid} has ${limits.members.most} users. Ask an administrator.`);
    await refuseImpossible(context, { name, gid, groups: more }, null, transaction);
    const user: User = {
      ...{ _id: await version.take('user', transaction), name, gid, groups: all, password_hash },
      ...{ enabled, umask, attributes, credentials: 0, created_at: new Date() },
    };
    await users.insert(user, transaction);
    return user;
  });
  return shownUser(context, made);
}

/** Everybody changes his own umask and attributes; the rest is for those who may act in the user's stead. */
export async function updateUser(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { revise, precondition }: Edit<UserEdit>,
): Promise<UserResource> {
  const { directory } = context;
  const { users, tokens } = directory;
  const after = await changeDirectory(directory, caller, async (asking, transaction) => {
    const found = await users.find(id, transaction);
    const isOneself = asking.id === id;
    const user = isOneself
      ? authorisedUser(asking, id, found, 'manage')
      : await commandedUser(directory, asking, id, found, transaction);
    await precondition.demand(() => shownUser(context, user));
    const { wish, named } = revise({
      ...{ name: user.name, gid: user.gid, umask: user.umask, enabled: user.enabled, attributes: user.attributes },
    });
    const isForOneself = [...named].every((member) => member === 'umask' || member === 'attributes');
    if (isOneself && !isForOneself) await commandedUser(directory, asking, id, user, transaction);
    const { gid, umask, enabled } = wish;
    const name = personName(wish.name, user.name);
    demandUmask(umask, user.umask);
    const attributes = userAttributes(wish.attributes, user.attributes);
    const disables = user.enabled && !enabled;
    if (disables) refuseDisabling(asking, id);
    if (id === oneadmin && name !== user.name)
      throw new Problem('wrong_state', `User ${oneadmin} is always called ${user.name}.`);
    await refuseImpossible(context, { name, gid }, id, transaction);
    const joins = !user.groups.includes(gid);
    if (joins) demandFill(asking, gid);
    if (disables) await tokens.removeOf(id, transaction);
    return users.update(
      id,
      {
        ...{ name, gid, umask, enabled, attributes },
        ...(joins && { groups: [...user.groups, gid] }),
        ...(disables && { credentials: user.credentials + 1 }),
      },
      transaction,
    );
  });
  if (!after) throw new Error('a user was not changed');
  return shownUser(context, after);
}

/** One's own: with the current one. Another's: by whoever may act in that user's stead. Revokes all tokens. */
export async function setPassword(
  context: RequestsContext,
  caller: Caller,
  id: number,
  { password, current_password }: ChangePassword,
  precondition: Precondition,
): Promise<void> {
  const { directory } = context;
  const { users, tokens } = directory;
  const before = await users.find(id);
  if (caller.id === id) await demandCurrent(context, before, caller, current_password);
  else await commandedUser(directory, caller, id, before);
  const password_hash = await hashPassword(password);
  await changeDirectory(directory, caller, async (asking, transaction) => {
    const found = await users.find(id, transaction);
    if (asking.id !== id) await commandedUser(directory, asking, id, found, transaction);
    else if (found?.password_hash !== before?.password_hash)
      throw new Problem('not_authorized', 'Your password has been changed meanwhile.');
    if (found) await precondition.demand(() => shownUser(context, found));
    await users.update(id, { password_hash, generated: null, credentials: (found?.credentials ?? 0) + 1 }, transaction);
    await tokens.removeOf(id, transaction);
  });
}

/** Makes the user a member of a group. Asked again it is the same. */
export async function joinGroup(
  context: OperationsContext,
  caller: Caller,
  id: number,
  gid: number,
  precondition: Precondition,
): Promise<UserResource> {
  const { directory } = context;
  const { users, groups } = directory;
  const after = await changeDirectory(directory, caller, async (asking, transaction) => {
    const user = await commandedUser(directory, asking, id, await users.find(id, transaction), transaction);
    await precondition.demand(() => shownUser(context, user));
    if (!(await groups.find(gid, transaction))) throw new Problem('not_found', `There is no group ${gid}.`);
    demandFill(asking, gid);
    if (user.groups.includes(gid)) return user;
    return users.update(id, { groups: [...user.groups, gid] }, transaction);
  });
  if (!after) throw new Error('a user was not changed');
  return shownUser(context, after);
}

/** Takes the user out of a group that is not the primary one; who was an admin of it is not any more. */
export async function leaveGroup(
  context: OperationsContext,
  caller: Caller,
  id: number,
  gid: number,
  precondition: Precondition,
): Promise<UserResource> {
  const { directory } = context;
  const { users, groups } = directory;
  const after = await changeDirectory(directory, caller, async (asking, transaction) => {
    const user = await commandedUser(directory, asking, id, await users.find(id, transaction), transaction);
    await precondition.demand(() => shownUser(context, user));
    if (!user.groups.includes(gid)) throw new Problem('not_found', `User ${id} is not in group ${gid}.`);
    demandFill(asking, gid);
    if (gid === user.gid)
      throw new Problem(
        'wrong_state',
        `Group ${gid} is the primary group of user ${id}: give the user another one first.`,
      );
    if (id === oneadmin && gid === administrators)
      throw new Problem('wrong_state', `User ${oneadmin} is always in group ${administrators}.`);
    await groups.removeAdmin(id, [gid], transaction);
    return users.update(id, { groups: user.groups.filter((one) => one !== gid) }, transaction);
  });
  if (!after) throw new Error('a user was not changed');
  return shownUser(context, after);
}

/** Removes a user who owns nothing any more, with tokens, quotas, and rules that are about nobody else. */
export async function removeUser(
  context: OperationsContext,
  caller: Caller,
  id: number,
  precondition: Precondition,
): Promise<void> {
  const { directory, store } = context;
  const { users, tokens, groups, acls } = directory;
  await changeDirectory(directory, caller, async (asking, transaction) => {
    const user = await commandedUser(directory, asking, id, await users.find(id, transaction), transaction);
    await precondition.demand(() => shownUser(context, user));
    if (id === oneadmin) throw new Problem('wrong_state', `User ${oneadmin} is always there.`);
    if (id === asking.id) throw new Problem('not_authorized', 'You cannot remove yourself. Ask somebody else.');
    const owned = await store.owned.by({ uid: id }, transaction);
    if (owned !== null)
      throw new Problem(
        'in_use',
        `User ${id} (${user.name}) owns ${owned}. Delete that, or give it to somebody else, first.`,
      );
    await tokens.removeOf(id, transaction);
    await groups.removeAdmin(id, user.groups, transaction);
    await acls.removeOfUser(id, transaction);
    await store.quotas.forget({ type: 'user', id }, transaction);
    await users.remove(id, transaction);
  });
}

/** Everything that is wrong with names and groups, at once. */
async function refuseImpossible(
  context: OperationsContext,
  { name, gid, groups: more = [] }: Partial<Pick<UserEdit, 'name' | 'gid'>> & { groups?: readonly number[] },
  itself: number | null,
  transaction: Transaction,
): Promise<void> {
  const { groups, users } = context.directory;
  const there = await groups.namesOf([...(gid === undefined ? [] : [gid]), ...more], transaction);
  const findings: Finding[] = [
    ...(gid === undefined || there.has(gid) ? [] : [{ pointer: '/gid', detail: `there is no group ${gid}` }]),
    ...more.flatMap((id, at) =>
      there.has(id) ? [] : [{ pointer: `/groups/${at}`, detail: `there is no group ${id}` }],
    ),
  ];
  if (findings.length > 0) throw new Problem('invalid_request', 'A user is in groups that exist.', { findings });
  if (name !== undefined) await refuseTaken('user', users, name, itself, transaction);
}

async function demandCurrent(
  { passwords }: RequestsContext,
  user: User | null,
  caller: Caller,
  current: string | undefined,
): Promise<void> {
  if (current === undefined)
    throw new Problem('invalid_request', 'Your own password is changed with the current one.', {
      findings: [{ pointer: '/current_password', detail: 'is required' }],
    });
  const login = { name: caller.name, secret: current, address: caller.login?.address ?? '' };
  if (!(await passwords.matches(user, login)))
    throw new Problem('not_authorized', 'The current password is another one.');
}

function refuseDisabling(asking: Caller, id: number): void {
  if (id === oneadmin) throw new Problem('wrong_state', `User ${oneadmin} cannot be disabled.`);
  if (id === asking.id) throw new Problem('not_authorized', 'You cannot disable yourself. Ask somebody else.');
}
