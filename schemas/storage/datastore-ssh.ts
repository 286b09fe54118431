import { z } from 'zod';
import { atMost, limits } from '../common/limits.js';
import type { Sealed } from '../common/sealed.js';

const Host = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39})$/,
    'must be the name or the address of a machine',
  );
const User = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be the name of a user there');
const Port = z.int().min(1).max(65_535);
/** Absolute, and as it would be said by the machine itself: no step of it is `.` or `..`, and none is empty. */
const Directory = z
  .string()
  .max(limits.datastoreDirectory.most, atMost('datastoreDirectory'))
  .regex(
    /^(?:\/[A-Za-z0-9._-]{1,255}){1,32}$/,
    'must be an absolute path of letters, digits, dots, hyphens and underscores',
  )
  .refine((path) => !path.split('/').some((step) => step === '.' || step === '..'), 'must have no . and .. in it');

const HostKey = z
  .string()
  .max(limits.sshKey.most, atMost('sshKey'))
  .regex(
    /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{40,}={0,2}$/,
    'must be a host key as ssh-keyscan says it, without the name before it: ssh-ed25519 AAAA…',
  );
const HostKeys = z.array(HostKey).min(1, 'must have a key').max(limits.hostKeys.most, atMost('hostKeys'));

/** One line of a key in Base64, or its first or last: nothing else is among them, and no reader of keys is run to find out. */
const PrivateKey = z
  .string()
  .max(limits.sshKey.most, atMost('sshKey'))
  .regex(
    /^-----BEGIN OPENSSH PRIVATE KEY-----\r?\n(?:[A-Za-z0-9+/=]{1,100}\r?\n){2,}-----END OPENSSH PRIVATE KEY-----\r?\n?$/,
    'must be a private key in OpenSSH’s format, as ssh-keygen makes them',
  )
  .refine((text) => !isEncrypted(text), 'must have no passphrase: nobody is there to type it')
  .transform((text) => `${text.replaceAll('\r', '').trimEnd()}\n`);

/** What a key says of itself is how it is encrypted: "none" where it is not. */
function isEncrypted(text: string): boolean {
  const bytes = Buffer.from(text.replace(/-----[A-Z ]{1,40}-----/g, ''), 'base64');
  const magic = 'openssh-key-v1\0';
  return bytes.subarray(0, magic.length).toString('latin1') !== magic || !bytes.subarray(15, 23).equals(none);
}
const none = Buffer.from([0, 0, 0, 4, ...Buffer.from('none')]);

const way = {
  host: Host.describe('Name or address of the machine'),
  port: Port.default(22),
  user: User.describe('Who Arcus is there'),
  host_keys: HostKeys.describe('The keys by which that machine is known; another one is never believed'),
};

/** Where a datastore of another machine is, and who Arcus is there. */
export const Ssh = z.strictObject({
  ...way,
  directory: Directory.describe('What is kept there lies in it; it stays so'),
  private_key: PrivateKey.nullable()
    .default(null)
    .describe('Kept sealed, and never shown; null: that in the file ssh/identity of the home of each process'),
});
/** What of it can be changed, whole; without a private key that of before stays. */
export const SshEdit = z.strictObject({ ...way, private_key: PrivateKey.optional() });
export const UpdateSsh = z.strictObject({
  host: Host.optional(),
  port: Port.optional(),
  user: User.optional(),
  host_keys: HostKeys.optional(),
  private_key: PrivateKey.optional().describe('Another one; it is kept sealed, and never shown'),
});
export const SshShown = z.object({
  host: z.string(),
  port: z.int(),
  user: z.string(),
  host_keys: z.array(z.string()),
  directory: z.string(),
});

/** The same as stored. */
export type StoredSsh = Omit<z.output<typeof Ssh>, 'private_key'> & { private_key: Sealed | null };
