import { createHash, randomBytes, randomInt } from 'node:crypto';
import { tokenSign } from '../../schemas/identity/user.js';

const form = /^([0-9A-Za-z]{8})_[\w-]{43}$/;
const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A new token: what it begins with makes it known to people and to scanners for secrets; then 256 random bits. */
export function newToken(): { text: string; prefix: string; hash: string } {
  const prefix = Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('');
  const text = `${tokenSign}${prefix}_${randomBytes(32).toString('base64url')}`;
  return { text, prefix, hash: tokenHash(text) };
}

/** The part of a token that is shown; undefined: this is no token. */
export const tokenPrefix = (text: string): string | undefined =>
  text.startsWith(tokenSign) ? form.exec(text.slice(tokenSign.length))?.[1] : undefined;

/** Whether it begins as tokens do, which no password may. */
export const isMeantAsToken = (text: string): boolean => text.startsWith(tokenSign);

export const tokenHash = (text: string): string => createHash('sha256').update(text).digest('base64url');
