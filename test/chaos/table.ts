import Table from 'cli-table3';
import { type ChaosCase, nameOf } from './cases.js';
import type { Played } from './play-rounds.js';

/** What was done × work × runs × time to finish × violations, a line for each case. */
export function tableOf(cases: readonly ChaosCase[], played: readonly Played[]): string {
  const table = new Table({
    head: ['what was done', 'work', 'runs', 'median s', 'max s', 'violations'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const chaosCase of cases) {
    const { fault, work, moment } = chaosCase;
    const what = moment === undefined ? fault.name : `${fault.name}, ${moment.name}`;
    const own = played.filter(({ turn }) => nameOf(turn.chaosCase) === nameOf(chaosCase));
    const missing = own.find((each) => 'leftOut' in each);
    if (missing !== undefined && 'leftOut' in missing) {
      table.push([what, work.name, { colSpan: 4, content: 'left out' }]);
      continue;
    }
    const results = own.flatMap((each) => ('result' in each ? [each.result] : []));
    const times = results
      .flatMap(({ finishedAfter }) => (finishedAfter === null ? [] : [finishedAfter]))
      .sort((a, b) => a - b);
    const violations = results.filter(({ violations }) => violations.length > 0).length;
    table.push([what, work.name, results.length, seconds(median(times)), seconds(times.at(-1)), violations]);
  }
  return table.toString();
}

/** Runs in which anything was not as it should be. */
export const violationsOf = (played: readonly Played[]): number =>
  played.filter((each) => 'result' in each && each.result.violations.length > 0).length;

export const median = (sorted: readonly number[]): number | undefined => sorted[Math.floor(sorted.length / 2)];

const seconds = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? '–' : (milliseconds / 1000).toFixed(1);
