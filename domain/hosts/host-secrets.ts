import type { Attributes } from '../../schemas/hosts/cluster.js';

/** An attribute of a host or cluster with the names of those that are secret there, separated by blanks or commas. */
export const secretsList = 'SECRET_ATTRIBUTES';

/** Parts of names that are those of secrets, wherever they stand: nobody calls a thing for placement by them. */
const telling = ['PASSWORD', 'PASSWD', 'PASSPHRASE', 'PASSCODE', 'SECRET', 'CREDENTIAL'];
/** Others that are so only as whole words of a name: MONKEY is no KEY. */
const words = new Set(['PASS', 'PWD', 'PW', 'PIN', 'TOKEN', 'TOKENS', 'KEY', 'KEYS', 'APIKEY', 'AUTH', 'COMMUNITY']);

/**
 * Whether an attribute of a host is one that no expression may ask for, whoever writes it: by `=` with a pattern, by `>` or
 * by a rank, whoever may make a VM could find out what it is. `name` is in upper case.
 */
export function isSecret(name: string, attributes: Attributes = {}): boolean {
  if (telling.some((part) => name.includes(part)) || name.split(/[^A-Z0-9]/).some((word) => words.has(word)))
    return true;
  const listed = Object.hasOwn(attributes, secretsList) ? attributes[secretsList] : undefined;
  return [listed ?? []]
    .flat()
    .flatMap((text) =>
      String(text)
        .toUpperCase()
        .split(/[\s,]+/),
    )
    .includes(name);
}
