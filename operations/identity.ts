import { createHmac, randomBytes } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import type { Caller } from '../domain/caller.js';
import { Problem } from '../domain/problems.js';
import { administrators } from '../schemas/group.js';
import { defaultUmask } from '../schemas/user.js';
import type { Directory } from '../store/directory.js';

/** OWASP's minimum for argon2id, which is the library's default algorithm: 19 MiB, two passes, one thread. */
const hashing = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** A verification costs some 20 ms of CPU by design; clients that send credentials with each request pay it once a minute. */
const cacheLifetime = 60_000;
const cacheSize = 1_000;

export type Identity = ReturnType<typeof createIdentity>;

/** Who is asking. `now` gives milliseconds. */
export function createIdentity({ directory, now = Date.now }: { directory: Directory; now?: () => number }) {
  const { users } = directory;
  const key = randomBytes(32);
  const verified = new Map<string, { caller: Promise<Caller>; expires: number }>();
  const nobody = hash(randomBytes(16), hashing);

  /** A user who does not exist costs the same verification, so that time does not tell which names do. */
  async function verifyPassword(name: string, password: string): Promise<Caller> {
    const user = await users.byName(name);
    const matches = await verify(user?.password_hash ?? (await nobody), password);
    if (!user || !matches) throw new Problem('not_authenticated', 'The name or the password is wrong.');
    return directory.asCaller(user);
  }

  /** Requests that arrive together with the same credentials share one verification; a failed one is forgotten. */
  function remember(fingerprint: string, caller: Promise<Caller>): Promise<Caller> {
    for (const oldest of verified.keys()) {
      if (verified.size < cacheSize) break;
      verified.delete(oldest);
    }
    const entry = { caller, expires: now() + cacheLifetime };
    verified.set(fingerprint, entry);
    return caller.catch((error: unknown) => {
      if (verified.get(fingerprint) === entry) verified.delete(fingerprint);
      throw error;
    });
  }

  return {
    /** The caller with this name and password, or the problem `not_authenticated`. A changed password is noticed within a minute. */
    authenticate: (name: string, password: string): Promise<Caller> => {
      const fingerprint = createHmac('sha256', key)
        .update(JSON.stringify([name, password]))
        .digest('base64');
      const known = verified.get(fingerprint);
      if (known && known.expires > now()) return known.caller;
      verified.delete(fingerprint);
      return remember(fingerprint, verifyPassword(name, password));
    },

    /** Makes `oneadmin` (id 0, group 0) with this password; one that exists already is left as it is. */
    ensureOneadmin: async (password: string): Promise<void> => {
      const password_hash = await hashPassword(password);
      await directory.version.change(async (session) => {
        if (await users.find(0, session)) return;
        const whole = { groups: [administrators], enabled: true, umask: defaultUmask, created_at: new Date(now()) };
        await users.insert({ _id: 0, name: 'oneadmin', gid: administrators, password_hash, ...whole }, session);
      });
    },
  };
}

/** argon2id in PHC format, salted. */
export const hashPassword = (password: string): Promise<string> => hash(password, hashing);
