import { kills } from './faults.js';
import { halfMade } from './moments.js';
import { shortRound } from './short-round.js';
import { deployLarge, scaleUp, undeployLarge } from './works.js';

/**
 * Each work of a service with a kill in the middle of it, every process among those killed. The kills that are left are
 * short-of-kills.test.ts; `npm run chaos` does all that can go wrong to all works, many times.
 */
shortRound([
  { fault: kills.all, work: deployLarge, runs: 1 },
  { fault: kills.temporal, work: undeployLarge, runs: 1 },
  { fault: kills.all, work: scaleUp, moment: halfMade, runs: 1 },
]);
