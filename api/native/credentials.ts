import { Problem } from '../../domain/problems.js';
import type { Credentials } from '../../requests/identity/identity.js';
import { basicCredentials } from '../http/authenticate.js';

/** HTTP Basic with the name of a user and the password or a token, or a token as Bearer. */
export function nativeCredentials(header: string): Credentials {
  const [, token] = /^Bearer +(\S+) *$/i.exec(header) ?? [];
  const credentials = token === undefined ? basicCredentials(header) : { secret: token };
  if (credentials) return credentials;
  throw new Problem(
    'not_authenticated',
    'Send your name and password with HTTP Basic authentication, or a token as Bearer.',
  );
}
