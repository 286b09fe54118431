import fc from 'fast-check';
import { expect, it } from 'vitest';
import { callerOf } from '../../../domain/identity/caller-of.js';
import { afterChmod, afterChown, demandedRight, receivers } from '../../../domain/identity/ownership.js';
import { permissionsOf } from '../../../domain/identity/permission-bits.js';
import {
  type Asker,
  allowed,
  isAdministrator,
  type Right,
  type Subject,
} from '../../../domain/identity/permissions.js';
import {
  groupSubject,
  mayCreateUser,
  mayFill,
  mayOnUser,
  obstacleToCommand,
} from '../../../domain/identity/user-rights.js';
import type { Ownership } from '../../../schemas/common/common.js';
import { AclRight, type AclRule, type ResourceType } from '../../../schemas/identity/acl.js';
import { creatable, type Group } from '../../../schemas/identity/group.js';
import type { User } from '../../../schemas/identity/user.js';
import { kinds as kindRows, ownedKinds } from '../../../schemas/kinds.js';

// A small cloud, and in it an admin of groups who tries whatever comes to his mind: by himself, and as every user whose
// password he comes to set. The decisions are those of the product; what they allow is done.

const gids = [0, 1, 100, 101, 102] as const;
const uids = [2, 3, 4, 5, 6] as const;
const rights = ['use', 'manage', 'admin'] as const;
/** Always an admin of group 100, and no administrator. */
const boss = 2;
const gid = fc.constantFrom(...gids);
const uid = fc.constantFrom(...uids, 0);
const octet = fc.integer({ min: 0, max: 0o777 }).map((bits) => bits.toString(8).padStart(3, '0'));

type Thing = Ownership & { type: ResourceType; id: number };
type Cloud = { users: Map<number, User>; next: number; groups: Group[]; things: Thing[]; rules: AclRule[] };

const plain = {
  password_hash: '',
  enabled: true,
  umask: '177',
  attributes: {},
  credentials: 0,
  created_at: new Date(0),
};
const someone = (_id: number, groups: readonly number[]): User => ({
  ...{ _id, name: `user-${_id}`, gid: groups[0] ?? 1, groups: [...groups], ...plain },
});

