import { describe, expect, it } from 'vitest';
import { parseAcl, printAcl } from '../../../domain/identity/acl.js';
import { callerOf } from '../../../domain/identity/caller-of.js';
import { groupRules } from '../../../domain/identity/group-rules.js';
import { allowed } from '../../../domain/identity/permissions.js';
import { groupSubject, mayOnUser } from '../../../domain/identity/user-rights.js';
import { defaultPermissions } from '../../../schemas/common/common.js';
import type { Group } from '../../../schemas/identity/group.js';
import type { User } from '../../../schemas/identity/user.js';

const group = (_id: number, more: Partial<Group> = {}): Group => ({
  ...{ _id, name: `group-${_id}`, admins: [], create: { users: [], admins: [] }, shared_view: false },
  created_at: new Date(0),
  ...more,
});
const user = (_id: number, groups: [number, ...number[]]): User => ({
  ...{ _id, name: `user-${_id}`, gid: groups[0], groups, password_hash: '', enabled: true, umask: '177' },
  attributes: {},
  credentials: 0,
  created_at: new Date(0),
});
const web = group(100, { admins: [5], create: { users: ['VM'], admins: ['VM', 'NET'] }, shared_view: true });
const [boss, member, guest, stranger] = [user(5, [100]), user(6, [100]), user(7, [1, 100]), user(8, [1])];
const as = (who: User) =>
  callerOf(
    who,
    [web, group(1)].filter(({ _id }) => who.groups.includes(_id)),
    [],
  );

describe('the rules that follow from a group', () => {
  it('are those of OpenNebula', () => {
    expect(groupRules(web).map(printAcl)).toEqual([
      '@100 VM/* CREATE *',
      '@100 VM+DOCUMENT/@100 USE *',
      '#5 USER/@100 USE+MANAGE+ADMIN+CREATE *',
      '#5 GROUP/#100 USE+MANAGE *',
      '#5 VM+NET+IMAGE+TEMPLATE+DOCUMENT+SECGROUP/@100 USE+MANAGE *',
      '#5 VM+NET/* CREATE *',
    ]);
    for (const rule of groupRules(web)) expect(parseAcl(printAcl(rule))).toEqual({ ok: true, rule });
  });

  it('are none where nothing is allowed, and none of group 0', () => {
    expect(groupRules(group(101))).toEqual([]);
    expect(groupRules({ ...web, _id: 0 })).toEqual([]);
  });

  it('reach those they are about and nobody else', () => {
    const vm = { type: 'VM', id: 1, uid: 6, gid: 100, permissions: defaultPermissions } as const;
    const may = (who: User) =>
      (['use', 'manage', 'admin'] as const).filter((right) => allowed(as(who), vm, right)).join();
    expect([boss, member, guest, stranger].map(may)).toEqual(['use,manage', 'use,manage', 'use', '']);
    const creates = (who: User) => allowed(as(who), { type: 'VM', gid: who.gid }, 'create');
    expect([boss, member, guest, stranger].map(creates)).toEqual([true, true, true, false]);
  });
});

describe('a right on a user', () => {
  it('have group admins on those whose primary group is theirs, but never on administrators', () => {
    for (const right of ['use', 'manage', 'admin'] as const) {
      expect(mayOnUser(as(boss), member, right)).toBe(true);
      expect(mayOnUser(as(boss), guest, right)).toBe(false);
      expect(mayOnUser(as(boss), user(9, [100, 0]), right)).toBe(right === 'use');
      expect(mayOnUser(as(member), guest, right)).toBe(false);
      expect(mayOnUser(as(member), member, right)).toBe(right !== 'admin');
    }
  });

  it('on administrators gives no rule to anybody else', () => {
    const parsed = parseAcl('#8 USER/* USE+MANAGE+ADMIN');
    const helper = callerOf(stranger, [], parsed.ok ? [parsed.rule] : []);
    expect(mayOnUser(helper, member, 'admin')).toBe(true);
    expect(mayOnUser(helper, user(0, [0]), 'use')).toBe(true);
    expect(mayOnUser(helper, user(0, [0]), 'manage')).toBe(false);
  });
});

it('a group is its members’ to USE and its admins’ to MANAGE', () => {
  const may = (who: User) =>
    (['use', 'manage', 'admin'] as const).filter((right) => allowed(as(who), groupSubject(web), right)).join();
  expect([boss, member, guest, stranger].map(may)).toEqual(['use,manage', 'use', 'use', '']);
});
