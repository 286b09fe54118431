import type { AclRule, ResourceType } from '../../schemas/identity/acl.js';
import { administrators, creatable, type Group } from '../../schemas/identity/group.js';

/** What admins of a group manage of it: everything that belongs to it and is not a user. */
const managed: ResourceType[] = [...creatable, 'SECGROUP'];
/** What members see of each other where a group is so set: VMs, and services with their templates. */
const shared: ResourceType[] = ['VM', 'DOCUMENT'];

/**
 * The ACL rules that follow from what a group says of itself. They are derived whenever a caller is known and kept
 * nowhere, so that they cannot disagree with the group. Group 0 needs none: its members may do everything.
 */
export function groupRules({ _id: id, admins, create, shared_view }: Group): AclRule[] {
  if (id === administrators) return [];
  const members = { kind: 'group', id } as const;
  const everywhere = { selector: { kind: 'all' }, zone: null } as const;
  const here = { selector: { kind: 'group', id }, zone: null } as const;
  return [
    ...(create.users.length > 0
      ? [{ user: members, types: [...create.users], rights: ['create' as const], ...everywhere }]
      : []),
    ...(shared_view ? [{ user: members, types: [...shared], rights: ['use' as const], ...here }] : []),
    ...admins.flatMap((admin): AclRule[] => {
      const user = { kind: 'user', id: admin } as const;
      return [
        { user, types: ['USER'], rights: ['use', 'manage', 'admin', 'create'], ...here },
        { user, types: ['GROUP'], rights: ['use', 'manage'], selector: { kind: 'id', id }, zone: null },
        { user, types: [...managed], rights: ['use', 'manage'], ...here },
        ...(create.admins.length > 0
          ? [{ user, types: [...create.admins], rights: ['create' as const], ...everywhere }]
          : []),
      ];
    }),
  ];
}
