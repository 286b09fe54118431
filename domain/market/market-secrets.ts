import type { Marketplace } from '../../schemas/market/marketplace.js';
import type { SealedPlace, SecretOf } from '../sealed.js';

/** Where the secret key of a marketplace in S3 stands. */
export const marketKeyOf = (marketplace: number): SealedPlace => ({
  kind: 'market',
  id: marketplace,
  field: 'secret key',
});

/** All secrets of marketplaces: what is not in this table is sealed with its first key for ever. */
export const marketSecrets: readonly SecretOf<Pick<Marketplace, 's3'>>[] = [
  { path: 's3.secret_key', place: marketKeyOf, of: ({ s3 }) => s3?.secret_key ?? null },
];
