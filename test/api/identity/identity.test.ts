import mongoose, { type Connection } from 'mongoose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { printAcl } from '../../../domain/identity/acl.js';
import { ensureOneadmin } from '../../../requests/identity/first-user.js';
import { createIdentity } from '../../../requests/identity/identity.js';
import { hashPassword } from '../../../requests/identity/passwords.js';
import { newToken } from '../../../requests/identity/token-text.js';
import { randomSecret } from '../../../runtime/home/secret-file.js';
import { generatedSign } from '../../../schemas/identity/user.js';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { createDirectory, type MongodbDirectory } from '../../../store/identity/mongodb-directory.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import { within } from '../../../store/mongo/transaction.js';
import { addGroup, addUser } from '../../support/people.js';
import { ownDatabaseUri } from '../../support/servers.js';

const generatePassword = () => `${generatedSign}${randomSecret(18)}`;

/** Two api processes: each has a connection, and remembers for itself. */
const uri = ownDatabaseUri('identity');
const connections: Connection[] = [];
let directory: MongodbDirectory;
let other: MongodbDirectory;
let clock: number;

const here = '192.0.2.1';
const asIdentity = (over: MongodbDirectory, failedLogins = 100) => {
  const { authenticate } = createIdentity({ directory: over, failedLogins, now: () => clock });
  return (name: string | undefined, secret: string, address = here) =>
    authenticate({ ...(name !== undefined && { name }), secret }, address);
};
const wrong = { code: 'not_authenticated', message: 'The name or the password is wrong, or the user is disabled.' };
const wrongToken = { code: 'not_authenticated', message: expect.stringContaining('has expired or was revoked') };
const addAlice = (password = 'opensesame', name = 'alice') => addUser(directory, name, { password, groups: [1, 0] });
const update = (id: number, change: Parameters<MongodbDirectory['users']['update']>[1]) =>
  directory.version.change((session) => directory.users.update(id, change, session));

beforeAll(async () => {
  connections.push(await connectMongodb(uri), await connectMongodb(uri));
  const [one, two] = connections as [Connection, Connection];
  directory = await bootstrapStore(one);
  other = createDirectory(two);
});
beforeEach(async () => {
  for (const name of ['users', 'groups', 'tokens', 'login_attempts', 'known_logins', 'identity_version'])
    await connections[0]?.collection(name).deleteMany({});
  clock = Date.now();
});
afterAll(async () => {
  await connections[0]?.dropDatabase();
  for (const connection of connections) await connection.close();
});

describe('authentication', () => {
  it('knows a user by name and password', async () => {
    await addAlice();
    expect(await asIdentity(directory)('alice', 'opensesame')).toMatchObject({
      ...{ id: 2, name: 'alice', gid: 1, groups: [1, 0], umask: '177' },
      login: { by: 'password', address: here },
    });
  });

  it('gives a caller the rules that follow from his groups, and their names', async () => {
    const { _id } = await addGroup(directory, 'web', { admins: [2], create: { users: ['VM'], admins: [] } });
    await addUser(directory, 'alice', { gid: _id });
    const caller = await asIdentity(directory)('alice', 'alice');
    expect(caller.rules.map(printAcl)).toEqual([
      '@100 VM/* CREATE *',
      '#2 USER/@100 USE+MANAGE+ADMIN+CREATE *',
      '#2 GROUP/#100 USE+MANAGE *',
      '#2 VM+NET+IMAGE+TEMPLATE+DOCUMENT+SECGROUP/@100 USE+MANAGE *',
    ]);
    expect(caller.groupNames).toEqual(new Map([[100, 'web']]));
  });

  it('refuses a wrong password, an unknown name and a disabled user with the same words', async () => {
    await addAlice();
    await addUser(directory, 'carol', { password: 'opensesame', enabled: false });
    const authenticate = asIdentity(directory);
    await expect(authenticate('alice', 'opensesam')).rejects.toMatchObject(wrong);
    await expect(authenticate('bob', 'opensesame')).rejects.toMatchObject(wrong);
    await expect(authenticate('alice', '')).rejects.toMatchObject(wrong);
    await expect(authenticate('carol', 'opensesame')).rejects.toMatchObject(wrong);
  });

  it('never remembers a refusal', async () => {
    const authenticate = asIdentity(directory);
    await expect(authenticate('alice', 'opensesame')).rejects.toMatchObject(wrong);
    await addAlice();
    expect(await authenticate('alice', 'opensesame')).toMatchObject({ id: 2 });
  });

  it('does not take one pair of name and password for another that reads the same in a row', async () => {
    await addAlice('bc', 'a');
    const authenticate = asIdentity(directory);
    await authenticate('a', 'bc');
    await expect(authenticate('ab', 'c')).rejects.toMatchObject(wrong);
  });
});

