import { Problem } from '../../../domain/problems.js';
import type { SealedPlace } from '../../../domain/sealed.js';
import { privateKeyOf } from '../../../domain/storage/datastore-secrets.js';
import type { Sealed } from '../../../schemas/common/sealed.js';
import type { StoredSsh } from '../../../schemas/storage/datastore.js';

/** The machine that a datastore is on, and who Arcus is there. */
export type SshConnection = Omit<StoredSsh, 'private_key'> & { private_key: string | null };

/** How each datastore is reached, by its id. What was changed of one counts from the next call on. */
export type SshConnections = (datastore: number) => Promise<SshConnection>;

/** Of what is written down, opened for this alone. */
export function sshConnections(
  find: (id: number) => Promise<{ ssh?: StoredSsh } | null>,
  open: (sealed: Sealed, place: SealedPlace) => string,
): SshConnections {
  return async (id) => {
    const ssh = (await find(id))?.ssh;
    if (!ssh) throw new Problem('not_found', `There is no datastore ${id} that is reached by ssh.`);
    return { ...ssh, private_key: ssh.private_key && open(ssh.private_key, privateKeyOf(id)) };
  };
}
