import type { Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { printAcl } from '../../domain/acl.js';
import { createIdentity } from '../../operations/identity.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/connection.js';
import type { Directory } from '../../store/directory.js';
import { addGroup, addUser } from '../support/people.js';
import { ownDatabaseUri } from '../support/servers.js';

let connection: Connection;
let directory: Directory;
let looked: string[];
let clock: number;

/** The real store, with a note of each look into it. */
const watched = (): Directory => ({
  ...directory,
  users: {
    ...directory.users,
    byName: (name) => {
      looked.push(name);
      return directory.users.byName(name);
    },
  },
});
const identity = () => createIdentity({ directory: watched(), now: () => clock });

const addAlice = (password = 'opensesame', name = 'alice') =>
  addUser(directory, name, { password, gid: 1, groups: [1, 0] });

beforeAll(async () => {
  connection = await connectMongodb(ownDatabaseUri('identity'));
  directory = await bootstrapStore(connection);
});
beforeEach(async () => {
  for (const name of ['users', 'groups', 'identity_version']) await connection.collection(name).deleteMany({});
  looked = [];
  clock = 1_000_000;
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

describe('authentication', () => {
  it('knows a user by name and password', async () => {
    await addAlice();
    expect(await identity().authenticate('alice', 'opensesame')).toMatchObject({
      id: 2,
      name: 'alice',
      gid: 1,
      groups: [1, 0],
      umask: '177',
    });
  });

  it('gives a caller the rules that follow from his groups, and their names', async () => {
    const { _id } = await addGroup(directory, 'web', { admins: [2], create: { users: ['VM'], admins: [] } });
    await addUser(directory, 'alice', { gid: _id });
    const caller = await identity().authenticate('alice', 'alice');
    expect(caller.rules.map(printAcl)).toEqual([
      '@100 VM/* CREATE *',
      '#2 USER/@100 USE+MANAGE+ADMIN+CREATE *',
      '#2 GROUP/#100 USE+MANAGE *',
      '#2 VM+NET+IMAGE+TEMPLATE+DOCUMENT/@100 USE+MANAGE *',
    ]);
    expect(caller.groupNames).toEqual(new Map([[100, 'web']]));
  });

  it('refuses a wrong password and an unknown name with the same words', async () => {
    await addAlice();
    const wrong = { code: 'not_authenticated', message: 'The name or the password is wrong.' };
    await expect(identity().authenticate('alice', 'opensesam')).rejects.toMatchObject(wrong);
    await expect(identity().authenticate('bob', 'opensesame')).rejects.toMatchObject(wrong);
    await expect(identity().authenticate('alice', '')).rejects.toMatchObject(wrong);
  });

  it('looks a user up once a minute, not once a request', async () => {
    await addAlice();
    const asked = identity();
    await Promise.all([asked.authenticate('alice', 'opensesame'), asked.authenticate('alice', 'opensesame')]);
    await asked.authenticate('alice', 'opensesame');
    expect(looked).toEqual(['alice']);
    clock += 60_001;
    await asked.authenticate('alice', 'opensesame');
    expect(looked).toEqual(['alice', 'alice']);
  });

  it('never remembers a refusal', async () => {
    const asked = identity();
    await expect(asked.authenticate('alice', 'opensesame')).rejects.toMatchObject({ code: 'not_authenticated' });
    await addAlice();
    expect(await asked.authenticate('alice', 'opensesame')).toMatchObject({ id: 2 });
  });

  it('does not take one pair of name and password for another that reads the same in a row', async () => {
    await addAlice('bc', 'a');
    const asked = identity();
    await asked.authenticate('a', 'bc');
    await expect(asked.authenticate('ab', 'c')).rejects.toMatchObject({ code: 'not_authenticated' });
  });
});

describe('the first user', () => {
  it('is made once, however many processes make it at the same time', async () => {
    await Promise.all([1, 2, 3, 4].map(() => identity().ensureOneadmin('first')));
    await identity().ensureOneadmin('second');
    expect(await connection.collection('users').countDocuments()).toBe(1);
    expect(await identity().authenticate('oneadmin', 'first')).toMatchObject({ id: 0, gid: 0, groups: [0], rules: [] });
  });

  it('keeps its password as argon2id with OWASP’s parameters, never as text', async () => {
    await identity().ensureOneadmin('first');
    const stored = await directory.users.byName('oneadmin');
    expect(stored?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(JSON.stringify(stored)).not.toContain('first');
  });
});

describe('the user store', () => {
  it('gives a name to one user only', async () => {
    await addAlice();
    await expect(addAlice()).rejects.toMatchObject({ code: 11_000 });
    expect(await directory.users.namesOf([2, 3])).toEqual(new Map([[2, 'alice']]));
  });
});