describe('what was changed in one process counts at once in another that remembers:', () => {
  /** Alice has signed in at both; then this happens at one. */
  async function afterwards(change: (id: number) => Promise<unknown>) {
    const { _id } = await addAlice();
    const authenticate = asIdentity(other);
    await authenticate('alice', 'opensesame');
    await change(_id);
    return authenticate;
  }

  it('a password', async () => {
    const authenticate = await afterwards(async (id) =>
      update(id, { password_hash: await hashPassword('changed-it') }),
    );
    await expect(authenticate('alice', 'opensesame')).rejects.toMatchObject(wrong);
    expect(await authenticate('alice', 'changed-it')).toMatchObject({ id: 2 });
  });

  it('a user who is disabled', async () => {
    const authenticate = await afterwards((id) => update(id, { enabled: false }));
    await expect(authenticate('alice', 'opensesame')).rejects.toMatchObject(wrong);
    await update(2, { enabled: true });
    expect(await authenticate('alice', 'opensesame')).toMatchObject({ id: 2 });
  });

  it('a user who is gone, whose name somebody else has now', async () => {
    const authenticate = await afterwards((id) =>
      directory.version.change((session) => directory.users.remove(id, session)),
    );
    await expect(authenticate('alice', 'opensesame')).rejects.toMatchObject(wrong);
    await addAlice('another-one');
    await expect(authenticate('alice', 'opensesame')).rejects.toMatchObject(wrong);
    expect(await authenticate('alice', 'another-one')).toMatchObject({ id: 3 });
  });

  it('groups, and what follows from them', async () => {
    const { _id: web } = await addGroup(directory, 'web');
    const authenticate = await afterwards((id) => update(id, { gid: web, groups: [web] }));
    expect(await authenticate('alice', 'opensesame')).toMatchObject({ gid: web, groups: [web], rules: [] });
    await directory.version.change((session) => directory.groups.update(web, { shared_view: true }, session));
    expect((await authenticate('alice', 'opensesame')).rules.map(printAcl)).toEqual(['@100 VM+DOCUMENT/@100 USE *']);
  });
});

describe('what is remembered', () => {
  /** Verifications of a password: each counts its attempt. */
  function counting(over: MongodbDirectory) {
    const taken: string[] = [];
    const take: MongodbDirectory['attempts']['take'] = (of, limit) => {
      if (of[0] === 'name') taken.push(String(of[1]));
      return over.attempts.take(of, limit);
    };
    return { taken, authenticate: asIdentity({ ...over, attempts: { ...over.attempts, take } }) };
  }

  it('is a verification, which costs much: once for all requests with the same credentials, whatever else changes', async () => {
    await addAlice();
    const { taken, authenticate } = counting(directory);
    await Promise.all([1, 2, 3].map(() => authenticate('alice', 'opensesame')));
    await addGroup(directory, 'web');
    expect(await authenticate('alice', 'opensesame')).toMatchObject({ id: 2 });
    expect(taken).toEqual(['alice']);
  });

  it('costs one read a request, of the version, for who is known', async () => {
    await addAlice();
    const watched = mongoose.createConnection(uri, { monitorCommands: true, autoIndex: false, autoCreate: false });
    await watched.asPromise();
    const authenticate = asIdentity(createDirectory(watched));
    await authenticate('alice', 'opensesame');
    const commands: unknown[] = [];
    watched.getClient().on('commandStarted', ({ commandName, command }) => commands.push([commandName, command.find]));
    await authenticate('alice', 'opensesame');
    expect(commands).toEqual([['find', 'identity_version']]);
    await watched.close();
  });

  it('of the directory is read again after each change, and otherwise not', async () => {
    await addAlice();
    let looks = 0;
    const look: MongodbDirectory['look'] = (find) => {
      looks += 1;
      return directory.look(find);
    };
    const authenticate = asIdentity({ ...directory, look });
    for (let request = 0; request < 3; request++) await authenticate('alice', 'opensesame');
    expect(looks).toBe(1);
    await addGroup(directory, 'web');
    for (let request = 0; request < 3; request++) await authenticate('alice', 'opensesame');
    expect(looks).toBe(2);
  });
});

