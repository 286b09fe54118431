import { inject } from 'vitest';

/** In `npm test` every so-manieth of what is as good as alike, in `npm run test:long` all (CONTRIBUTING.md, Tests). */
export const someOf = <T>(all: readonly T[], every: number): T[] =>
  inject('inEveryWay') ? [...all] : all.filter((_, at) => at % every === 0);
