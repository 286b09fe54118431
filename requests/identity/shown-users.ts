import { isAdministrator } from '../../domain/identity/permissions.js';
import type { User, UserResource } from '../../schemas/identity/user.js';
import type { OperationsContext } from '../context.js';

/** Users as they are shown, in the same order: with the names of their groups. */
export async function shownUsers(
  context: Pick<OperationsContext, 'directory'>,
  found: readonly User[],
): Promise<UserResource[]> {
  const { groups } = context.directory;
  const its = await groups.byIds([...new Set(found.flatMap((user) => user.groups))]);
  const byId = new Map(its.map((group) => [group._id, group]));
  const nameOf = (gid: number): string => byId.get(gid)?.name ?? String(gid);
  return found.map((user) => ({
    id: user._id,
    name: user.name,
    gid: user.gid,
    gname: nameOf(user.gid),
    groups: [...user.groups]
      .sort((one, other) => one - other)
      .map((id) => ({ id, name: nameOf(id), admin: byId.get(id)?.admins.includes(user._id) ?? false })),
    administrator: isAdministrator({ id: user._id, groups: user.groups }),
    enabled: user.enabled,
    umask: user.umask,
    attributes: user.attributes,
    created_at: user.created_at.toISOString(),
  }));
}

/** One of them. */
export async function shownUser(context: Pick<OperationsContext, 'directory'>, user: User): Promise<UserResource> {
  const [one] = await shownUsers(context, [user]);
  if (!one) throw new Error('a user was not shown');
  return one;
}
