import type { AclResource } from '../../../schemas/identity/acl.js';
import type { GroupResource } from '../../../schemas/identity/group.js';
import type { NewToken, TokenResource } from '../../../schemas/identity/token.js';
import type { SelfResource, UserResource } from '../../../schemas/identity/user.js';

const created_at = '2026-05-04T09:00:00.000Z';

export const self: SelfResource = {
  id: 0,
  name: 'oneadmin',
  gid: 0,
  gname: 'oneadmin',
  groups: [{ id: 0, name: 'oneadmin', admin: false }],
  administrator: true,
  enabled: true,
  umask: '177',
  attributes: {},
  created_at,
  authenticated_by: 'password',
  rules: [],
};

export const web: GroupResource = {
  id: 100,
  name: 'web',
  members: 0,
  admins: [],
  create: { users: ['VM', 'TEMPLATE', 'DOCUMENT'], admins: ['VM', 'IMAGE', 'TEMPLATE', 'DOCUMENT'] },
  shared_view: true,
  rules: ['@100 VM+TEMPLATE+DOCUMENT/* CREATE *', '@100 VM+DOCUMENT/@100 USE *'],
  created_at,
};

export const webWithAdmin: GroupResource = {
  ...web,
  members: 1,
  admins: [{ id: 3, name: 'carol' }],
  rules: [
    ...web.rules,
    '#3 USER/@100 USE+MANAGE+ADMIN+CREATE *',
    '#3 GROUP/#100 USE+MANAGE *',
    '#3 VM+NET+IMAGE+TEMPLATE+DOCUMENT+SECGROUP/@100 USE+MANAGE *',
    '#3 VM+IMAGE+TEMPLATE+DOCUMENT/* CREATE *',
  ],
};

export const carol: UserResource = {
  id: 3,
  name: 'carol',
  gid: 100,
  gname: 'web',
  groups: [{ id: 100, name: 'web', admin: false }],
  administrator: false,
  enabled: true,
  umask: '177',
  attributes: {},
  created_at,
};
export const carolInUsers: UserResource = {
  ...carol,
  umask: '027',
  groups: [{ id: 1, name: 'users', admin: false }, ...carol.groups],
};

export const seesHosts: AclResource = { id: 0, rule: '@100 HOST/* USE #0', created_at };

export const pipeline: TokenResource = {
  id: 0,
  name: 'pipeline',
  prefix: 'Ab3dEf7h',
  uid: 0,
  expires_at: '2026-05-05T09:00:00.000Z',
  expired: false,
  last_used_at: null,
  created_at,
};
const backups: TokenResource = { ...pipeline, id: 1, name: 'backups', prefix: 'Qw8rTz2u', expires_at: null };
const secret = 'the-secret-which-is-43-characters-long-xxxx';
const withSecret = (token: TokenResource): NewToken => ({ ...token, token: `arcus_${token.prefix}_${secret}` });
export const [newPipeline, newBackups] = [withSecret(pipeline), withSecret(backups)];
