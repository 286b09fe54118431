import type { AppPart } from '../../schemas/market/app.js';
import type { Marketplace } from '../../schemas/market/marketplace.js';

type Placed = Pick<AppPart, 'key' | 'url'>;
type In = Pick<Marketplace, '_id' | 'http' | 's3'>;

/** Where the bytes of a part of an app are, for who fetches them: by its name there, wherever its marketplace is now; undefined: nowhere yet. */
export function addressOf(
  { key, url }: Placed,
  { _id: market, http, s3 }: In,
): { url: string } | { object: { market: number; key: string } } | undefined {
  if (url !== null) return { url };
  if (key === null) return undefined;
  if (s3) return { object: { market, key } };
  return http && { url: `${http.base_url}/${key}` };
}

/** The same for people, as OpenNebula has it (SOURCE). */
export function sourceOf(part: Placed, market: In): string | null {
  const address = addressOf(part, market);
  if (address === undefined) return null;
  return 'url' in address ? address.url : `s3://${market.s3?.bucket ?? ''}/${address.object.key}`;
}
