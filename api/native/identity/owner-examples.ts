import { defaultPermissions } from '../../../schemas/common/common.js';

/** Whose the objects of the examples are. */
export const ofOneadmin = { uid: 0, gid: 0, permissions: defaultPermissions, uname: 'oneadmin', gname: 'oneadmin' };
