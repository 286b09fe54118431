import { isAppKey } from '../../../domain/market/app-key.js';
import { Problem } from '../../../domain/problems.js';
import { mebi } from '../../../schemas/common/mebi.js';
import { isBehind, isMissing, isThere, s3Fault } from '../../storage/s3/fault.js';
import type { OpenObject, SourceBytes, SourceOffset } from '../../storage/sources/port.js';
import { noCatalogue } from '../no-catalogue.js';
import type { MarketPlaces } from '../places.js';
import type { Market, MarketTarget } from '../port.js';
import { type Objects, openObjects } from './objects.js';

/** What all names of apps begin with. */
const prefix = 'marketapp-';

/** Apps in buckets. */
export function s3Market(places: MarketPlaces): Market<'s3'> & { open: OpenObject } {
  const opened = new Map<number, { said: string; objects: Promise<Objects> }>();

  /** The bucket of a marketplace, opened once, and anew when it is reached otherwise. */
  async function placeOf(id: number): Promise<{ objects: Objects; total: number }> {
    const { s3 } = await places(id);
    if (!s3) throw new Problem('not_found', `There is no marketplace ${id} of kind s3.`);
    const said = JSON.stringify(s3);
    let there = opened.get(id);
    if (there?.said !== said) {
      there = { said, objects: openObjects(s3) };
      opened.set(id, there);
    }
    return { objects: await there.objects, total: s3.total_mb * mebi };
  }
  const inBucket = async <T>(
    { id }: Pick<MarketTarget, 'id'>,
    signal: AbortSignal,
    call: (objects: Objects, total: number) => Promise<T>,
  ): Promise<T> => {
    try {
      signal.throwIfAborted();
      const { objects, total } = await placeOf(id);
      return await call(objects, total);
    } catch (error) {
      throw s3Fault(error, signal, `Marketplace ${id}`);
    }
  };

  return {
    can: { publish: true, catalogue: false },
    capacity: (market, signal) =>
      inBucket(market, signal, async (objects, total) => {
        const used = (await objects.inventory('', signal)).reduce((sum, { bytes }) => sum + bytes, 0);
        return { total, used, free: Math.max(0, total - used) };
      }),
    publish: ({ key, market }, from, guard, onProgress, signal) =>
      inBucket(market, signal, (objects) => objects.publish(key, from, guard, onProgress, signal)),
    remove: ({ key, market }, signal) => inBucket(market, signal, (objects) => objects.remove(key, signal)),
    inventory: (market, signal) =>
      inBucket(market, signal, async (objects) =>
        (await objects.inventory(prefix, signal)).filter(({ key }) => isAppKey(key)),
      ),
    ...noCatalogue,
    open: ({ market, key }, from, signal) =>
      inBucket({ id: market }, signal, async (objects) => {
        try {
          return await objectFrom(objects, market, key, from, signal);
        } catch (error) {
          if (isMissing(error)) throw new Problem('source_refused', `Marketplace ${market} has no such app any more.`);
          // It is another one than before, and is begun anew.
          if (isThere(error)) return objectFrom(objects, market, key, { offset: 0, version: null }, signal);
          if (isBehind(error))
            return { ...from, total: from.offset, bytes: none(), close: async () => {} } satisfies SourceBytes;
          throw error;
        }
      }),
  };
}

async function* none(): AsyncGenerator<Uint8Array> {}

async function objectFrom(
  objects: Objects,
  market: number,
  key: string,
  from: SourceOffset,
  signal: AbortSignal,
): Promise<SourceBytes> {
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const { Body, ContentLength, ContentRange, ETag = null } = await objects.get(key, from, both);
  const offset = ContentRange === undefined ? 0 : from.offset;
  if (ContentLength === undefined)
    throw new Problem('backend_unavailable', `Marketplace ${market}: S3 does not say how long the app is.`);
  const total = offset + ContentLength;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    let at = offset;
    try {
      if (Body && Symbol.asyncIterator in Body)
        for await (const chunk of Body)
          if (chunk instanceof Uint8Array) {
            at += chunk.length;
            yield chunk;
          }
    } catch (error) {
      throw s3Fault(error, signal, `Marketplace ${market}`);
    }
    if (at !== total)
      throw new Problem('backend_unavailable', `Marketplace ${market}: S3 ended before what it had promised.`);
  }
  return { offset, total, version: ETag, bytes: bytes(), close: async () => ended.abort() };
}
