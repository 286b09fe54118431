import { createHmac, randomBytes } from 'node:crypto';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import type { Token } from '../../schemas/identity/token.js';
import type { User } from '../../schemas/identity/user.js';
import type { Directory, Seen } from '../../store/identity/directory.js';
import { createPasswords, isGenerated, type Login } from './passwords.js';
import { isMeantAsToken, tokenHash, tokenPrefix } from './token-text.js';

/** Credentials that are remembered, so that they cost no argon2 with each request. */
const rememberedAtMost = 10_000;
/** Milliseconds between two notes of a token's use. */
const betweenNotes = 60_000;

/** A name with a password or a token, or a token alone. */
export type Credentials = { name?: string; secret: string };

/** What is known of credentials that were right: as of a version of the directory, after which it is looked at again. */
type Known = Seen & { token: Token | null };

/** Who is asking. */
export interface Identity {
  /** The caller with these credentials; else the problem `not_authenticated`, or `too_many_attempts`. */
  authenticate(credentials: Credentials, address: string): Promise<Caller>;
}

/**
 * Who is asking. Of what decides on it nothing is older than the request: the version of the directory is read with each,
 * and what is remembered counts for that version alone. Only the costly verification of a password is remembered
 * beyond, together with the hash that it matched. `now` gives milliseconds.
 */
export function createIdentity({
  directory,
  failedLogins,
  now = Date.now,
}: {
  directory: Directory;
  failedLogins: number;
  now?: () => number;
}): Identity {
  const { users, tokens } = directory;
  const passwords = createPasswords(directory, failedLogins);
  const key = randomBytes(32);
  const known = new Map<string, Known>();
  const refused = new Map<string, number>();
  const underway = new Map<string, Promise<boolean>>();
  const noted = new Map<number, number>();

  const fingerprintOf = (...parts: (string | undefined)[]): string =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64');

  /** Requests that come together with the same credentials share one verification, and count as one. */
  function verified(login: Login, user: User | null): Promise<boolean> {
    const one = fingerprintOf(login.name, login.secret, login.address, user?.password_hash);
    const verification = underway.get(one) ?? passwords.matches(user, login).finally(() => underway.delete(one));
    underway.set(one, verification);
    return verification;
  }

  async function byPassword(login: Login, before: Known | undefined): Promise<Known> {
    const user = await users.byName(login.name);
    const matched = before && user?.enabled && user.password_hash === before.user.password_hash;
    const isRight = matched || (user?.enabled && isGenerated(user, login.secret)) || (await verified(login, user));
    if (!isRight) throw wrongPassword();
    const seen = await directory.look(async (transaction) => {
      const current = user && (await users.find(user._id, transaction));
      // Changed since it was verified: what was right then is not now.
      return current?.enabled && current.name === user?.name && current.password_hash === user.password_hash
        ? { user: current }
        : null;
    });
    if (!seen) throw wrongPassword();
    return { ...seen, token: null };
  }

  /**
   * A secret that cannot be guessed needs no limit, and one that has expired is no guess: it counts against nobody. That
   * it is refused is remembered for this version of the directory, so that asking again and again costs one read.
   */
  async function byToken({ name, secret }: Credentials, version: number, fingerprint: string): Promise<Known> {
    if (refused.get(fingerprint) === version) throw wrongToken();
    const seen = await directory.look(async (transaction) => {
      const token = await tokens.byHash(tokenHash(secret), transaction);
      const user = token && isValid(token) ? await users.find(token.uid, transaction) : null;
      return token && user?.enabled && (name === undefined || name.normalize('NFC') === user.name.normalize('NFC'))
        ? { user, token }
        : null;
    });
    if (seen) return seen;
    rememberIn(refused, fingerprint, version);
    throw wrongToken();
  }

  const isValid = ({ expires_at }: Token): boolean => expires_at === null || expires_at.getTime() > now();

  /** Written once a minute at most, however many requests and processes there are. */
  async function note({ _id: id }: Token): Promise<void> {
    const at = now();
    if (at - (noted.get(id) ?? 0) < betweenNotes) return;
    for (const oldest of noted.keys()) {
      if (noted.size < rememberedAtMost) break;
      noted.delete(oldest);
    }
    noted.set(id, at);
    const last = await tokens.used(id, new Date(at), new Date(at - betweenNotes));
    noted.set(id, last.getTime());
  }

  function rememberIn<T>(memory: Map<string, T>, fingerprint: string, one: T): void {
    for (const oldest of memory.keys()) {
      if (memory.size < rememberedAtMost) break;
      memory.delete(oldest);
    }
    memory.set(fingerprint, one);
  }

  return {
    async authenticate({ name, secret }: Credentials, address: string): Promise<Caller> {
      const version = await directory.version.current();
      const fingerprint = fingerprintOf(name, secret);
      const before = known.get(fingerprint);
      const isFresh = before?.version === version && (before.token === null || isValid(before.token));
      const isToken = tokenPrefix(secret) !== undefined;
      // No password begins like a token: one that was cut short is no guess of one.
      if (!isToken && (name === undefined || isMeantAsToken(secret))) throw wrongToken();
      const found =
        before && isFresh
          ? before
          : isToken
            ? await byToken({ ...(name !== undefined && { name }), secret }, version, fingerprint)
            : await byPassword({ name: name ?? '', secret, address }, before);
      if (found !== before) rememberIn(known, fingerprint, found);
      if (found.token) await note(found.token);
      const { credentials } = found.user;
      return { ...found.caller, login: { by: found.token ? 'token' : 'password', address, credentials } };
    },
  };
}

/** The same words whatever is wrong: they tell nobody which names there are. */
const wrongPassword = (): Problem =>
  new Problem('not_authenticated', 'The name or the password is wrong, or the user is disabled.');
const wrongToken = (): Problem =>
  new Problem('not_authenticated', 'The token is not valid: it is wrong, has expired or was revoked.');
