import { mixedRound } from './mixed/mixed-round.js';

/** Twenty seconds of it; a minute is mixed-minute.test.ts, ten are `npm run chaos -- --mixed`. */
mixedRound(20);
