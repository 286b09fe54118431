import { diskFull, jumps, oneOfTwo } from './faults.js';
import { shortRound } from './short-round.js';
import { deployLarge, deployMany, undeployLarge } from './works.js';

/** Each fault that takes a cluster of its own, once. */
shortRound([
  { fault: oneOfTwo, work: deployLarge, runs: 1 },
  { fault: diskFull, work: deployMany, runs: 1 },
  { fault: jumps.node, work: deployLarge, runs: 1 },
  { fault: jumps.mongodb, work: undeployLarge, runs: 1 },
]);
