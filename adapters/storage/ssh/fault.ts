import { brief, longest } from '../../../domain/brief.js';
import { Problem } from '../../../domain/problems.js';
import type { SshConnection } from './connection.js';

/** Who Arcus is on which machine, as it is said to people. */
export const calledBy = ({ user, host, port }: Pick<SshConnection, 'user' | 'host' | 'port'>): string =>
  `${user}@${host}${port === 22 ? '' : `:${port}`}`;

type Row = [said: RegExp, words: (who: string) => string];

/** What ssh says, what that means, and what to do. The first that fits. */
const rows: readonly Row[] = [
  [
    /^ENOENT$/,
    () =>
      'ssh is not installed on this machine: it reaches datastores of others. On Debian: apt-get install openssh-client.',
  ],
  [
    /HOST IDENTIFICATION HAS CHANGED|Host key verification failed|host key is known/i,
    (who) =>
      `${who} shows another host key than the datastore has. Find out whether it is that machine; if so, give the datastore its key (ssh-keyscan).`,
  ],
  [
    /Error loading key|invalid format|error in libcrypto|incorrect passphrase/i,
    (who) =>
      `The private key for ${who} cannot be read: give another one, in OpenSSH’s format and without a passphrase.`,
  ],
  [
    / not accessible: /,
    (who) => `There is no private key for ${who}: give the datastore one, or put it into ssh/identity of the home.`,
  ],
  [
    /Permission denied \(|Too many authentication failures|No more authentication methods/i,
    (who) => `${who} refuses the key: put the public one into ~/.ssh/authorized_keys of that user there.`,
  ],
  [
    /subsystem request failed|is no SFTP|no SFTP|SFTP is none of OpenSSH/i,
    (who) =>
      `${who} does not speak SFTP as OpenSSH does: its sshd needs the subsystem sftp, and a shell of that user that says nothing by itself.`,
  ],
  [/Could not resolve hostname/i, (who) => `The name of ${who} is not known: see the name, and the servers of names.`],
  [/Connection refused/i, (who) => `${who} refuses the connection: see whether sshd runs there, at that port.`],
  [
    /Session open refused|administratively prohibited/i,
    (who) => `${who} allows too few sessions: its sshd needs MaxSessions of 10, which is its default.`,
  ],
];

/** What has failed between here and there. It is tried again: somebody may mend all of it. */
export function sshFault(connection: SshConnection, said: string, cause?: unknown): Problem {
  const who = calledBy(connection);
  const row = rows.find(([pattern]) => pattern.test(said));
  const last = said.trim().split('\n').at(-1) ?? '';
  const words =
    row?.[1](who) ?? `${who} is not reached by ssh: ${brief(last, longest.vm) || 'the connection was cut'}.`;
  return new Problem('backend_unavailable', words, { cause });
}

/** A user who may not do there what has to be done. */
export const deniedBy = (connection: SshConnection, cause: unknown): Problem =>
  new Problem(
    'backend_unavailable',
    `${calledBy(connection)} may not work in the directory of the datastore: give it to that user there.`,
    { cause },
  );
