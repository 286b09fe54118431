import { diskFull, type Fault, jumps, kills, oneOfTwo, pauses } from './faults.js';
import { acceptedUnstarted, type Moment, moments, scalingMoments } from './moments.js';
import {
  deployLarge,
  deployMany,
  recreateSome,
  repairLarge,
  scaleBySchedule,
  scaleDown,
  scaleUp,
  undeployLarge,
  type Work,
} from './works.js';

/** One line of the table: a fault that is done to a work, so many times. */
export type ChaosCase = {
  fault: Fault;
  work: Work;
  /** When it is done; absent: at a random moment. */
  moment?: Moment;
  /** Runs in a full round. */
  runs: number;
};

/** What the line is called, and what `--only` looks into. */
export const nameOf = ({ fault, work, moment }: ChaosCase): string =>
  `${fault.name}${moment === undefined ? '' : `, ${moment.name}`}; ${work.name}`;

const works = [deployLarge, undeployLarge, deployMany];
const repairs = [repairLarge, recreateSome];
const scalings = [scaleUp, scaleDown, scaleBySchedule];

const atRandom = (faults: readonly Fault[], runs: number, of: readonly Work[] = works): ChaosCase[] =>
  faults.flatMap((fault) => of.map((work) => ({ fault, work, runs })));

const atMoments = (which: readonly Moment[], faults: readonly Fault[], runs: number): ChaosCase[] =>
  which.flatMap((moment) => faults.map((fault) => ({ fault, work: moment.work, moment, runs })));

export const cases: readonly ChaosCase[] = [
  ...atRandom(Object.values(kills), 6),
  ...atMoments(moments, [kills.worker, kills.api, kills.temporal, kills.mongodb], 3),
  ...atMoments([acceptedUnstarted], [kills.api, kills.mongodb], 3),
  ...atRandom([oneOfTwo, diskFull, ...Object.values(jumps)], 3),
  ...atRandom([pauses.worker, pauses.mongodb], 2),
  ...atRandom([pauses.temporal, pauses.temporalAway], 1),
  ...atRandom([...Object.values(kills), oneOfTwo], 3, repairs),
  ...atRandom([diskFull, jumps.node, jumps.mongodb, pauses.worker], 1, repairs),
  ...atMoments(scalingMoments, [kills.worker, kills.api, kills.temporal, kills.mongodb], 3),
  ...atRandom([kills.worker, kills.all, oneOfTwo], 3, scalings),
  ...atRandom([pauses.worker, pauses.mongodb], 1, scalings),
];
