import { z } from 'zod';
import { atMost, limits } from '../common/limits.js';

// How a bucket is reached, of whatever is kept in it: images of a datastore, or apps of a marketplace.

const Text = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[!-~]+$/, 'must be ASCII without blanks');

export const Endpoint = z
  .string()
  .max(limits.imageSource.most, atMost('imageSource'))
  .regex(/^https?:\/\/[^\s/@]{1,300}\/?$/, 'must be an http or https address without a user or a path');
export const Region = z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be the name of a region, such as eu-central-1');
export const AccessKey = Text(128);
export const SecretKey = Text(512);
export const Prefix = z
  .string()
  .regex(/^([A-Za-z0-9._-]{1,64}\/){0,4}$/, 'must be names with a / behind each, such as arcus/images/');
export const Bucket = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket');

export const S3Way = {
  region: Region.default('us-east-1'),
  endpoint: Endpoint.nullable().default(null).describe('Of a server that is not Amazon’s; null: that of the region'),
  force_path_style: z.boolean().default(false).describe('The bucket stands in the path, not in the name of the server'),
  access_key: AccessKey,
};
