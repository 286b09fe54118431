import mongoose from 'mongoose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createIdentity, hashPassword } from '../../operations/identity.js';
import { createUserStore, type User, type UserStore } from '../../store/users.js';
import { ownDatabaseUri } from '../support/servers.js';

let connection: mongoose.Connection;
let users: UserStore;
let looked: string[];
let clock: number;

/** The real store, with a note of each look into it. */
const watched = (): UserStore => ({
  ...users,
  byName: (name) => {
    looked.push(name);
    return users.byName(name);
  },
});
const identity = () => createIdentity({ users: watched(), now: () => clock });

const alice = async (): Promise<User> => ({
  _id: 7,
  name: 'alice',
  gid: 1,
  groups: [1, 100],
  password_hash: await hashPassword('opensesame'),
  created_at: new Date(0),
});

beforeAll(async () => {
  connection = await mongoose
    .createConnection(ownDatabaseUri('identity'), { bufferCommands: false, autoIndex: false })
    .asPromise();
  users = createUserStore(connection);
  await users.ready();
});
beforeEach(async () => {
  await connection.dropDatabase();
  await users.ready();
  looked = [];
  clock = 1_000_000;
});
afterAll(() => connection.close());

describe('authentication', () => {
  it('knows a user by name and password', async () => {
    await users.add(await alice());
    expect(await identity().authenticate('alice', 'opensesame')).toEqual({
      id: 7,
      name: 'alice',
      gid: 1,
      groups: [1, 100],
      rules: [],
    });
  });

  it('refuses a wrong password and an unknown name with the same words', async () => {
    await users.add(await alice());
    const wrong = { code: 'not_authenticated', message: 'The name or the password is wrong.' };
    await expect(identity().authenticate('alice', 'opensesam')).rejects.toMatchObject(wrong);
    await expect(identity().authenticate('bob', 'opensesame')).rejects.toMatchObject(wrong);
    await expect(identity().authenticate('alice', '')).rejects.toMatchObject(wrong);
  });

  it('looks a user up once a minute, not once a request', async () => {
    await users.add(await alice());
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
    await users.add(await alice());
    expect(await asked.authenticate('alice', 'opensesame')).toMatchObject({ id: 7 });
  });

  it('does not take one pair of name and password for another that reads the same in a row', async () => {
    await users.add({ ...(await alice()), name: 'a', password_hash: await hashPassword('bc') });
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
    expect(await identity().authenticate('oneadmin', 'first')).toEqual({
      id: 0,
      name: 'oneadmin',
      gid: 0,
      groups: [0],
      rules: [],
    });
  });

  it('keeps its password as argon2id with OWASP’s parameters, never as text', async () => {
    await identity().ensureOneadmin('first');
    const stored = await users.byName('oneadmin');
    expect(stored?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(JSON.stringify(stored)).not.toContain('first');
  });
});

describe('the user store', () => {
  it('gives a name to one user only', async () => {
    expect(await users.add(await alice())).toBe(true);
    expect(await users.add({ ...(await alice()), _id: 8 })).toBe(false);
    expect((await users.byIds([7, 8])).map(({ _id }) => _id)).toEqual([7]);
  });
});
