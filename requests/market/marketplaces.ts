import { marketKeyOf } from '../../domain/market/market-secrets.js';
import { marketWarnings } from '../../domain/market/market-warnings.js';
import { Problem } from '../../domain/problems.js';
import { isPlainPath } from '../../domain/storage/safe-path.js';
import { listed } from '../../domain/words.js';
import { calledOf } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import {
  type CreateMarketplace,
  MarketKind,
  type Marketplace,
  type MarketplaceEdit,
  type MarketplaceResource,
  publicMarketplace,
  type StoredMarketS3,
} from '../../schemas/market/marketplace.js';
import type { OperationsContext } from '../context.js';
import { managed } from '../managed.js';
import { iso, isoOrNull, type Names, namesFor, ownership } from '../resources.js';

/** Marketplaces: where apps are found, and published. */
export const marketplaces = (context: OperationsContext) => {
  const { store, directory, sealer } = context;
  return managed(context, 'market', {
    ...store.marketplaces,
    async shown(caller, found): Promise<MarketplaceResource[]> {
      const names = await namesFor(directory, caller, found);
      return found.map((market) => marketplaceResource(market, names));
    },
    async make(_caller, { description, market_mad, http, s3, one }: CreateMarketplace) {
      refuseUnlikeKind({ market_mad, http, s3, one });
      return (base): Marketplace => ({
        ...base,
        ...{ description, market_mad, state: 'READY' },
        ...(http && { http }),
        ...(s3 && { s3: { ...s3, secret_key: sealer.seal(s3.secret_key, marketKeyOf(base._id)) } }),
        ...(market_mad === 'one' && { one: one ?? { endpoint: null } }),
        ...{ capacity: null, error: null, monitored_at: null },
      });
    },
    editable,
    async change(_caller, { name, description, state, ...wish }, present, transaction) {
      const { _id: id, market_mad } = present;
      for (const kind of MarketKind.options) if (wish[kind] && !present[kind]) throw notOfKind(kind, market_mad);
      const http = present.http && { ...present.http, ...wish.http };
      const { secret_key, ...way } = wish.s3 ?? {};
      const s3 = present.s3 && {
        ...{ ...present.s3, ...way },
        ...(secret_key !== undefined && { secret_key: sealer.seal(secret_key, marketKeyOf(id)) }),
      };
      const one = present.one && { ...present.one, ...wish.one };
      return store.marketplaces.change(
        id,
        {
          ...{ name, description, state: state === 'enabled' ? 'READY' : 'DISABLED' },
          ...{ ...(http && { http }), ...(s3 && { s3 }), ...(one && { one }) },
        },
        transaction,
      );
    },
    async remove(_caller, { _id: id, name, market_mad }, transaction) {
      if (id === publicMarketplace._id)
        throw new Problem('wrong_state', `Marketplace ${id} (${name}) is always there. Disable it instead.`);
      const used = market_mad === 'one' ? await store.apps.forgetCatalogue(id, transaction) : 0;
      if (used > 0)
        throw new Problem('in_use', `Something is being made of apps of marketplace ${id} (${name}): wait for that.`);
      // Whoever publishes an app in it writes the marketplace, which this transaction has done, too.
      const { count, first } = await store.apps.inMarket(id, mostNamed, transaction);
      if (count > 0) throw inUse(`Marketplace ${id} (${name})`, count, first);
      await store.marketplaces.remove(id, transaction);
    },
  });
};

/** How many apps a refusal names. */
const mostNamed = 10;

function inUse(market: string, count: number, first: readonly number[]): Problem {
  const more = count > first.length ? [`${count - first.length} more`] : [];
  const named = `${calledOf(count, kinds.app)} ${listed([...first.map(String), ...more])}`;
  return new Problem('in_use', `${market} has ${named}. Delete ${count === 1 ? 'it' : 'them'} first.`);
}

/** Each says where it is, as one of its kind, and nothing else. */
function refuseUnlikeKind({
  market_mad,
  ...places
}: Pick<CreateMarketplace, 'market_mad' | 'http' | 's3' | 'one'>): void {
  for (const kind of MarketKind.options) if (market_mad !== kind && places[kind]) throw notOfKind(kind, market_mad);
  if (market_mad !== 'one' && !places[market_mad])
    throw new Problem('invalid_request', `A marketplace of kind ${market_mad} says where it is.`, {
      findings: [{ pointer: `/${market_mad}`, detail: `is required of market_mad ${market_mad}` }],
    });
  if (places.http && !isPlainPath(places.http.public_dir))
    throw new Problem('invalid_request', 'The directory of a marketplace is an absolute path.', {
      findings: [{ pointer: '/http/public_dir', detail: 'must be absolute, without . and .. in it' }],
    });
}

const notOfKind = (kind: MarketKind, market_mad: MarketKind): Problem =>
  new Problem('invalid_request', `A marketplace of kind ${market_mad} is not of kind ${kind}.`, {
    findings: [{ pointer: `/${kind}`, detail: `is of market_mad ${kind}` }],
  });

/** What can be edited of a marketplace, as it is. A secret is not shown, and stays unless there is another. */
function editable({ name, description, state, http, s3, one }: Marketplace): MarketplaceEdit {
  return {
    ...{ name, description, state: state === 'READY' ? 'enabled' : 'disabled' },
    ...(http && { http: { base_url: http.base_url } }),
    ...(s3 && { s3: wayOf(s3) }),
    ...(one && { one }),
  };
}

const wayOf = ({ bucket: _stays, secret_key: _sealed, ...way }: StoredMarketS3) => way;

function marketplaceResource(market: Marketplace, names: Names): MarketplaceResource {
  const { _id: id, name, description, market_mad, state, http = null, s3, one = null, capacity, error } = market;
  return {
    ...{ id, name, ...ownership(market), ...names(market) },
    ...{ description, market_mad, state, http, s3: s3 ? { bucket: s3.bucket, ...wayOf(s3) } : null, one, capacity },
    ...{ warnings: marketWarnings(market), error },
    ...{ monitored_at: isoOrNull(market.monitored_at), created_at: iso(market.created_at) },
  };
}
