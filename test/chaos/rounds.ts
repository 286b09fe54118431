import { chance } from '../../simulator/chance.js';
import { type ChaosCase, nameOf } from './cases.js';
import type { Dice, Fault } from './faults.js';

/** The nth run of a case. Its dice depend on the seed, the case and that number alone: one run can be repeated by itself. */
export type Turn = { chaosCase: ChaosCase; nth: number; dice: Dice };

/** Turns that one cluster takes, one after the other. */
export type Round = { on: Fault['on']; turns: Turn[] };

/** Turns of a cluster at most: documents of earlier runs make each look at all of them slower. */
const turnsPerCluster = 15;

/** Turns for about `runs` runs in the proportions of the cases (each once at least), mixed, and in rounds. */
export function roundsOf(cases: readonly ChaosCase[], seed: number, runs: number | undefined): Round[] {
  const inFull = cases.reduce((sum, chaosCase) => sum + chaosCase.runs, 0);
  const share = (runs ?? inFull) / inFull;
  const turns = cases.flatMap((chaosCase) =>
    Array.from({ length: Math.max(1, Math.round(chaosCase.runs * share)) }, (_, nth) => turn(chaosCase, seed, nth)),
  );
  const mixed = turns
    .map((each) => ({ each, at: chance(seed, nameOf(each.chaosCase), each.nth) }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);
  const rounds: Round[] = [];
  for (const on of new Set(mixed.map(({ chaosCase }) => chaosCase.fault.on))) {
    const ofShape = mixed.filter(({ chaosCase }) => chaosCase.fault.on === on);
    for (let at = 0; at < ofShape.length; at += turnsPerCluster)
      rounds.push({ on, turns: ofShape.slice(at, at + turnsPerCluster) });
  }
  return rounds;
}

function turn(chaosCase: ChaosCase, seed: number, nth: number): Turn {
  let thrown = 0;
  return { chaosCase, nth, dice: () => chance(seed, nameOf(chaosCase), nth, thrown++) };
}
