import { GroupResource } from '../schemas/group.js';
import { UserResource } from '../schemas/user.js';

/** Users and groups, as far as they are named in commands. */
export const users = { noun: 'user', path: '/users', item: UserResource };
export const groups = { noun: 'group', path: '/groups', item: GroupResource };
