import type { Permissions } from '../../../schemas/common/common.js';

const manage = { use: true, manage: true, admin: false };
const use = { use: true, manage: false, admin: false };
const nothing = { use: false, manage: false, admin: false };
const shared: Permissions = { owner: manage, group: use, other: nothing };

type Owned = { permissions: Permissions; uid: number; uname: string; gid: number; gname: string };

/** An object is shared with its group, and then with all. */
export const sharing = <R extends Owned>(id: string, object: R) =>
  [
    { title: 'All bits', params: { id }, body: { octet: '640' }, answer: { ...object, permissions: shared } },
    {
      title: 'Some bits',
      params: { id },
      body: { permissions: { other: { use: true } } },
      answer: { ...object, permissions: { ...shared, other: use } },
    },
  ] as const;

/** The same is given to alice and her group. */
export const giving = <R extends Owned>(id: string, object: R) =>
  [
    {
      params: { id },
      body: { uid: 2, gid: 1 },
      answer: {
        ...object,
        permissions: { ...shared, other: use },
        ...{ uid: 2, uname: 'alice', gid: 1, gname: 'users' },
      },
    },
  ] as const;
