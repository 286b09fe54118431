import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Problem } from '../../domain/problems.js';
import {
  boundTo,
  firstKeys,
  type Key,
  keyBytes,
  nonceBytes,
  oneMore,
  readKeys,
  type SealedPlace,
  tagBytes,
} from '../../domain/sealed.js';
import type { Sealed } from '../../schemas/common/sealed.js';
import type { Config } from '../../schemas/config.js';

const algorithm = 'aes-256-gcm';

/** Seals and opens secrets with the keys of a file, which is read each time, a hundred bytes: a key that another process adds is there at once. */
export type Sealer = {
  seal(text: string, place: SealedPlace): Sealed;
  /** Throws `wrong_state` where the key is not there, or what was sealed was changed, or stood elsewhere. */
  open(sealed: Sealed, place: SealedPlace): string;
  /** The name of the key that seals now; null: there is none yet. */
  current(): string | null;
  /**
   * A new key, which seals from now on; those that there were stay, to open what is older, in backups of the database, too. It is written behind them in one go: of two
   * who add one at a time neither is lost, which no writing of the whole file could promise.
   */
  addKey(): string;
  /** Names of all keys. */
  names(): string[];
};

/** `secrets.key` of the home, made when something is sealed first, or a file that a setting names, which has to be there. */
export function createSealer({
  ARCUS_HOME: home,
  ARCUS_SECRETS_KEY_FILE: given,
}: Pick<Config, 'ARCUS_HOME' | 'ARCUS_SECRETS_KEY_FILE'>): Sealer {
  const file = given ?? join(home, 'secrets.key');

  function keys(): Key[] {
    try {
      return readKeys(readFileSync(file, 'utf8'));
    } catch (error) {
      if (isMissing(error) && given === undefined) return [];
      throw new Problem('wrong_state', `The keys of secrets cannot be read, in ${file}: ${sentenceOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Of several who make the first key, one is it. */
  function firstKey(): Key {
    const there = keys().at(-1);
    if (there) return there;
    mkdirSync(dirname(file), { recursive: true });
    const draft = written(file, newKey());
    try {
      linkSync(draft, file);
    } catch (error) {
      if (!isThere(error)) throw error;
    } finally {
      unlinkSync(draft);
    }
    const made = keys().at(-1);
    if (!made) throw new Problem('wrong_state', `There is no key in ${file}.`);
    return made;
  }

  return {
    seal(text, place) {
      const { name, secret } = firstKey();
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, Buffer.from(secret, 'base64'), nonce);
      cipher.setAAD(Buffer.from(boundTo(place)));
      const box = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return { key: name, box: box.toString('base64') };
    },
    open({ key, box }, place) {
      const found = keys().find(({ name }) => name === key);
      const what = `The ${place.field} of ${place.kind} ${place.id}`;
      if (!found)
        throw new Problem(
          'wrong_state',
          `${what} is sealed with key ${key}, which is not in ${file}: give the keys of all processes.`,
        );
      try {
        const bytes = Buffer.from(box, 'base64');
        const decipher = createDecipheriv(
          algorithm,
          Buffer.from(found.secret, 'base64'),
          bytes.subarray(0, nonceBytes),
          {
            authTagLength: tagBytes,
          },
        );
        decipher.setAAD(Buffer.from(boundTo(place)));
        decipher.setAuthTag(bytes.subarray(-tagBytes));
        const inside = bytes.subarray(nonceBytes, -tagBytes);
        return Buffer.concat([decipher.update(inside), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new Problem('wrong_state', `${what} was changed, or is that of something else: set it anew.`, { cause });
      }
    },
    current: () => keys().at(-1)?.name ?? null,
    addKey() {
      const key = newKey();
      firstKey();
      try {
        const handle = openSync(file, constants.O_WRONLY | constants.O_APPEND);
        try {
          writeSync(handle, oneMore(key));
          fsyncSync(handle);
        } finally {
          closeSync(handle);
        }
      } catch (cause) {
        throw new Problem(
          'wrong_state',
          `${file} cannot be written: add a key behind the others yourself, and ask again.`,
          {
            cause,
          },
        );
      }
      return key.name;
    },
    names: () => keys().map(({ name }) => name),
  };
}

const newKey = (): Key => ({ name: randomBytes(6).toString('hex'), secret: randomBytes(keyBytes).toString('base64') });

/** Beside the file, whole and on disk, for the owner alone. */
function written(file: string, key: Key): string {
  const draft = `${file}.${randomUUID()}`;
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, firstKeys(key));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return draft;
}

const codeIn = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
const isMissing = (error: unknown): boolean => codeIn(error) === 'ENOENT';
const isThere = (error: unknown): boolean => codeIn(error) === 'EEXIST';
const sentenceOf = (error: unknown): string =>
  isMissing(error) ? 'it is not there.' : error instanceof Error ? error.message : String(error);
