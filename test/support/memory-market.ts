import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Market, Markets, PublishedApp } from '../../adapters/market/port.js';
import type { CatalogueApp } from '../../domain/market/appliances.js';
import { Problem } from '../../domain/problems.js';

const mebi = 2 ** 20;

/** Marketplaces in memory, which count bytes and keep none; and a catalogue that is what a test says. */
export class MemoryMarket {
  /** Whole apps, and those that have begun to arrive, by their keys, in bytes. */
  readonly kept = new Map<string, number>();
  readonly begun = new Map<string, number>();
  catalogue: CatalogueApp[] = [];
  pieceMilliseconds = 0;
  /** Before each call; throws what it is to fail with. */
  beforeEach: (
    call: 'capacity' | 'publish' | 'remove' | 'inventory' | 'catalogue',
    app: number | null,
  ) => Promise<void> = async () => {};

  readonly #market: Market = {
    can: { publish: true, catalogue: true },
    capacity: async () => {
      await this.beforeEach('capacity', null);
      return { total: 1_000 * mebi, used: 10 * mebi, free: 990 * mebi };
    },
    publish: async ({ id, key }, from, guard, onProgress, signal): Promise<PublishedApp> => {
      await this.beforeEach('publish', id);
      const [md5, sha256] = [createHash('md5'), createHash('sha256')];
      let bytes = 0;
      await guard();
      for await (const chunk of from.read(0, signal)) {
        await sleep(this.pieceMilliseconds, undefined, { signal });
        await guard();
        for (const sum of [md5, sha256]) sum.update(chunk);
        bytes += chunk.length;
        if (!this.kept.has(key)) this.begun.set(key, bytes);
        onProgress({ phase: 'copy', done: bytes, total: from.total });
      }
      if (bytes !== from.total) throw new Problem('backend_unavailable', 'It was not read as long as it is.');
      this.begun.delete(key);
      this.kept.set(key, bytes);
      return { bytes, md5: md5.digest('hex'), sha256: sha256.digest('hex') };
    },
    remove: async ({ id, key }) => {
      await this.beforeEach('remove', id);
      this.kept.delete(key);
      this.begun.delete(key);
    },
    inventory: async () => {
      const found = [
        ...[...this.kept].map(([key, bytes]) => ({ key, bytes, whole: true })),
        ...[...this.begun].map(([key, bytes]) => ({ key, bytes, whole: false })),
      ];
      await this.beforeEach('inventory', null);
      return found;
    },
    catalogue: async () => {
      await this.beforeEach('catalogue', null);
      return { apps: this.catalogue, unread: 0 };
    },
  };

  readonly markets: Markets = {
    of: ({ market_mad: kind }) => ({
      ...this.#market,
      can: { publish: kind !== 'one', catalogue: kind === 'one' },
    }),
  };
}
