import { kills } from './faults.js';
import { acceptedUnstarted } from './moments.js';
import { shortRound } from './short-round.js';
import { deployLarge, deployMany, recreateSome, repairLarge, undeployLarge } from './works.js';

/** Each process killed alone, and what short.test.ts leaves out of the works. */
shortRound([
  { fault: kills.worker, work: deployLarge, runs: 1 },
  { fault: kills.worker, work: repairLarge, runs: 1 },
  { fault: kills.api, work: deployLarge, moment: acceptedUnstarted, runs: 1 },
  { fault: kills.all, work: recreateSome, runs: 1 },
  { fault: kills.api, work: deployMany, runs: 1 },
  { fault: kills.mongodb, work: deployLarge, runs: 1 },
  { fault: kills.simulator, work: undeployLarge, runs: 1 },
]);
