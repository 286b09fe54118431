import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowed, type Right } from '../../domain/permissions.js';
import type { Ownership } from '../../schemas/common.js';

const none = { use: false, manage: false, admin: false };
const object = (permissions: Partial<Ownership['permissions']>): Ownership => ({
  uid: 5,
  gid: 100,
  permissions: { owner: none, group: none, other: none, ...permissions },
});
const owner = { id: 5, groups: [1] };
const member = { id: 6, groups: [1, 100] };
const stranger = { id: 7, groups: [1] };
const rights: Right[] = ['use', 'manage', 'admin'];
const anyRights = fc.record({ use: fc.boolean(), manage: fc.boolean(), admin: fc.boolean() });

describe('permissions', () => {
  it.each([
    ['owner', owner, [member, stranger]],
    ['group', member, [owner, stranger]],
  ] as const)('of the %s count for nobody else', (bits, who, others) => {
    const mine = object({ [bits]: { ...none, use: true } });
    expect(allowed(who, mine, 'use')).toBe(true);
    expect(allowed(who, mine, 'manage')).toBe(false);
    for (const other of others) expect(allowed(other, mine, 'use')).toBe(false);
  });

  it('of others count for everybody', () => {
    const shared = object({ other: { ...none, use: true } });
    for (const who of [owner, member, stranger]) expect(allowed(who, shared, 'use')).toBe(true);
  });

  it('let user 0 and group 0 do everything', () => {
    for (const right of rights) {
      expect(allowed({ id: 0, groups: [] }, object({}), right)).toBe(true);
      expect(allowed({ id: 9, groups: [1, 0] }, object({}), right)).toBe(true);
    }
  });

  it('are granted by any bit that matches and by nothing else', () => {
    fc.assert(
      fc.property(
        fc.record({ owner: anyRights, group: anyRights, other: anyRights }),
        fc.constantFrom(owner, member, stranger, { id: 5, groups: [100] }),
        fc.constantFrom(...rights),
        (permissions, who, right) => {
          const grants = [
            who.id === 5 && permissions.owner[right],
            who.groups.includes(100) && permissions.group[right],
            permissions.other[right],
          ];
          expect(allowed(who, object(permissions), right)).toBe(grants.includes(true));
        },
      ),
    );
  });
});
