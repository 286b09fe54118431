import type { Datastore } from '../../schemas/storage/datastore.js';
import type { SealedPlace, SecretOf } from '../sealed.js';

/** Where the secret key of a datastore in S3 stands. */
export const secretKeyOf = (datastore: number): SealedPlace => ({
  kind: 'datastore',
  id: datastore,
  field: 'secret key',
});

/** Where the private key of a datastore that is reached by ssh stands. */
export const privateKeyOf = (datastore: number): SealedPlace => ({
  kind: 'datastore',
  id: datastore,
  field: 'private key',
});

/** All of them: what is not in this table is sealed with its first key for ever. */
export const datastoreSecrets: readonly SecretOf<Pick<Datastore, 's3' | 'ssh'>>[] = [
  { path: 's3.secret_key', place: secretKeyOf, of: ({ s3 }) => s3?.secret_key ?? null },
  { path: 'ssh.private_key', place: privateKeyOf, of: ({ ssh }) => ssh?.private_key ?? null },
];