describe('a token', () => {
  async function token(uid: number, expires_in: number | null = 60_000) {
    const { text, prefix, hash } = newToken();
    const dates = { created_at: new Date(clock), last_used_at: null };
    await directory.version.change(async (session) => {
      const _id = await directory.version.take('token', session);
      const expires_at = expires_in === null ? null : new Date(clock + expires_in);
      await directory.tokens.insert({ _id, uid, name: 'test', prefix, hash, ...dates, expires_at }, session);
    });
    return text;
  }
  const lastUse = async () => (await directory.tokens.model.findOne().lean().exec())?.last_used_at?.getTime();

  it('stands for its user, alone or beside his name, and for nobody else', async () => {
    const { _id } = await addAlice();
    await addUser(directory, 'bob');
    const [text, authenticate] = [await token(_id), asIdentity(directory)];
    expect(await authenticate(undefined, text)).toMatchObject({ id: 2, login: { by: 'token' } });
    expect(await authenticate('alice', text)).toMatchObject({ id: 2, login: { by: 'token' } });
    await expect(authenticate('bob', text)).rejects.toMatchObject(wrongToken);
    await expect(authenticate(undefined, `${text.slice(0, -1)}~`)).rejects.toMatchObject(wrongToken);
    await expect(authenticate(undefined, newToken().text)).rejects.toMatchObject(wrongToken);
    await expect(authenticate(undefined, 'opensesame')).rejects.toMatchObject(wrongToken);
  });

  it('is refused from the moment that it expires, though it is remembered', async () => {
    const text = await token((await addAlice())._id, 1_000);
    const authenticate = asIdentity(directory);
    await authenticate(undefined, text);
    clock += 999;
    await authenticate(undefined, text);
    clock += 1;
    await expect(authenticate(undefined, text)).rejects.toMatchObject(wrongToken);
  });

  it('is refused at once everywhere when it is revoked or its user disabled', async () => {
    const { _id } = await addAlice();
    const [first, second] = [await token(_id), await token(_id, null)];
    const authenticate = asIdentity(other);
    await Promise.all([authenticate(undefined, first), authenticate(undefined, second)]);
    await directory.version.change(async (transaction) => {
      const { _id: id } = await directory.tokens.model.findOne({}, {}, within(transaction)).orFail();
      await directory.tokens.remove(_id, id, transaction);
    });
    await expect(authenticate(undefined, first)).rejects.toMatchObject(wrongToken);
    await authenticate(undefined, second);
    await update(_id, { enabled: false });
    await expect(authenticate(undefined, second)).rejects.toMatchObject(wrongToken);
  });

  it('has its use written down once a minute, by however many processes', async () => {
    const text = await token((await addAlice())._id, null);
    const start = clock;
    const [one, two] = [asIdentity(directory), asIdentity(other)];
    await one(undefined, text);
    clock += 59_999;
    await Promise.all([one(undefined, text), two(undefined, text)]);
    expect(await lastUse()).toBe(start);
    clock += 1;
    await two(undefined, text);
    expect(await lastUse()).toBe(start + 60_000);
  });
});

