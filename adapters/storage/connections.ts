import type { SealedPlace } from '../../domain/sealed.js';
import type { Sealed } from '../../schemas/common/sealed.js';
import type { StoredS3, StoredSsh } from '../../schemas/storage/datastore.js';
import { s3Connections } from './s3/connection.js';
import { sshConnections } from './ssh/connection.js';
import type { Connections } from './storages.js';

/** As datastores say it, whose secrets are opened for this alone. */
export const connectionsBy = (
  find: (id: number) => Promise<{ s3?: StoredS3; ssh?: StoredSsh } | null>,
  open: (sealed: Sealed, place: SealedPlace) => string,
): Connections => ({ s3: s3Connections(find, open), ssh: sshConnections(find, open) });
