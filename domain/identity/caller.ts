import type { AclRule } from '../../schemas/identity/acl.js';

/**
 * Who asks. `groups` are the ids of all groups, the primary one (`gid`) included; `rules` the ACL rules that may concern
 * this caller; `umask` (octal, absent: 177) what new objects do not permit.
 */
export type Caller = {
  id: number;
  name: string;
  gid: number;
  groups: number[];
  rules: readonly AclRule[];
  umask?: string;
  /** Names of these groups, so that nobody has to look them up. */
  groupNames?: ReadonlyMap<number, string>;
  /** How and from where the caller has come; absent: not over the network. */
  login?: { by: 'password' | 'token'; address: string; credentials: number };
};
