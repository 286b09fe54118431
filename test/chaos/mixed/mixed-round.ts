import { describe, expect, inject, it } from 'vitest';
import { playMixed } from './play-mixed.js';

/** A test of a round of so many seconds, with dice of its own each time it is run. */
export function mixedRound(seconds: number): void {
  describe('clients that ask for everything of the same services and VMs, while everything is killed', () => {
    it('leaves every accepted operation ended, all in agreement, and nothing after all was deleted', async () => {
      const seed = Number(process.env.ARCUS_CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
      console.error(`ARCUS_CHAOS_SEED=${seed}`);
      const violations = await playMixed({
        seed,
        seconds: Number(process.env.ARCUS_MIXED_SECONDS ?? seconds),
        clients: 4,
        binaries: { mongod: inject('mongodPath'), temporal: inject('temporalPath') },
        say: console.error,
      });
      expect(violations).toEqual([]);
    });
  });
}
