import type { Settles } from '../operations/ending.js';
import type { Flushes } from './flushes.js';

/** How each kind of operation on a host ends there. */
export const hostEndings = (flushes: Flushes): Settles<'host'> => ({
  flushHost: async ({ _id, resource }, outcome, transaction) => {
    await flushes.end(resource.id, _id, transaction);
    return { outcome, releasing: null };
  },
});
