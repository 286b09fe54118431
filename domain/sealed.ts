import type { Sealed } from '../schemas/common/sealed.js';

// Secrets as they are kept: AES-256-GCM, under a key that is known by its name, bound to where they stand.

/** Where a secret stands: one that was moved elsewhere, to another object or field, is not opened there. */
export type SealedPlace = { kind: string; id: number; field: string };

/** A secret that objects of a kind may have: where it is written, where it stands, and what it is of one. */
export type SecretOf<T> = {
  path: string;
  place: (id: number) => SealedPlace;
  of: (object: T) => Sealed | null;
};

export const boundTo = ({ kind, id, field }: SealedPlace): string => `${kind}/${id}/${field}`;

export const keyBytes = 32;
export const nonceBytes = 12;
export const tagBytes = 16;

/** A key by its name, in Base64. The last of a file seals; each opens what it has sealed. */
export type Key = { name: string; secret: string };

/** A file of keys, one a line: `name key`. What begins with # says something to people. Throws an Error that says which line is wrong. */
export function readKeys(text: string): Key[] {
  const keys = text.split('\n').flatMap((line, at): Key[] => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [name = '', secret = '', ...more] = line.trim().split(/\s+/);
    if (!/^[\w-]{1,64}$/.test(name) || !isKey(secret) || more.length > 0)
      throw new Error(`Line ${at + 1} is not a name and a key of ${keyBytes} bytes in Base64.`);
    return [{ name, secret }];
  });
  if (new Set(keys.map(({ name }) => name)).size < keys.length) throw new Error('Two keys have one name.');
  return keys;
}

/** 32 bytes are 43 digits of Base64, and one that fills up. */
const isKey = (text: string): boolean => /^[A-Za-z0-9+/]{43}=$/.test(text);

const heading =
  '# Keys of the secrets that Arcus keeps: the last seals, the others open what is older. Without them nobody reads it.';

/** A file with one key. */
export const firstKeys = (key: Key): string => heading + oneMore(key);

/** What is written behind such a file for one more, whatever it ends with. */
export const oneMore = ({ name, secret }: Key): string => `\n${name} ${secret}\n`;
