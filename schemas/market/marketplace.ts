import { z } from 'zod';
import { Description, ObjectId, ObjectName, type Ownership, OwnershipResource, Timestamp } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import { type ListFields, namedFields } from '../common/list.js';
import type { Sealed } from '../common/sealed.js';
import { AccessKey, Bucket, Endpoint, Region, S3Way, SecretKey } from '../storage/s3-way.js';

/** Name of a marketplace adapter (OpenNebula's MARKET_MAD). */
export const MarketKind = z.enum(['one', 'http', 's3']);
export type MarketKind = z.infer<typeof MarketKind>;

/** READY: is looked at, gives its apps, and takes new ones where its kind can. DISABLED: nothing is asked of it. */
export const MarketState = z.enum(['READY', 'DISABLED']);
export type MarketState = z.infer<typeof MarketState>;

const MarketWish = z.enum(['enabled', 'disabled']);

/** The one that is always there, as OpenNebula has it. Nothing is asked of it before it is enabled. */
export const publicMarketplace = { _id: 0, name: 'OpenNebula Public' } as const;

/** An address that others are made of, without slashes at its end. */
export function baseOf(address: string): string {
  let end = address.length;
  while (address[end - 1] === '/') end -= 1;
  return address.slice(0, end);
}

const Address = z
  .string()
  .max(limits.imageSource.most, atMost('imageSource'))
  .regex(
    /^https?:\/\/[^\s/@?#]{1,300}(\/[^\s?#]*)?$/,
    'must be an http or https address without a user, a password or a query',
  )
  .transform(baseOf);
const Directory = z
  .string()
  .max(limits.imageSource.most, atMost('imageSource'))
  .regex(/^\//, 'must be an absolute path')
  .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters');

/** Where an `http` marketplace is: what workers write, and where everybody reads it. */
const Http = z.strictObject({
  base_url: Address.describe('Where what is in the directory is read (BASE_URL)'),
  public_dir: Directory.describe(
    'Directory of the workers that a web server gives (PUBLIC_DIR), in one of ARCUS_MARKET_DIRS; it stays so',
  ),
});
const HttpEdit = z.strictObject({ base_url: Address });
const UpdateHttp = z.strictObject({ base_url: Address.optional() });
const HttpShown = z.object({ base_url: z.string(), public_dir: z.string() });

const TotalMb = z.int().min(1).max(limits.datastoreSize.most, atMost('datastoreSize'));
/** S3 takes no part below 5 MB but the last one; each lies in memory. */
const ReadLength = z.int().min(5).max(limits.marketPart.most, atMost('marketPart'));
/** `s3`, and `v2`, are what OpenNebula calls signature version 2. */
const SignatureVersion = z.enum(['s3', 'v2', 'v4']);

const S3Manner = {
  ...S3Way,
  total_mb: TotalMb.default(1_048_576).describe('MB that it is said to take: S3 says of no bucket how much that is'),
  read_length: ReadLength.default(32).describe('MB of the parts in which an app is sent'),
  signature_version: SignatureVersion.default('v4').describe(
    'Requests are signed by version 4, whatever this says; another one has a warning',
  ),
};
/** Where an `s3` marketplace is, and who Arcus is there. */
const S3 = z.strictObject({
  bucket: Bucket,
  ...S3Manner,
  secret_key: SecretKey.describe('Kept sealed, and never shown'),
});
const S3Edit = z.strictObject({ ...S3Manner, secret_key: SecretKey.optional() });
const UpdateS3 = z.strictObject({
  region: Region.optional(),
  endpoint: Endpoint.nullable().optional(),
  force_path_style: z.boolean().optional(),
  access_key: AccessKey.optional(),
  secret_key: SecretKey.optional().describe('Another one; it is kept sealed, and never shown'),
  total_mb: TotalMb.optional(),
  read_length: ReadLength.optional(),
  signature_version: SignatureVersion.optional(),
});
const S3Shown = z.object({
  bucket: z.string(),
  region: z.string(),
  endpoint: z.string().nullable(),
  force_path_style: z.boolean(),
  access_key: z.string(),
  total_mb: z.int(),
  read_length: z.int(),
  signature_version: SignatureVersion,
});
export type StoredMarketS3 = Omit<z.output<typeof S3>, 'secret_key'> & { secret_key: Sealed };

/** A catalogue in OpenNebula's form, which is read. */
const One = z.strictObject({
  endpoint: Address.nullable().default(null).describe('Of the catalogue; null: that of ARCUS_PUBLIC_MARKETPLACE'),
});
const UpdateOne = z.strictObject({ endpoint: Address.nullable().optional() });
const OneShown = z.object({ endpoint: z.string().nullable() });

export const CreateMarketplace = z.strictObject({
  name: ObjectName,
  description: Description.default(''),
  market_mad: MarketKind.describe('Which adapter drives it: one, http or s3; it stays so'),
  http: Http.optional().describe('Of market_mad http: where it is'),
  s3: S3.optional().describe('Of market_mad s3: where it is, and who Arcus is there'),
  one: One.optional().describe('Of market_mad one: where its catalogue is'),
});
export type CreateMarketplace = z.infer<typeof CreateMarketplace>;

/** What people can change of a marketplace, whole. */
export const MarketplaceEdit = z.strictObject({
  name: ObjectName,
  description: Description.default(''),
  state: MarketWish,
  http: HttpEdit.optional(),
  s3: S3Edit.optional(),
  one: One.optional(),
});
export type MarketplaceEdit = z.output<typeof MarketplaceEdit>;

/** A merge patch of that. */
export const UpdateMarketplace = z.strictObject({
  name: ObjectName.optional(),
  description: Description.nullable().optional(),
  state: MarketWish.optional().describe('Of a disabled one nothing is asked'),
  http: UpdateHttp.optional().describe('Of market_mad http; the directory stays'),
  s3: UpdateS3.optional().describe('Of market_mad s3; the bucket stays'),
  one: UpdateOne.optional().describe('Of market_mad one'),
});
export type UpdateMarketplace = z.infer<typeof UpdateMarketplace>;

/** MB, as a look found them. */
const Capacity = z.object({ total: z.int(), used: z.int(), free: z.int() });
export type MarketCapacity = z.infer<typeof Capacity>;

/** A marketplace as stored. What is in it, the apps say. */
export type Marketplace = Ownership & {
  _id: number;
  name: string;
  description: string;
  market_mad: MarketKind;
  state: MarketState;
  /** Of market_mad `http` alone. */
  http?: z.output<typeof Http>;
  /** Of market_mad `s3` alone. */
  s3?: StoredMarketS3;
  /** Of market_mad `one` alone. */
  one?: z.output<typeof One>;
  /** As the last look that was answered found it; null: none was, or it has none. */
  capacity: MarketCapacity | null;
  /** Why the last look was not answered; null: it was, or there was none. */
  error: string | null;
  monitored_at: Date | null;
  created_at: Date;
};

/** What lists of marketplaces can be filtered and sorted by. */
export const marketplaceFields = {
  ...namedFields,
  market_mad: { kind: MarketKind.options, path: 'market_mad' },
  state: { kind: MarketState.options, path: 'state' },
} as const satisfies ListFields;

export const MarketplaceResource = OwnershipResource.extend({
  id: ObjectId,
  name: z.string(),
  description: z.string(),
  market_mad: MarketKind,
  state: MarketState,
  http: HttpShown.nullable().describe('Of market_mad http: where it is; null: it is another'),
  s3: S3Shown.nullable().describe('Of market_mad s3: where it is; null: it is another'),
  one: OneShown.nullable().describe('Of market_mad one: where its catalogue is; null: it is another'),
  capacity: Capacity.nullable().describe('MB of what lies behind it; null: nobody has looked yet, or it has none'),
  warnings: z.array(z.string()).describe('What of it is not done as it says'),
  error: z.string().nullable().describe('Why the last look at it was not answered'),
  monitored_at: Timestamp.nullable(),
  created_at: Timestamp,
}).meta({ id: 'Marketplace' });
export type MarketplaceResource = z.infer<typeof MarketplaceResource>;
