import { describe, expect, inject, it } from 'vitest';
import { playMixed } from './mixed/play-mixed.js';

/** A minute of it; ten are `npm run chaos -- --mixed`. */
describe('clients that ask for everything of the same services and VMs, while everything is killed', () => {
  it('leaves every accepted operation ended, all in agreement, and nothing after all was deleted', {
    timeout: 600_000,
  }, async () => {
    const seed = Number(process.env.ARCUS_CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
    const seconds = Number(process.env.ARCUS_MIXED_SECONDS ?? 60);
    console.error(`ARCUS_CHAOS_SEED=${seed}`);
    const violations = await playMixed({
      seed,
      seconds,
      clients: 4,
      binaries: { mongod: inject('mongodPath'), temporal: inject('temporalPath') },
      say: console.error,
    });
    expect(violations).toEqual([]);
  });
});
