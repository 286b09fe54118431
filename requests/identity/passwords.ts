import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { clientNetwork } from '../../domain/identity/client-network.js';
import { Problem } from '../../domain/problems.js';
import { generatedSign, type User } from '../../schemas/identity/user.js';
import type { Attempt, Directory } from '../../store/identity/directory.js';

/** OWASP's minimum for argon2id, which is the library's default algorithm: 19 MiB, two passes, one thread. */
const hashing = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Milliseconds in which failed logins are counted together. */
const window = 15 * 60_000;
/** Milliseconds in which a name that has signed in from an address is known there. */
const knownFor = 30 * 86_400_000;
/** One address may fail so many times as often under any names as under one: several people share some addresses. */
const namesPerAddress = 10;

/** argon2id in PHC format, salted. */
export const hashPassword = (password: string): Promise<string> => hash(password, hashing);

/** How a password begins that Arcus has made, which is 144 random bits and cannot be guessed. */
const generatedForm = /^[\w-]{24}$/;

/** Beside the slow hash of a password that Arcus has made, a fast one; absent: it is one that people have made. */
export const generatedHash = (password: string): string | undefined =>
  password.startsWith(generatedSign) && generatedForm.test(password.slice(generatedSign.length))
    ? createHash('sha256').update(password).digest('base64url')
    : undefined;

/** Whether the secret is the password that Arcus has made for this user: what cannot be guessed needs no limit. */
export function isGenerated(user: User | null, secret: string): boolean {
  const hash = generatedHash(secret);
  if (hash === undefined || typeof user?.generated !== 'string') return false;
  const [given, stored] = [Buffer.from(hash), Buffer.from(user.generated)];
  return given.length === stored.length && timingSafeEqual(given, stored);
}

/** What is tried, and from where. */
export type Login = { name: string; secret: string; address: string };

/** Passwords, tried under a limit. */
export interface Passwords {
  /**
   * Whether the secret is the password of this user, who is enabled. A user who does not exist or is disabled costs the
   * same, so that time does not tell which names do.
   */
  matches(user: User | null, login: Login): Promise<boolean>;
}

/** `failedLogins`: how many may fail in 15 minutes, of one name from one address. */
export function createPasswords({ attempts }: Pick<Directory, 'attempts'>, failedLogins: number): Passwords {
  const nobody = hash(randomBytes(16), hashing);

  /** Counts an attempt as failed, for the name from the address and for the address. Refuses when there were too many. */
  async function count(name: string, address: string): Promise<Attempt[]> {
    const network = clientNetwork(address);
    const ofName = await attempts.take(['name', name, network], { most: failedLogins, window });
    if (!ofName.granted) throw tooMany(ofName);
    const ofAddress = await attempts.take(['address', network], { most: failedLogins * namesPerAddress, window });
    if (ofAddress.granted) return [ofName, ofAddress];
    // Who has come from here under this name before has a budget of his own, whatever others do from this address.
    if (await attempts.isKnown(['known', name, network])) return [ofName];
    await attempts.giveBack(ofName);
    throw tooMany(ofAddress);
  }

  return {
    async matches(user: User | null, { name: written, secret, address }: Login): Promise<boolean> {
      // A name can be written in many ways, which together have one limit.
      const name = written.normalize('NFC');
      const counted = await count(name, address);
      const isRight = await verify(user?.password_hash ?? (await nobody), secret);
      if (!isRight || !user?.enabled) return false;
      for (const attempt of counted) await attempts.giveBack(attempt);
      await attempts.know(['known', name, clientNetwork(address)], knownFor);
      return true;
    },
  };
}

function tooMany({ until }: Attempt): Problem {
  const retryAfter = Math.max(1, Math.ceil((until.getTime() - Date.now()) / 1_000));
  const when = retryAfter > 90 ? `${Math.ceil(retryAfter / 60)} minutes` : `${retryAfter} seconds`;
  return new Problem('too_many_attempts', `Too many logins from here have failed. Try again in ${when}.`, {
    retryAfter,
  });
}
