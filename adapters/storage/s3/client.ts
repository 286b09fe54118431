import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Connection } from './connection.js';

/** The client is loaded when somebody needs it first: nobody pays for it who has nothing in S3. */
const sdk = () => import('@aws-sdk/client-s3');

/** How a bucket is reached, and which. */
export type S3Access = Pick<
  S3Connection,
  'bucket' | 'region' | 'endpoint' | 'force_path_style' | 'access_key' | 'secret_key'
>;

/** A client of one bucket's server, and the commands that it sends. */
export async function clientOf(access: S3Access) {
  const s3 = await sdk();
  const { region, endpoint, force_path_style, access_key, secret_key } = access;
  const client: S3Client = new s3.S3Client({
    region,
    ...(endpoint && {
      endpoint,
      // Servers other than Amazon's know no other sums.
      ...{ requestChecksumCalculation: 'WHEN_REQUIRED' as const, responseChecksumValidation: 'WHEN_REQUIRED' as const },
    }),
    forcePathStyle: force_path_style,
    credentials: { accessKeyId: access_key, secretAccessKey: secret_key },
    maxAttempts: 3,
  });
  return { s3, client };
}
