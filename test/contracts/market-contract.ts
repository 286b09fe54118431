import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppBytes, Market, MarketTarget, StoredApp } from '../../adapters/market/port.js';
import type { SourceAddress, Sources } from '../../adapters/storage/sources/port.js';
import { appKey } from '../../domain/market/app-key.js';
import { problemOf } from '../../domain/problems.js';
import { noise } from '../support/disks.js';

export type MarketWorld = {
  market: Market;
  /** A marketplace in which nothing has been published yet. */
  target: MarketTarget;
  /** Where the bytes of an app are, for those who make images of it. */
  address: (app: StoredApp) => SourceAddress;
  sources: Sources;
  close: () => Promise<void> | void;
};

const mebi = 2 ** 20;
const signal = () => AbortSignal.timeout(60_000);
const quiet = (): void => {};
const nobodyElse = async (): Promise<void> => {};

/** Bytes as they are read of an image, in pieces that are good until the next is asked for. `breakAt`: it breaks off there. */
export function given(
  bytes: Buffer,
  { breakAt, end = bytes.length }: { breakAt?: number; end?: number } = {},
): AppBytes {
  return {
    total: bytes.length,
    async *read(offset) {
      const piece = Buffer.alloc(256 * 1024);
      for (let at = offset; at < end; at += piece.length) {
        if (breakAt !== undefined && at >= breakAt) throw new Error('the line is cut');
        const has = bytes.copy(piece, 0, at, Math.min(end, at + piece.length));
        yield piece.subarray(0, has);
      }
    },
  };
}

const sumsOf = (bytes: Buffer) => ({
  bytes: bytes.length,
  md5: createHash('md5').update(bytes).digest('hex'),
  sha256: createHash('sha256').update(bytes).digest('hex'),
});

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => problemOf(error)?.code ?? String(error),
  );

/** What every marketplace does in which apps are published. */
export function marketContract(name: string, open: () => Promise<MarketWorld>): void {
  describe(`apps in a marketplace of kind ${name}`, () => {
    let world: MarketWorld;
    let last = 0;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(() => world?.close());

    function newApp(): StoredApp {
      last += 1;
      const key = appKey(last, createHash('md5').update(`${name} ${last}`).digest('hex'));
      return { id: last, key, market: world.target };
    }
    const publish = (app: StoredApp, from: AppBytes, guard = nobodyElse, until = signal()) =>
      world.market.publish(app, from, guard, quiet, until);
    async function readBack(app: StoredApp, offset = 0, version: string | null = null) {
      const source = await world.sources.open(world.address(app), { offset, version }, signal());
      const parts: Buffer[] = [];
      for await (const chunk of source.bytes) parts.push(Buffer.from(chunk));
      await source.close();
      return { ...source, content: Buffer.concat(parts) };
    }
    const inventory = async (app: StoredApp) =>
      (await world.market.inventory(world.target, signal())).filter(({ key }) => key === app.key);

    it('are published whole, with what they sum up to, and read back from any place', async () => {
      const app = newApp();
      const bytes = noise(17 * mebi + 5);
      expect(await publish(app, given(bytes))).toEqual(sumsOf(bytes));
      const read = await readBack(app);
      expect(read.total).toBe(bytes.length);
      expect(read.content.equals(bytes)).toBe(true);
      const rest = await readBack(app, 9 * mebi, read.version);
      expect([rest.offset, rest.content.equals(bytes.subarray(9 * mebi))]).toEqual([9 * mebi, true]);
      expect(await inventory(app)).toEqual([{ key: app.key, bytes: bytes.length, whole: true }]);
    });

    it('are smaller than a part, too', async () => {
      const app = newApp();
      const bytes = noise(3);
      expect(await publish(app, given(bytes))).toEqual(sumsOf(bytes));
      expect((await readBack(app)).content.equals(bytes)).toBe(true);
    });

    it('are the same when they are published again, and by two at once', async () => {
      const app = newApp();
      const bytes = noise(12 * mebi);
      const both = await Promise.allSettled([publish(app, given(bytes)), publish(app, given(bytes))]);
      expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
      expect(await publish(app, given(bytes))).toEqual(sumsOf(bytes));
      expect((await readBack(app)).content.equals(bytes)).toBe(true);
      expect(await inventory(app)).toEqual([{ key: app.key, bytes: bytes.length, whole: true }]);
    });

    it('are gone on with where a try broke off, and nothing is seen of them before they are whole', async () => {
      const app = newApp();
      const bytes = noise(24 * mebi);
      expect(await failure(publish(app, given(bytes, { breakAt: 14 * mebi })))).toMatch(/cut/);
      expect((await inventory(app)).map(({ whole }) => whole)).toEqual([false]);
      expect(await failure(readBack(app))).toBe('source_refused');
      let begun = 0;
      const counted = async (): Promise<void> => {
        begun += 1;
      };
      expect(await publish(app, given(bytes), counted)).toEqual(sumsOf(bytes));
      // Of five parts two were there: the guard is asked for what is new.
      if (name === 's3') expect(begun).toBeLessThanOrEqual(3 + 3);
      expect((await readBack(app)).content.equals(bytes)).toBe(true);
      expect((await inventory(app)).map(({ whole }) => whole)).toEqual([true]);
    });

    it('are not published when fewer bytes come than there were said to be', async () => {
      const app = newApp();
      const bytes = noise(8 * mebi);
      expect(await failure(publish(app, given(bytes, { end: 7 * mebi })))).toBe('backend_unavailable');
      expect((await inventory(app)).filter(({ whole }) => whole)).toEqual([]);
      await world.market.remove(app, signal());
      expect(await inventory(app)).toEqual([]);
    });

    it('are let alone by who finds that somebody else has them', async () => {
      const app = newApp();
      const bytes = noise(20 * mebi);
      let asked = 0;
      const guard = async (): Promise<void> => {
        asked += 1;
        if (asked > 3) throw new Error('somebody else has it');
      };
      const outcome = await failure(publish(app, given(bytes), guard));
      if (outcome !== undefined) expect(outcome).toMatch(/somebody else/);
      await world.market.remove(app, signal());
      expect(await inventory(app)).toEqual([]);
      expect(await failure(readBack(app))).toBe('source_refused');
    });

    it('are removed, whole or begun, and once more', async () => {
      const [whole, begun] = [newApp(), newApp()];
      const bytes = noise(12 * mebi);
      await publish(whole, given(bytes));
      await failure(publish(begun, given(bytes, { breakAt: 7 * mebi })));
      for (const app of [whole, begun, whole, newApp()]) await world.market.remove(app, signal());
      expect([...(await inventory(whole)), ...(await inventory(begun))]).toEqual([]);
    });

    it('stop when they are told to', async () => {
      const app = newApp();
      const ended = new AbortController();
      const stop = async (): Promise<void> => ended.abort(new Error('told to stop'));
      expect(await failure(publish(app, given(noise(8 * mebi)), stop, ended.signal))).toMatch(/told to stop/);
      await world.market.remove(app, signal());
    });

    it('take room that is told of', async () => {
      const capacity = await world.market.capacity(world.target, signal());
      expect(capacity?.total).toBeGreaterThan(0);
      expect(capacity?.used).toBeGreaterThan(0);
      expect(capacity?.free).toBeLessThan(capacity?.total ?? 0);
    });

    it('are no catalogue', async () => {
      expect(world.market.can.catalogue).toBe(false);
      expect(await failure(world.market.catalogue(world.target, signal()))).toBe('not_implemented');
    });
  });
}
