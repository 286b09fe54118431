import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAcl } from '../../../domain/identity/acl.js';
import { allowed, type Subject } from '../../../domain/identity/permissions.js';
import type { Ownership } from '../../../schemas/common/common.js';
import type { AclRule } from '../../../schemas/identity/acl.js';

const none = { use: false, manage: false, admin: false };
const object = (permissions: Partial<Ownership['permissions']>): Subject => ({
  type: 'VM',
  id: 3,
  uid: 5,
  gid: 100,
  permissions: { owner: none, group: none, other: none, ...permissions },
});
const owner = { id: 5, groups: [1], rules: [] };
const member = { id: 6, groups: [1, 100], rules: [] };
const stranger = { id: 7, groups: [1], rules: [] };
const rights = ['use', 'manage', 'admin'] as const;
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
      expect(allowed({ id: 0, groups: [], rules: [] }, object({}), right)).toBe(true);
      expect(allowed({ id: 9, groups: [1, 0], rules: [] }, object({}), right)).toBe(true);
    }
  });

  it('are granted by any bit that matches and by nothing else', () => {
    fc.assert(
      fc.property(
        fc.record({ owner: anyRights, group: anyRights, other: anyRights }),
        fc.constantFrom(owner, member, stranger, { id: 5, groups: [100], rules: [] }),
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

describe('ACL rules', () => {
  const rule = (text: string): AclRule => {
    const parsed = parseAcl(text);
    if (!parsed.ok) throw new Error(parsed.faults.join('; '));
    return parsed.rule;
  };
  const withRules = (...texts: string[]) => ({ ...member, rules: texts.map(rule) });
  const closed = { ...object({}), cluster_ids: [4] };

  it.each([
    ['the user', '#6 VM/* USE', true],
    ['another user', '#5 VM/* USE', false],
    ['one of the groups', '@100 VM/* USE', true],
    ['another group', '@101 VM/* USE', false],
    ['everybody', '* VM/* USE', true],
    ['another kind', '* DOCUMENT/* USE', false],
    ['another right', '* VM/* MANAGE+ADMIN+CREATE', false],
    ['the object', '* VM/#3 USE', true],
    ['another object', '* VM/#4 USE', false],
    ['the group of the object', '* VM/@100 USE', true],
    ['another group of objects', '* VM/@101 USE', false],
    ['every zone', '* VM/* USE *', true],
    ['another zone', '* VM/* USE #1', false],
  ])('for %s', (_what, text, expected) => {
    expect(allowed(withRules(text), closed, 'use')).toBe(expected);
  });

  it('for a cluster reach its hosts, and those that name no cluster as of cluster 0', () => {
    const host: Subject = { ...closed, type: 'HOST' };
    expect(allowed(withRules('* HOST/%4 USE'), host, 'use')).toBe(true);
    expect(allowed(withRules('* HOST/%0 USE'), host, 'use')).toBe(false);
    expect(allowed(withRules('* HOST/%0 USE'), { ...host, cluster_ids: undefined }, 'use')).toBe(true);
  });

  it('for a cluster reach a datastore that is in several', () => {
    const datastore: Subject = { ...closed, type: 'DATASTORE', cluster_ids: [4, 7] };
    expect(allowed(withRules('* DATASTORE/%7 USE'), datastore, 'use')).toBe(true);
    expect(allowed(withRules('* DATASTORE/%0 USE'), datastore, 'use')).toBe(false);
  });

  it('alone let an ordinary user create, in the group that the object will have', () => {
    const made: Subject = { type: 'VM', gid: 1 };
    expect(allowed(member, made, 'create')).toBe(false);
    expect(allowed(withRules('@1 VM/* CREATE'), made, 'create')).toBe(true);
    expect(allowed(withRules('#6 VM/@1 CREATE'), made, 'create')).toBe(true);
    expect(allowed(withRules('#6 VM/@100 CREATE'), made, 'create')).toBe(false);
  });
});
