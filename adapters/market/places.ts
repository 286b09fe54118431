import { marketKeyOf } from '../../domain/market/market-secrets.js';
import type { SealedPlace } from '../../domain/sealed.js';
import type { Sealed } from '../../schemas/common/sealed.js';
import type { Marketplace, StoredMarketS3 } from '../../schemas/market/marketplace.js';

type Places = Pick<Marketplace, 'http' | 'one'> & { s3?: Omit<StoredMarketS3, 'secret_key'> & { secret_key: string } };

/** Where each marketplace is, by its id, and who asks there. What was changed of one counts from the next call on. */
export type MarketPlaces = (marketplace: number) => Promise<Places>;

/** As they are written down; secrets are opened for this alone. */
export const marketPlaces =
  (
    find: (id: number) => Promise<Pick<Marketplace, 'http' | 's3' | 'one'> | null>,
    open: (sealed: Sealed, place: SealedPlace) => string,
  ): MarketPlaces =>
  async (id) => {
    const { http, s3, one } = (await find(id)) ?? {};
    return {
      ...(http && { http }),
      ...(s3 && { s3: { ...s3, secret_key: open(s3.secret_key, marketKeyOf(id)) } }),
      ...(one && { one }),
    };
  };
