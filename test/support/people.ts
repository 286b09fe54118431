import { hashPassword } from '../../requests/identity/passwords.js';
import { defaultGroup, type Group } from '../../schemas/identity/group.js';
import { defaultUmask, type User } from '../../schemas/identity/user.js';
import type { MongodbDirectory } from '../../store/identity/mongodb-directory.js';

/** A user whose password is the name, unless another is given, or a hash, which may be of none. The first has id 2. */
export async function addUser(
  { users, version }: MongodbDirectory,
  name: string,
  {
    password = name,
    gid = defaultGroup,
    groups = [gid],
    password_hash: given,
    ...more
  }: Partial<User> & { password?: string } = {},
): Promise<User> {
  const password_hash = given ?? (await hashPassword(password));
  const whole = { enabled: true, umask: defaultUmask, attributes: {}, credentials: 0, created_at: new Date(), ...more };
  return version.change(async (session) => {
    const user = { _id: await version.take('user', session), name, gid, groups, password_hash, ...whole };
    await users.insert(user, session);
    return user;
  });
}

/** A group in which nothing may be created, unless more is said. The first has id 100. */
export async function addGroup(
  { groups, version }: MongodbDirectory,
  name: string,
  { admins = [], create = { users: [], admins: [] }, shared_view = false }: Partial<Group> = {},
): Promise<Group> {
  return version.change(async (session) => {
    const _id = await version.take('group', session);
    const group = { _id, name, admins, create, shared_view, created_at: new Date() };
    await groups.insert(group, session);
    return group;
  });
}
