import { appliancesIn } from '../../../domain/market/appliances.js';
import { Problem } from '../../../domain/problems.js';
import { limits } from '../../../schemas/common/limits.js';
import { baseOf } from '../../../schemas/market/marketplace.js';
import type { Sources } from '../../storage/sources/port.js';
import type { MarketPlaces } from '../places.js';
import type { Market } from '../port.js';

const refused = async (): Promise<never> => {
  throw new Problem(
    'not_implemented',
    'A catalogue of others is read: nothing is published in it, nor removed from it.',
  );
};

/**
 * A catalogue in OpenNebula's form: `GET <endpoint>/appliance`. Who may be asked is for the rules of `sources` to say. `usual`: the address of those that
 * name none.
 */
export const oneMarket = (places: MarketPlaces, sources: Sources, usual: string): Market<'one'> => ({
  can: { publish: false, catalogue: true },
  // Whose it is does not say how much it has.
  capacity: async () => null,
  publish: refused,
  remove: refused,
  inventory: async () => [],
  async catalogue({ id }, signal) {
    const { one } = await places(id);
    if (!one) throw new Problem('not_found', `There is no marketplace ${id} of kind one.`);
    const endpoint = baseOf(one.endpoint ?? usual);
    const text = await textOf(sources, `${endpoint}/appliance`, signal);
    const found = appliancesIn(text, endpoint);
    if (found) return found;
    throw new Problem('backend_unavailable', `What marketplace ${id} answers is no catalogue of OpenNebula’s form.`);
  },
});

async function textOf(sources: Sources, url: string, signal: AbortSignal): Promise<string> {
  const source = await sources.open({ url }, { offset: 0, version: null }, signal);
  try {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of source.bytes) {
      bytes += chunk.length;
      if (bytes > limits.catalogueBytes.most)
        throw new Problem('backend_unavailable', `The catalogue has more than ${limits.catalogueBytes.most} bytes.`);
      // The next piece may be in the memory of this one.
      parts.push(Buffer.from(chunk));
    }
    return Buffer.concat(parts).toString('utf8');
  } finally {
    await source.close();
  }
}