describe('logins that fail', () => {
  const tooMany = { code: 'too_many_attempts', retryAfter: expect.any(Number) };
  const outcomes = async (tries: Promise<unknown>[]) => {
    const settled = await Promise.allSettled(tries);
    return settled.map((one) => (one.status === 'fulfilled' ? 'in' : one.reason.code));
  };
  const stored = () => directory.attempts.model.countDocuments();

  it('are refused after so many, of any password, until their time is over', async () => {
    await addAlice();
    const authenticate = asIdentity(directory, 3);
    for (let n = 0; n < 3; n++) await expect(authenticate('alice', `guess-${n}`)).rejects.toMatchObject(wrong);
    await expect(authenticate('alice', 'guess-3')).rejects.toMatchObject(tooMany);
    await expect(authenticate('alice', 'opensesame')).rejects.toMatchObject(tooMany);
    expect(await authenticate('alice', 'opensesame', '192.0.2.2')).toMatchObject({ id: 2 });
    await directory.attempts.model.updateMany({}, { $set: { until: new Date(Date.now() - 1) } });
    expect(await authenticate('alice', 'opensesame')).toMatchObject({ id: 2 });
  });

  it('are counted before they are tried: a hundred at once, to two processes, are no more than the limit', async () => {
    await addAlice();
    const [one, two] = [asIdentity(directory, 5), asIdentity(other, 5)];
    const all = await outcomes(Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? one : two)('alice', `guess-${n}`)));
    expect(all.filter((code) => code === 'not_authenticated')).toHaveLength(5);
    expect(all.filter((code) => code === 'too_many_attempts')).toHaveLength(95);
  });

  it('under many names from one address end, too, whether those exist or not', async () => {
    await addAlice();
    const authenticate = asIdentity(directory, 2);
    const all = await outcomes(Array.from({ length: 25 }, (_, n) => authenticate(`user-${n}`, 'guess')));
    expect(all.filter((code) => code === 'not_authenticated')).toHaveLength(20);
    await expect(authenticate('alice', 'opensesame')).rejects.toMatchObject(tooMany);
    expect(await authenticate('alice', 'opensesame', '192.0.2.9')).toMatchObject({ id: 2 });
  });

  it('do not lock out who is signed in already, nor who has a token', async () => {
    await addAlice();
    const authenticate = asIdentity(directory, 2);
    await authenticate('alice', 'opensesame');
    for (let n = 0; n < 3; n++) await authenticate('alice', `guess-${n}`).catch(() => {});
    expect(await authenticate('alice', 'opensesame')).toMatchObject({ id: 2 });
  });

  it('are what counts: logins that succeed leave none behind', async () => {
    await addAlice();
    for (let n = 0; n < 5; n++) await asIdentity(directory, 2)('alice', 'opensesame');
    expect(await stored()).toBe(0);
  });

  it('leave neither names nor addresses in the database: people type passwords where names belong', async () => {
    await asIdentity(directory)('my-password', 'x').catch(() => {});
    const text = JSON.stringify(await directory.attempts.model.find().lean());
    expect(text).toContain('count');
    expect(text).not.toMatch(/my-password|192\.0/);
  });

  it('are those of passwords: a forgotten token, expired, revoked, unknown or cut short, locks out nobody', async () => {
    await addAlice();
    const { _id: id } = await addUser(directory, 'robot');
    const [expired, unknown] = [newToken(), newToken()];
    await directory.version.change(async (session) => {
      const token = { ...expired, _id: 0, uid: id, name: 'ci', created_at: new Date(0), last_used_at: null };
      const { text: _text, ...stored } = token;
      await directory.tokens.insert({ ...stored, expires_at: new Date(1) }, session);
    });
    const authenticate = asIdentity(directory, 2);
    for (let n = 0; n < 30; n++)
      for (const secret of [expired.text, unknown.text, expired.text.slice(0, -1)])
        for (const name of [undefined, 'alice', 'robot'])
          await expect(authenticate(name, secret)).rejects.toMatchObject(wrongToken);
    expect(await stored()).toBe(0);
    expect(await authenticate('alice', 'opensesame')).toMatchObject({ id: 2 });
  });

  it('of others from an address do not refuse a name that has signed in there before', async () => {
    await addAlice();
    await addUser(directory, 'bob');
    await asIdentity(directory, 2)('alice', 'opensesame');
    const authenticate = asIdentity(other, 2);
    for (let n = 0; n < 30; n++) await authenticate(`user-${n}`, 'guess').catch(() => {});
    await expect(authenticate('bob', 'bob')).rejects.toMatchObject(tooMany);
    expect(await authenticate('alice', 'opensesame')).toMatchObject({ id: 2 });
    // Its own limit it has all the same.
    const anew = asIdentity(other, 2);
    for (let n = 0; n < 2; n++) await expect(anew('alice', `guess-${n}`)).rejects.toMatchObject(wrong);
    await expect(anew('alice', 'guess-2')).rejects.toMatchObject(tooMany);
  });

  it('do not lock out the password that Arcus has made, which nobody can guess', async () => {
    const password = generatePassword();
    await ensureOneadmin(directory, password);
    const authenticate = asIdentity(directory, 2);
    for (let n = 0; n < 30; n++) await authenticate(n % 2 ? 'oneadmin' : `user-${n}`, `guess-${n}`).catch(() => {});
    await expect(authenticate('oneadmin', generatePassword())).rejects.toMatchObject(tooMany);
    expect(await authenticate('oneadmin', password)).toMatchObject({ id: 0 });
    await update(0, { enabled: false });
    await expect(authenticate('oneadmin', password)).rejects.toMatchObject({ code: 'too_many_attempts' });
  });
});

describe('the first user', () => {
  it('is made once, however many processes make it at the same time', async () => {
    await Promise.all([directory, other, directory, other].map((one) => ensureOneadmin(one, 'first')));
    await ensureOneadmin(directory, 'second');
    expect(await directory.users.model.countDocuments()).toBe(1);
    expect(await asIdentity(directory)('oneadmin', 'first')).toMatchObject({ id: 0, gid: 0, groups: [0], rules: [] });
  });

  it('keeps its password as argon2id with OWASP’s parameters, never as text', async () => {
    await ensureOneadmin(directory, 'first');
    const stored = await directory.users.byName('oneadmin');
    expect(stored?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(JSON.stringify(stored)).not.toContain('first');
  });
});
