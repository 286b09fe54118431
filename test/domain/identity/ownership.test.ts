import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterChmod,
  afterChown,
  demandedRight,
  isSameOwnership,
  receivers,
} from '../../../domain/identity/ownership.js';
import { octetOf, permissionsOf, permissionsOfNew } from '../../../domain/identity/permission-bits.js';
import { allowed, type Right, type Subject } from '../../../domain/identity/permissions.js';
import type { Ownership } from '../../../schemas/common/common.js';
import { Chmod, Chown } from '../../../schemas/identity/ownership.js';

const octets = fc.integer({ min: 0, max: 0o777 }).map((bits) => bits.toString(8).padStart(3, '0'));
const id = fc.integer({ min: 2, max: 6 });
const gid = fc.integer({ min: 100, max: 103 });
const owned = fc.record({ uid: id, gid, permissions: octets.map(permissionsOf) });
const object = (octet: string): Ownership => ({ uid: 5, gid: 100, permissions: permissionsOf(octet) });

describe('permission bits', () => {
  it.each([
    ['000', 'none'],
    ['600', 'owner: use, manage'],
    ['640', 'owner: use, manage; group: use'],
    ['421', 'owner: use; group: manage; other: admin'],
    ['777', 'owner: use, manage, admin; group: use, manage, admin; other: use, manage, admin'],
  ])('%s are %s', (octet, words) => {
    const said = Object.entries(permissionsOf(octet)).flatMap(([who, rights]) => {
      const given = Object.entries(rights).flatMap(([right, isGiven]) => (isGiven ? [right] : []));
      return given.length > 0 ? [`${who}: ${given.join(', ')}`] : [];
    });
    expect(said.join('; ') || 'none').toBe(words);
  });

  it('are the same read and written', () => {
    fc.assert(fc.property(octets, (octet) => octetOf(permissionsOf(octet)) === octet));
  });
});

describe('what a new object permits', () => {
  const user = { id: 5, groups: [1] };
  it.each([
    ['a user', user, undefined, '600'],
    ['a user', user, '137', '640'],
    ['a user', user, '000', '666'],
    ['a user', user, '022', '644'],
    ['a user', user, '777', '000'],
    ['user 0', { id: 0, groups: [1] }, undefined, '600'],
    ['user 0', { id: 0, groups: [1] }, '000', '777'],
    ['a member of group 0', { id: 5, groups: [1, 0] }, '037', '740'],
  ])('is, of %s (%o) with umask %s, %s', (_who, maker, umask, octet) => {
    expect(octetOf(permissionsOfNew({ ...maker, ...(umask !== undefined && { umask }) }))).toBe(octet);
  });

  it('is never ADMIN for who is no administrator, and nothing that the umask takes', () => {
    fc.assert(
      fc.property(octets, fc.boolean(), (umask, isAdministrator) => {
        const bits = Number.parseInt(
          octetOf(permissionsOfNew({ id: 5, groups: isAdministrator ? [0] : [1], umask })),
          8,
        );
        expect(bits & Number.parseInt(umask, 8)).toBe(0);
        if (!isAdministrator) expect(bits & 0o111).toBe(0);
      }),
    );
  });
});

describe('a chmod', () => {
  it('sets all bits, or those that are given', () => {
    fc.assert(
      fc.property(owned, octets, (before, octet) => {
        expect(octetOf(afterChmod(before, { octet }).permissions)).toBe(octet);
        const after = afterChmod(before, { permissions: { group: { use: true }, other: { manage: false } } });
        expect(after).toEqual({
          ...before,
          permissions: {
            owner: before.permissions.owner,
            group: { ...before.permissions.group, use: true },
            other: { ...before.permissions.other, manage: false },
          },
        });
      }),
    );
  });

  it.each<[string, object]>([
    ['nothing', {}],
    ['both', { octet: '640', permissions: {} }],
    ['too few digits', { octet: '64' }],
    ['a digit that is none', { octet: '648' }],
    ['a number', { octet: 640 }],
    ['a bit that is none', { permissions: { group: { read: true } } }],
    ['a class that is none', { permissions: { all: { use: true } } }],
  ])('of %s is none', (_what, body) => {
    expect(Chmod.safeParse(body).success).toBe(false);
  });
});