/** Often in the group of the boss alone. */
const membership = fc.oneof(fc.constant([100]), fc.shuffledSubarray([...gids], { minLength: 1, maxLength: 3 }));
const kinds = fc.subarray([...creatable]);
const clouds: fc.Arbitrary<Cloud> = fc
  .record({
    memberships: fc.tuple(...uids.map(() => membership)),
    wishes: fc.array(
      fc.record({ admins: fc.subarray([...uids]), users: kinds, more: kinds, shared_view: fc.boolean() }),
      { minLength: gids.length, maxLength: gids.length },
    ),
    things: fc.array(
      fc.record({
        ...{ uid, gid, permissions: octet.map(permissionsOf) },
        type: fc.constantFrom<ResourceType>('VM', 'DOCUMENT', 'TEMPLATE', 'HOST'),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    rules: fc.array(
      fc.record({
        user: fc.oneof(
          fc.record({ kind: fc.constant('user' as const), id: fc.constantFrom(...uids) }),
          fc.record({ kind: fc.constant('group' as const), id: gid }),
        ),
        types: fc.oneof(
          fc.subarray<ResourceType>(['VM', 'DOCUMENT', 'TEMPLATE'], { minLength: 1 }),
          fc.subarray<ResourceType>(['VM', 'USER', 'GROUP'], { minLength: 1 }),
        ),
        selector: fc.oneof(
          fc.record({ kind: fc.constantFrom('id' as const, 'group' as const), id: fc.constantFrom(...uids, ...gids) }),
          fc.constant({ kind: 'all' as const }),
        ),
        rights: fc.subarray([...AclRight.options], { minLength: 1 }),
        zone: fc.constant(null),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ memberships, wishes, things, rules }): Cloud => {
    const users = new Map<number, User>(uids.map((id, at) => [id, someone(id, memberships[at] ?? [1])]));
    users.set(0, someone(0, [0]));
    const its = users.get(boss)?.groups ?? [];
    users.set(
      boss,
      someone(
        boss,
        [...new Set([100, ...its])].filter((one) => one !== 0),
      ),
    );
    const groups = wishes.map(({ admins, users: may, more, shared_view }, at): Group => {
      const _id = gids[at] ?? 0;
      const wished = _id === 100 ? [...admins, boss] : admins;
      const members = wished.filter((one) => users.get(one)?.groups.includes(_id));
      const create = { users: may, admins: more };
      return { _id, name: `group-${_id}`, admins: members, create, shared_view, created_at: new Date(0) };
    });
    return { users, next: 7, groups, things: things.map((thing, id) => ({ ...thing, id })), rules };
  });

type Step =
  | { do: 'password' | 'remove'; on: number }
  | { do: 'create'; gid: number; more: number }
  | { do: 'join' | 'leave' | 'move' | 'promote'; on: number; gid: number }
  | { do: 'chmod'; thing: number; octet: string }
  | { do: 'chown'; thing: number; uid?: number; gid?: number };
const any = fc.constantFrom(0, ...uids, 7, 8);
const steps: fc.Arbitrary<{ as: number; step: Step }[]> = fc.array(
  fc.record({
    as: fc.nat({ max: 5 }),
    step: fc.oneof(
      fc.record({ do: fc.constantFrom('password' as const, 'password' as const, 'remove' as const), on: any }),
      fc.record({ do: fc.constant('create' as const), gid, more: gid }),
      fc.record({
        do: fc.constantFrom('join' as const, 'leave' as const, 'move' as const, 'promote' as const),
        ...{ on: any, gid },
      }),
      fc.record({ do: fc.constant('chmod' as const), thing: fc.nat({ max: 5 }), octet }),
      fc.record(
        { do: fc.constant('chown' as const), thing: fc.nat({ max: 5 }), uid: any, gid },
        { requiredKeys: ['do', 'thing'] },
      ),
    ),
  }),
  { maxLength: 25, size: 'max' },
);

const as = ({ users, groups, rules }: Cloud, id: number) => {
  const user = users.get(id) ?? someone(id, [1]);
  return callerOf(
    user,
    groups.filter(({ _id }) => user.groups.includes(_id)),
    rules,
  );
};

const commanded = (cloud: Cloud, caller: Asker, on: number): User | null => {
  const user = cloud.users.get(on);
  return user && obstacleToCommand(caller, user, as(cloud, on).rules) === null ? user : null;
};

/** What one request comes to. Returns the user whose password the actor knows from now on, if there is one. */
function take(cloud: Cloud, actor: number, step: Step): number | null {
  const { users, groups, things } = cloud;
  const caller = as(cloud, actor);
  const commands = (on: number): User | null => commanded(cloud, caller, on);
  const set = (user: User | null, change: Partial<User>): null => {
    if (user) users.set(user._id, { ...user, ...change });
    return null;
  };
  switch (step.do) {
    case 'password':
      return step.on !== actor && commands(step.on) ? step.on : null;
    case 'remove':
      if (step.on !== 0 && step.on !== actor && commands(step.on)) users.delete(step.on);
      return null;
    case 'create': {
      const all = [...new Set([step.gid, step.more])];
      if (!mayCreateUser(caller, step.gid, all)) return null;
      const id = cloud.next;
      cloud.next += 1;
      users.set(id, someone(id, all));
      return id;
    }
    case 'join':
    case 'move': {
      const user = commands(step.on);
      const isIn = user?.groups.includes(step.gid) ?? false;
      if (!user || (!(isIn && step.do === 'move') && !mayFill(caller, step.gid))) return null;
      return set(user, {
        groups: [...new Set([...user.groups, step.gid])],
        ...(step.do === 'move' && { gid: step.gid }),
      });
    }
    case 'leave': {
      const user = commands(step.on);
      if (!user || step.gid === user.gid || !mayFill(caller, step.gid)) return null;
      for (const group of groups)
        if (group._id === step.gid) group.admins = group.admins.filter((admin) => admin !== step.on);
      return set(user, { groups: user.groups.filter((one) => one !== step.gid) });
    }
    case 'promote': {
      const group = groups.find(({ _id }) => _id === step.gid);
      const may = group && step.gid !== 0 && allowed(caller, groupSubject(group), 'admin');
      if (may && users.get(step.on)?.groups.includes(step.gid)) group.admins = [...new Set([...group.admins, step.on])];
      return null;
    }
    case 'chmod':
    case 'chown': {
      const thing = things[step.thing];
      if (!thing) return null;
      const after = step.do === 'chmod' ? afterChmod(thing, { octet: step.octet }) : afterChown(thing, step);
      const on = receivers(caller, thing, after);
      const receiver = on.user === null ? null : users.get(on.user);
      const may =
        allowed(caller, thing, demandedRight(thing, after)) &&
        (on.user === null || (receiver && mayOnUser(caller, receiver, 'manage'))) &&
        (on.group === null || allowed(caller, groupSubject({ _id: on.group }), 'use'));
      if (may) Object.assign(thing, after);
      return null;
    }
  }
}

const rightsOn = (cloud: Cloud, id: number, thing: Subject): Right[] =>
  rights.filter((right) => allowed(as(cloud, id), thing, right));

/** With MANAGE anybody may give himself USE, and with ADMIN all: that is what they are for. */
const within = (has: readonly Right[] = []): readonly Right[] =>
  has.includes('admin') ? rights : has.includes('manage') ? ['use', 'manage'] : has;

/** For a try of its own. */
const copyOf = ({ users, next, groups, things, rules }: Cloud): Cloud => ({
  users: new Map(users),
  next,
  groups: groups.map((group) => ({ ...group })),
  things: things.map((thing) => ({ ...thing })),
  rules,
});

/** Plays it out, and returns how many requests were granted and each right that was gained. */
function play(from: Cloud, boss: number, tries: readonly { as: number; step: Step }[]) {
  const cloud = copyOf(from);
  const managed = new Set(cloud.groups.filter(({ admins }) => admins.includes(boss)).map(({ _id }) => _id));
  const isInside = ({ uid: owner, gid: group }: Thing) =>
    managed.has(group) || (cloud.users.get(owner)?.groups ?? []).every((one) => managed.has(one));
  const outside = cloud.things.filter((thing) => !isInside(thing));
  const before = new Map(outside.map((thing) => [thing.id, within(rightsOn(cloud, boss, thing))]));
  const known = [boss];
  for (const { as: which, step } of tries) {
    const actor = known[which % known.length] ?? boss;
    if (!cloud.users.has(actor)) continue;
    const learnt = take(cloud, actor, step);
    if (learnt !== null && !known.includes(learnt)) known.push(learnt);
  }
  const gained = known
    .filter((id) => cloud.users.has(id))
    .flatMap((id) =>
      outside.flatMap((thing) =>
        rightsOn(cloud, id, thing)
          .filter((right) => !before.get(thing.id)?.includes(right))
          .map((right) => `${right} on ${thing.type} ${thing.id} as user ${id}`),
      ),
    );
  return { gained, taken: known.length - 1, administrators: known.filter((id) => isAdmin(cloud, id)) };
}

const isAdmin = ({ users }: Cloud, id: number): boolean => isAdministrator({ id, groups: users.get(id)?.groups ?? [] });

it('an admin of groups gains no right on what is outside his groups, and makes nobody an administrator, whatever he asks for', () => {
  let taken = 0;
  fc.assert(
    fc.property(clouds, steps, (cloud, tries) => {
      // Rights on users and groups that an administrator has given by rules are no affair of this one, nor is ADMIN on
      // whatever is in a group: that is given on what comes into it, too.
      const rules = cloud.rules.filter(
        ({ types, selector, rights }) =>
          !types.includes('USER') &&
          !types.includes('GROUP') &&
          !(selector.kind === 'group' && rights.includes('admin')),
      );
      const outcome = play({ ...cloud, rules }, boss, tries);
      taken += outcome.taken;
      expect(outcome.gained).toEqual([]);
      expect(outcome.administrators).toEqual([]);
    }),
    { numRuns: 1_500 },
  );
  // Else nothing has been tried.
  expect(taken).toBeGreaterThan(300);
});

it('nobody but an administrator makes an administrator, whatever rules there are', () => {
  fc.assert(
    fc.property(clouds, fc.constantFrom(...uids), steps, (cloud, actor, tries) => {
      if (isAdmin(cloud, actor)) return;
      expect(play(cloud, actor, tries).administrators).toEqual([]);
    }),
    { numRuns: 800 },
  );
});

it('a rule with ADMIN on the users of a group is for those who have no more than its holder', () => {
  const admin = { ...someone(5, [100]) };
  const group: Group = {
    ...{ _id: 100, name: 'web', admins: [5], create: { users: [], admins: [] }, shared_view: false },
    created_at: new Date(0),
  };
  const helper: AclRule = {
    ...{ user: { kind: 'user', id: 3 }, types: ['USER'], rights: ['use', 'admin'] },
    ...{ selector: { kind: 'group', id: 100 }, zone: null },
  };
  const mayOn = (user: User, groups: readonly number[], rules: readonly AclRule[]) => {
    const caller = callerOf(someone(3, groups), groups.includes(100) ? [group] : [], rules);
    return obstacleToCommand(caller, user, callerOf(user, [group], rules).rules);
  };
  expect(mayOn(admin, [1], [helper])).toEqual({ why: 'group', group: 100 });
  expect(mayOn(admin, [1, 100], [helper])).toEqual({ why: 'rules' });
  expect(mayOn(someone(4, [100]), [1, 100], [helper])).toBeNull();
  expect(mayOn(someone(4, [100]), [1], [helper])).toEqual({ why: 'group', group: 100 });
  // Who is not in the group, and has by rules what its members have by bits, of all that can be theirs.
  const ownedTypes = [...new Set(ownedKinds.map((kind) => kindRows[kind].acl))];
  const asMembers: AclRule[] = [
    { ...helper, types: ownedTypes, rights: ['use', 'manage', 'admin'] },
    { ...helper, types: ['GROUP'], rights: ['use'], selector: { kind: 'id', id: 100 } },
  ];
  expect(mayOn(someone(4, [100]), [1], [helper, ...asMembers])).toBeNull();
  expect(mayOn(someone(4, [100]), [1], [helper, ...asMembers.slice(0, 1)])).toEqual({ why: 'group', group: 100 });
  expect(mayOn(someone(4, [100]), [1], [helper, ...asMembers.slice(1)])).toEqual({ why: 'group', group: 100 });
  // Of one whose membership brings rules, of which the holder has as much in other words.
  const ofMembers: AclRule = { ...helper, user: { kind: 'group', id: 100 }, types: ['HOST'], rights: ['use'] };
  expect(mayOn(someone(4, [100]), [1, 100], [helper, ofMembers])).toBeNull();
  const his: AclRule = { ...ofMembers, user: { kind: 'user', id: 4 }, selector: { kind: 'id', id: 7 } };
  expect(mayOn(someone(4, [100]), [1, 100], [helper, his])).toEqual({ why: 'rules' });
  const asMuch: AclRule = { ...his, user: { kind: 'user', id: 3 }, selector: { kind: 'all' } };
  expect(mayOn(someone(4, [100]), [1, 100], [helper, his, asMuch])).toBeNull();
});

const kindsAsked = ['VM', 'DOCUMENT', 'TEMPLATE', 'HOST', 'NET', 'IMAGE', 'USER'] as const;
const nobody = 999;

const anyone: fc.Arbitrary<number> = fc.constantFrom(...uids);
const overUsers = fc.constantFrom({ kind: 'group' as const, id: 100 }, { kind: 'all' as const });

/** What somebody may do to things that are nobody's: by membership, by rules, and what he may create. */
const rightsAtLarge = (cloud: Cloud, id: number): Set<string> => {
  const caller = as(cloud, id);
  const all = permissionsOf('070');
  const asked = kindsAsked.flatMap((type) => gids.map((group) => ({ type, id: nobody, gid: group, uid: nobody })));
  return new Set(
    asked.flatMap((one) =>
      AclRight.options
        .filter((right) => allowed(caller, { ...one, ...(one.type !== 'USER' && { permissions: all }) }, right))
        .map((right) => `${right} on ${one.type} of group ${one.gid}`),
    ),
  );
};

/**
 * What an administrator has given with the rights that somebody has: MANAGE on a group is to put users into it, so it is
 * as much as membership; ADMIN on a group makes its admins.
 */
function closureOf(from: Cloud, id: number): Cloud {
  const cloud = copyOf(from);
  for (let before = ''; before !== JSON.stringify([cloud.users.get(id), cloud.groups]); ) {
    before = JSON.stringify([cloud.users.get(id), cloud.groups]);
    for (const group of cloud.groups.filter(({ _id }) => _id !== 0)) {
      const user = cloud.users.get(id) ?? someone(id, [1]);
      const [fills, rules] = [mayFill(as(cloud, id), group._id), allowed(as(cloud, id), groupSubject(group), 'admin')];
      if (fills || rules) cloud.users.set(id, { ...user, groups: [...new Set([...user.groups, group._id])] });
      if (rules) group.admins = [...new Set([...group.admins, id])];
    }
  }
  return cloud;
}

it('whoever acts for others comes to no right that an administrator has not given him, whatever rules there are', () => {
  const seen = { taken: 0, byRules: 0 };
  fc.assert(
    fc.property(clouds, anyone, overUsers, steps, (cloudBefore, actor, selector, tries) => {
      const over: AclRule = {
        ...{ user: { kind: 'user', id: actor }, types: ['USER'], selector, rights: ['use', 'admin'], zone: null },
      };
      const from = { ...cloudBefore, rules: [...cloudBefore.rules, over] };
      if (isAdmin(from, actor)) return;
      const given = rightsAtLarge(closureOf(from, actor), actor);
      const cloud = copyOf(from);
      const known = [actor];
      for (const { as: which, step } of tries) {
        const by = known[which % known.length] ?? actor;
        if (!cloud.users.has(by)) continue;
        const learnt = take(cloud, by, step);
        if (learnt !== null && !known.includes(learnt)) known.push(learnt);
      }
      seen.taken += known.length - 1;
      const isAdminOfNone = from.groups.every(({ admins }) => !admins.includes(actor));
      if (isAdminOfNone) seen.byRules += known.length - 1;
      for (const id of known.filter((one) => cloud.users.has(one)))
        expect([...rightsAtLarge(cloud, id)].filter((right) => !given.has(right))).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
  // Else nothing has been tried.
  expect(seen.taken).toBeGreaterThan(20);
  expect(seen.byRules).toBeGreaterThan(3);
});
