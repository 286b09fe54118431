import { Problem } from '../../../domain/problems.js';
import type { SealedPlace } from '../../../domain/sealed.js';
import { secretKeyOf } from '../../../domain/storage/datastore-secrets.js';
import type { Sealed } from '../../../schemas/common/sealed.js';
import type { StoredS3 } from '../../../schemas/storage/datastore.js';

/** Where the objects of a datastore are, and who asks for them. */
export type S3Connection = Omit<StoredS3, 'secret_key'> & { secret_key: string };

/** How each datastore is reached, by its id. What was changed of one counts from the next call on. */
export type S3Connections = (datastore: number) => Promise<S3Connection>;

/** Of what is written down, opened for this alone. */
export function s3Connections(
  find: (id: number) => Promise<{ s3?: StoredS3 } | null>,
  open: (sealed: Sealed, place: SealedPlace) => string,
): S3Connections {
  return async (id) => {
    const s3 = (await find(id))?.s3;
    if (!s3) throw new Problem('not_found', `There is no datastore ${id} that is in S3.`);
    return { ...s3, secret_key: open(s3.secret_key, secretKeyOf(id)) };
  };
}