describe('a chown', () => {
  it('changes what is given, and the bits never', () => {
    fc.assert(
      fc.property(owned, id, gid, (before, newUid, newGid) => {
        expect(afterChown(before, { uid: newUid })).toEqual({ ...before, uid: newUid });
        expect(afterChown(before, { gid: newGid })).toEqual({ ...before, gid: newGid });
        expect(afterChown(before, { uid: newUid, gid: newGid })).toEqual({ ...before, uid: newUid, gid: newGid });
      }),
    );
  });

  it.each<[string, object]>([
    ['nothing', {}],
    ['a name', { uid: 'bob' }],
    ['a negative id', { gid: -1 }],
  ])('to %s is none', (_what, body) => {
    expect(Chown.safeParse(body).success).toBe(false);
  });
});

describe('the right that a change demands', () => {
  it.each<[string, Ownership, Ownership, Right]>([
    ['a bit of the group', object('600'), object('640'), 'manage'],
    ['nothing', object('700'), object('700'), 'manage'],
    ['ADMIN of the owner, given', object('600'), object('700'), 'admin'],
    ['ADMIN of the owner, taken', object('700'), object('600'), 'admin'],
    ['ADMIN of others', object('600'), object('601'), 'admin'],
    ['the owner', object('660'), { ...object('660'), uid: 6 }, 'manage'],
    ['the group', object('660'), { ...object('660'), gid: 101 }, 'manage'],
    ['an owner who has ADMIN', object('760'), { ...object('760'), uid: 6 }, 'admin'],
    ['the owner, when the group has ADMIN', object('670'), { ...object('670'), uid: 6 }, 'manage'],
    ['a group that has ADMIN', object('670'), { ...object('670'), gid: 101 }, 'admin'],
    ['the group, when the owner has ADMIN', object('760'), { ...object('760'), gid: 101 }, 'manage'],
  ])('for %s', (_what, before, after, right) => {
    expect(demandedRight(before, after)).toBe(right);
  });

  it('keeps who may only MANAGE from having ADMIN by the bits, or giving it to somebody', () => {
    const anybody = fc.record({ id, groups: fc.uniqueArray(gid) });
    const change = fc.oneof(
      octets.map((octet) => (before: Ownership) => afterChmod(before, { octet })),
      fc.record({ uid: id, gid }).map((wish) => (before: Ownership) => afterChown(before, wish)),
    );
    fc.assert(
      fc.property(owned, change, anybody, (before, by, other) => {
        const after = by(before);
        if (demandedRight(before, after) === 'admin') return;
        const asked = { ...other, rules: [] };
        const subject = (now: Ownership): Subject => ({ type: 'VM', id: 1, ...now });
        const byBits = (now: Ownership) => [
          now.permissions.owner.admin && `user ${now.uid}`,
          now.permissions.group.admin && `group ${now.gid}`,
          now.permissions.other.admin && 'others',
        ];
        expect(byBits(after)).toEqual(byBits(before));
        expect(allowed(asked, subject(after), 'admin')).toBe(allowed(asked, subject(before), 'admin'));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('those who get an object', () => {
  const caller = { id: 5, groups: [100, 101] };
  it.each<[string, Partial<Ownership>, { user: number | null; group: number | null }]>([
    ['nobody', {}, { user: null, group: null }],
    ['another user', { uid: 6 }, { user: 6, group: null }],
    ['another group', { gid: 102 }, { user: null, group: 102 }],
    ['a group of the caller', { gid: 101 }, { user: null, group: null }],
    ['both', { uid: 6, gid: 102 }, { user: 6, group: 102 }],
  ])('are %s', (_who, change, expected) => {
    expect(receivers(caller, object('660'), { ...object('660'), ...change })).toEqual(expected);
  });

  it('need not agree when the caller takes it', () => {
    const before = { ...object('660'), uid: 6 };
    expect(receivers(caller, before, { ...before, uid: 5 })).toEqual({ user: null, group: null });
  });
});

describe('ownership', () => {
  it('is the same when owner, group and every bit are', () => {
    fc.assert(
      fc.property(owned, owned, (one, other) => {
        const text = ({ uid, gid: group, permissions }: Ownership) => `${uid} ${group} ${octetOf(permissions)}`;
        expect(isSameOwnership(one, other)).toBe(text(one) === text(other));
        expect(isSameOwnership(one, structuredClone(one))).toBe(true);
      }),
    );
  });
});
