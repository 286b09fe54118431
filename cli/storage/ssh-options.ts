import { z } from 'zod';
import { Complaint } from '../shell/complaint.js';
import { textOf } from '../shell/files/text-of.js';

/** Options by which a datastore on another machine is reached. */
export const sshOptions = [
  ['--host <name>', 'of ssh: name or address of the machine'],
  ['--port <number>', 'of ssh; default: 22'],
  ['--user <name>', 'of ssh: who Arcus is there'],
  ['--host-keys <file>', 'of ssh: the keys of that machine, as ssh-keyscan says them; - for standard input'],
  ['--private-key <file>', 'of ssh: the key of Arcus there, without a passphrase, which is kept sealed'],
] as const;

export const SshOptions = z.object({
  host: z.string().optional(),
  port: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a number')
    .transform(Number)
    .optional(),
  user: z.string().optional(),
  hostKeys: z.string().optional(),
  privateKey: z.string().optional(),
});

/** What they say, in the words of the API. */
export const sshOf = ({ host, port, user, hostKeys, privateKey }: z.output<typeof SshOptions>) => ({
  ...{ host, port, user },
  host_keys: hostKeys === undefined ? undefined : hostKeysIn(hostKeys),
  private_key:
    privateKey === undefined ? undefined : textOf(privateKey, { next: 'Name the file with the private key.' }),
});

/** Keys of a file of ssh-keyscan, of `known_hosts`, or of /etc/ssh: whatever stands around the kind and the key. */
function hostKeysIn(file: string): string[] {
  const next = 'Ask the machine for its keys, where nobody is in between: ssh-keyscan store.example.org';
  const lines = textOf(file, { next })
    .split('\n')
    .filter((line) => !line.startsWith('#') && !line.startsWith('@'));
  const keys = lines.flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const at = words.findIndex((word) => /^(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp\d{3})$/.test(word));
    const key = at < 0 ? undefined : words[at + 1];
    return key === undefined ? [] : [`${words[at]} ${key}`];
  });
  if (keys.length > 0) return keys;
  throw new Complaint('usage', `${file} has no key of a machine.`, { next });
}
