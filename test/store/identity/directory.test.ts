import type { Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../domain/identity/caller.js';
import type { Edit } from '../../../requests/edit.js';
import { ensureOneadmin } from '../../../requests/identity/first-user.js';
import { createIdentity } from '../../../requests/identity/identity.js';
import { createOperations, type Operations } from '../../../requests/operations.js';
import { unconditional } from '../../../requests/precondition.js';
import type { UserEdit } from '../../../schemas/identity/user.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { createDirectory, type MongodbDirectory } from '../../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { createStore } from '../../../store/store.js';
import { idleEngine } from '../../support/idle-engine.js';
import { noSealer, noStorages } from '../../support/no-storages.js';
import { addGroup, addUser } from '../../support/people.js';
import { ownDatabaseUri } from '../../support/servers.js';

/** Two api processes on one database, each with a connection of its own. */
type Process = { connection: Connection; directory: MongodbDirectory; operations: Operations };
let here: Process;
let there: Process;
const oneadmin: Caller = { id: 0, name: 'oneadmin', gid: 0, groups: [0], rules: [] };

async function processOn(uri: string): Promise<Process> {
  const connection = await connectMongodb(uri);
  const directory = createDirectory(connection);
  const store = createStore(connection);
  const settings = { temporalUiUrl: undefined, failedLogins: 10 };
  const operations = createOperations({
    store,
    directory,
    engine: idleEngine,
    storages: noStorages,
    sealer: noSealer,
    settings,
    onDelayed: () => {},
  });
  return { connection, directory, operations };
}

beforeAll(async () => {
  const uri = ownDatabaseUri('directory');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  [here, there] = [await processOn(uri), await processOn(uri)];
});
beforeEach(async () => {
  for (const name of ['users', 'tokens', 'acls', 'identity_version', 'vm_templates'])
    await here.connection.collection(name).deleteMany({});
  await here.connection.collection<{ _id: number }>('groups').deleteMany({ _id: { $gt: 1 } });
  await ensureOneadmin(here.directory, 'oneadmin');
});
afterAll(async () => {
  await here.connection.dropDatabase();
  for (const { connection } of [here, there]) await connection.close();
});

const codes = async (deeds: Promise<unknown>[]): Promise<string[]> => {
  const settled = await Promise.allSettled(deeds);
  const outcomes: string[] = settled.map((one) => (one.status === 'fulfilled' ? 'done' : one.reason.code));
  return outcomes.sort();
};
const version = () => here.directory.version.current();
const signIn = ({ directory }: Process, name: string, secret = name) =>
  createIdentity({ directory, failedLogins: 10 }).authenticate({ name, secret }, '192.0.2.1');
const disabling: Edit<UserEdit> = {
  revise: (present) => ({ wish: { ...present, enabled: false }, named: new Set(['enabled']) }),
  precondition: unconditional,
};
const rounds = Array.from({ length: 8 }, (_, round) => round);

/** Everything in which users and groups do not agree. */
async function disagreements(): Promise<string[]> {
  const [users, groups] = await Promise.all([
    here.directory.users.model.find().lean().exec(),
    here.directory.groups.model.find().lean().exec(),
  ]);
  const known = new Set(groups.map(({ _id }) => _id));
  return [
    ...users.flatMap(({ name, gid, groups: its }) => [
      ...(its.includes(gid) ? [] : [`${name} is not in his primary group ${gid}`]),
      ...its.filter((one) => !known.has(one)).map((one) => `${name} is in group ${one}, which is gone`),
    ]),
    ...groups.flatMap(({ _id, admins }) =>
      admins
        .filter((admin) => !users.find((user) => user._id === admin)?.groups.includes(_id))
        .map((admin) => `group ${_id} has admin ${admin}, who is no member`),
    ),
  ];
}

describe('what two processes do at once', () => {
  it('makes a name once, and raises the version by what was done', async () => {
    const before = await version();
    const request = { name: 'twin', password: 'twin-twin' };
    const made = [here, there, here, there].map(({ operations }) => operations.users.create(oneadmin, request));
    expect(await codes(made)).toEqual(['done', 'name_taken', 'name_taken', 'name_taken']);
    const groups = [here, there].map(({ operations }) => operations.groups.create(oneadmin, { name: 'twins' }));
    expect(await codes(groups)).toEqual(['done', 'name_taken']);
    const rules = [here, there].map(({ operations }) => operations.acls.create(oneadmin, { rule: '* VM/* USE' }));
    expect(await codes(rules)).toEqual(['already_there', 'done']);
    expect(await version()).toBe(before + 3);
  });

  it('gives every user an id of his own, and leaves none out', async () => {
    const names = Array.from({ length: 12 }, (_, n) => `user-${n}`);
    const made = await Promise.all(
      names.map((name, n) =>
        (n % 2 ? here : there).operations.users.create(oneadmin, { name, password: 'long-enough' }),
      ),
    );
    expect(made.map(({ id }) => id).sort((one, other) => one - other)).toEqual(names.map((_, n) => n + 2));
  });

  it('never leaves a group with an admin who was removed or taken out meanwhile', async () => {
    for (const round of rounds) {
      const { _id: gid } = await addGroup(here.directory, `group-${round}`);
      const { _id: uid } = await addUser(here.directory, `user-${round}`, { gid: 1, groups: [1, gid] });
      await codes([
        here.operations.groups.addAdmin(oneadmin, gid, uid, unconditional),
        round % 2
          ? there.operations.users.remove(oneadmin, uid, unconditional)
          : there.operations.users.leave(oneadmin, uid, gid, unconditional),
      ]);
      expect(await disagreements(), `round ${round}`).toEqual([]);
    }
  });

  it('never leaves a user in a group that was removed meanwhile', async () => {
    const { _id: uid } = await addUser(here.directory, 'joiner');
    for (const round of rounds) {
      const { _id: gid } = await addGroup(here.directory, `group-${round}`);
      const outcome = await codes([
        here.operations.groups.remove(oneadmin, gid, unconditional),
        there.operations.users.join(oneadmin, uid, gid, unconditional),
        here.operations.users.create(oneadmin, { name: `user-${round}`, password: 'long-enough', gid }),
      ]);
      expect(outcome.filter((code) => code === 'done').length, outcome.join()).toBeGreaterThan(0);
      expect(await disagreements(), `round ${round}`).toEqual([]);
    }
  });
});

describe('a right that is lost while it is used', () => {
  it('is not used any more: an admin of a group, who was taken down after he had signed in', async () => {
    const { _id: gid } = await addGroup(here.directory, 'team');
    const boss = await addUser(here.directory, 'boss', { gid });
    const { _id: member } = await addUser(here.directory, 'member', { gid });
    await here.operations.groups.addAdmin(oneadmin, gid, boss._id, unconditional);
    const caller = await signIn(there, 'boss');
    await here.operations.groups.removeAdmin(oneadmin, gid, boss._id, unconditional);
    const { users, tokens } = there.operations;
    const outcome = await codes([
      users.create(caller, { name: 'new', password: 'long-enough' }),
      users.setPassword(caller, member, { password: 'long-enough' }, unconditional),
      users.update(caller, member, disabling),
      users.remove(caller, member, unconditional),
      tokens.revoke(caller, member, 0, unconditional),
    ]);
    expect(new Set(outcome)).toEqual(new Set(['not_authorized']));
  });

  it('is not used on who has become an administrator meanwhile', async () => {
    const { _id: gid } = await addGroup(here.directory, 'team');
    const boss = await addUser(here.directory, 'boss', { gid });
    const { _id: member } = await addUser(here.directory, 'member', { gid });
    await here.operations.groups.addAdmin(oneadmin, gid, boss._id, unconditional);
    const caller = await signIn(there, 'boss');
    await here.operations.users.join(oneadmin, member, 0, unconditional);
    await expect(
      there.operations.users.setPassword(caller, member, { password: 'long-enough' }, unconditional),
    ).rejects.toMatchObject({ code: 'not_authorized', message: expect.stringContaining('is an administrator') });
  });

  it('of a user who was disabled or removed is none', async () => {
    await addUser(here.directory, 'gone', { groups: [1, 0] });
    const caller = await signIn(there, 'gone');
    await here.operations.users.update(oneadmin, caller.id, disabling);
    await expect(there.operations.groups.create(caller, { name: 'mine' })).rejects.toMatchObject({
      code: 'not_authenticated',
    });
    await here.operations.users.remove(oneadmin, caller.id, unconditional);
    await expect(there.operations.acls.create(caller, { rule: '* VM/* USE' })).rejects.toMatchObject({
      code: 'not_authenticated',
    });
  });
});

describe('a password that is changed', () => {
  const change = (id: number) =>
    here.operations.users.setPassword(oneadmin, id, { password: 'changed-it' }, unconditional);

  it('while a login with the old one is on its way refuses that', async () => {
    const { _id } = await addUser(here.directory, 'alice');
    const look: MongodbDirectory['look'] = async (find) => {
      await change(_id);
      return there.directory.look(find);
    };
    await expect(signIn({ ...there, directory: { ...there.directory, look } }, 'alice')).rejects.toMatchObject({
      code: 'not_authenticated',
    });
    expect(await signIn(there, 'alice', 'changed-it')).toMatchObject({ id: _id });
  });

  it('leaves no token to who came in with the old one, however late he asks', async () => {
    const { _id } = await addUser(here.directory, 'alice');
    const caller = await signIn(there, 'alice');
    await there.operations.tokens.create(caller, { name: 'early', expires_in: null });
    await change(_id);
    await expect(there.operations.tokens.create(caller, { name: 'late', expires_in: null })).rejects.toMatchObject({
      code: 'not_authenticated',
    });
    expect(await here.directory.tokens.model.countDocuments()).toBe(0);
  });

  it('at the same time as a token is made leaves none, whichever was first', async () => {
    for (const round of rounds) {
      const { _id } = await addUser(here.directory, `user-${round}`);
      const caller = await signIn(there, `user-${round}`);
      await codes([change(_id), there.operations.tokens.create(caller, { name: 'raced', expires_in: null })]);
      expect(await here.directory.tokens.model.countDocuments()).toBe(0);
    }
  });

  it('twice at once by its user is changed once: the other is told', async () => {
    const { _id } = await addUser(here.directory, 'alice', { password: 'first-one' });
    const caller = await signIn(here, 'alice', 'first-one');
    const deeds = [here, there].map(({ operations }, n) =>
      operations.users.setPassword(
        caller,
        _id,
        { password: `second-${n}`, current_password: 'first-one' },
        unconditional,
      ),
    );
    expect(await codes(deeds)).toEqual(['done', 'not_authorized']);
  });
});

it('users of an earlier version are enabled, have a umask, and no attributes', async () => {
  const { _id } = await addUser(here.directory, 'old-timer');
  await here.directory.users.model.updateOne(
    { _id },
    { $unset: { enabled: '', umask: '', credentials: '', attributes: '' } },
  );
  await here.directory.users.complete();
  expect(await signIn(here, 'old-timer')).toMatchObject({ id: _id, umask: '177' });
  expect((await here.directory.users.find(_id))?.attributes).toEqual({});
});

it('of many tokens that a user makes at once, in two processes, there are as many as he may have', async () => {
  const { _id } = await addUser(here.directory, 'alice');
  const quotas = here.connection.collection<{ _id: number }>('user_quotas');
  await quotas.updateOne({ _id }, { $set: { 'limits.tokens': 15 } }, { upsert: true });
  const caller = await signIn(here, 'alice');
  const outcomes = await codes(
    Array.from({ length: 40 }, (_, at) =>
      (at % 2 === 0 ? here : there).operations.tokens.create(caller, { name: `token-${at}`, expires_in: null }),
    ),
  );
  expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(15);
  expect(new Set(outcomes)).toEqual(new Set(['done', 'quota_exceeded']));
  expect(await here.directory.tokens.model.countDocuments()).toBe(15);
});
