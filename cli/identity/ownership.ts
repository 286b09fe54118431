import type { Permissions } from '../../schemas/common/common.js';
import { pairs } from '../shell/output.js';

type Owned = { permissions: Permissions };

const bits = ({ use, manage, admin }: Permissions['owner']): string =>
  `${use ? 'u' : '-'}${manage ? 'm' : '-'}${admin ? 'a' : '-'}`;

/** The same in a line, such as `um- u-- ---`: owner, group, others. */
export const permissionsLine = ({ permissions: { owner, group, other } }: Owned): string =>
  [owner, group, other].map(bits).join(' ');

/** The permissions of an object, as OpenNebula prints them. */
export const permissionsText = ({ permissions: { owner, group, other } }: Owned): string =>
  `PERMISSIONS\n${pairs([
    ['OWNER', bits(owner)],
    ['GROUP', bits(group)],
    ['OTHER', bits(other)],
  ])}`;
