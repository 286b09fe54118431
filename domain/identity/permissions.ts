import type { Ownership } from '../../schemas/common/common.js';
import type { AclRight, AclRule, ResourceType } from '../../schemas/identity/acl.js';
import { isClustered } from './acl.js';
import type { Caller } from './caller.js';
import { localZone } from './zone.js';

export type Right = AclRight;

/** Who asks, as far as rights depend on it. */
export type Asker = Pick<Caller, 'id' | 'groups' | 'rules'>;

/**
 * What a right is asked on: an object with its owner and permission bits, or, for CREATE, a kind and the group that the new
 * object will have.
 */
export type Subject = {
  type: ResourceType;
  id?: number;
  cluster_ids?: readonly number[] | undefined;
} & Partial<Ownership>;

const administrators = 0;
/** Of hosts that say none. */
const defaultCluster = 0;

/** User oneadmin and members of group 0, who pass everything. */
export const isAdministrator = ({ id, groups }: Pick<Caller, 'id' | 'groups'>): boolean =>
  id === administrators || groups.includes(administrators);

/**
 * Whether the caller may do this to the subject: as administrator, by its permission bits, or by an ACL rule. Rules only
 * grant, so their order does not matter; CREATE is given by rules alone.
 */
export function allowed(caller: Asker, subject: Subject, right: Right): boolean {
  return isAdministrator(caller) || permits(caller, subject, right) || granted(caller, subject, right);
}

function permits(caller: Asker, { uid, gid, permissions }: Subject, right: Right): boolean {
  if (right === 'create' || !permissions) return false;
  const { owner, group, other } = permissions;
  return (
    (caller.id === uid && owner[right]) ||
    (gid !== undefined && caller.groups.includes(gid) && group[right]) ||
    other[right]
  );
}

const granted = (caller: Asker, subject: Subject, right: Right): boolean =>
  caller.rules.some((rule) => concerns(rule, caller, subject.type, right) && selects(rule.selector, subject));

/** Whether a rule gives this caller a right on some objects of a kind here. */
const concerns = ({ user, types, rights, zone }: AclRule, caller: Asker, type: ResourceType, right: Right): boolean =>
  (zone === null || zone === localZone) && types.includes(type) && rights.includes(right) && isFor(user, caller);

/** Whether a rule is about this user. */
export const isFor = (user: AclRule['user'], { id, groups }: Pick<Caller, 'id' | 'groups'>): boolean =>
  user.kind === 'all' || (user.kind === 'user' ? user.id === id : groups.includes(user.id));

/**
 * Whether the caller has by rules all that a rule gives to somebody, on each kind and with each right: from rules that
 * select at least as much, whichever they are. A rule for other zones gives nothing here, and something there.
 */
export const isCovered = ({ types, rights, selector, zone }: AclRule, caller: Asker): boolean =>
  types.every((type) =>
    rights.every((right) =>
      caller.rules.some(
        (rule) =>
          (rule.zone === null || rule.zone === zone) &&
          rule.types.includes(type) &&
          rule.rights.includes(right) &&
          isFor(rule.user, caller) &&
          isAtLeast(rule.selector, selector),
      ),
    ),
  );

const isAtLeast = (one: AclRule['selector'], other: AclRule['selector']): boolean =>
  one.kind === 'all' || (other.kind !== 'all' && one.kind === other.kind && one.id === other.id);

function selects(selector: AclRule['selector'], { type, id, gid, cluster_ids = [defaultCluster] }: Subject): boolean {
  switch (selector.kind) {
    case 'all':
      return true;
    case 'id':
      return selector.id === id;
    case 'group':
      return selector.id === gid;
    case 'cluster':
      return isClustered(type) && cluster_ids.includes(selector.id);
  }
}

/**
 * Which objects of a kind a list may show: all, or those whose bits let the caller USE them and those that rules name by
 * id, group or cluster. The same rule as `allowed(caller, subject, 'use')`.
 */
export type Visibility =
  | { all: true }
  | { all: false; uid: number; groups: number[]; ids: number[]; gids: number[]; clusters: number[] };

export function visibility(caller: Asker, type: ResourceType): Visibility {
  const rules = caller.rules.filter((rule) => concerns(rule, caller, type, 'use'));
  if (isAdministrator(caller) || rules.some(({ selector }) => selector.kind === 'all')) return { all: true };
  const named = (kind: 'id' | 'group' | 'cluster'): number[] => [
    ...new Set(rules.flatMap(({ selector }) => (selector.kind === kind ? [selector.id] : []))),
  ];
  return {
    all: false,
    uid: caller.id,
    groups: caller.groups,
    ids: named('id'),
    gids: named('group'),
    clusters: isClustered(type) ? named('cluster') : [],
  };
}
