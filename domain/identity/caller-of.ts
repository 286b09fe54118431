import type { AclRule } from '../../schemas/identity/acl.js';
import type { Group } from '../../schemas/identity/group.js';
import type { User } from '../../schemas/identity/user.js';
import type { Caller } from './caller.js';
import { groupRules } from './group-rules.js';
import { isFor } from './permissions.js';

/** A user as one who asks, with the rules that follow from the user's groups and those of the stored ones that concern him. */
export function callerOf(user: User, groups: readonly Group[], stored: readonly AclRule[]): Caller {
  const who = { id: user._id, groups: user.groups };
  return {
    ...who,
    name: user.name,
    gid: user.gid,
    rules: [...groups.flatMap(groupRules), ...stored].filter((rule) => isFor(rule.user, who)),
    umask: user.umask,
    groupNames: new Map(groups.map(({ _id, name }) => [_id, name])),
  };
}
