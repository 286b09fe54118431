import type { Cost } from './process-cost.js';
import type { Summary } from './summary.js';

/** A line of the table. `null`: there is no floor, or no goal, for this. */
export type Result = {
  work: string;
  runs: number;
  measured: string;
  floor: string | null;
  /** Median beside median, or whatever this line compares. */
  ratio: string | null;
  goal: string | null;
  met: boolean | null;
};

/** What a row of the bench gives: lines of the table, and sentences below it. `table`: one of its own, the head first. */
export type Measured = { results: Result[]; notes: string[]; table?: string[][] };

const milliseconds = (value: number): string => (value < 10 ? value.toFixed(1) : value.toFixed(0));

/** `min / median / max ms` */
export const range = ({ min, median, max }: Summary): string =>
  `${[min, median, max].map(milliseconds).join(' / ')} ms`;

export const times = (value: number): string => `${value.toFixed(2)} ×`;

/** What the processes used for each of `count` things, and how much of the machine others had meanwhile. */
export function costNote(what: string, { byProcess, others, seconds }: Cost, count: number, cores: number): string {
  const used = Object.entries(byProcess)
    .filter(([, spent]) => spent > 0)
    .map(([name, spent]) => `${name} ${milliseconds((spent * 1_000) / count)}`)
    .join(', ');
  const theirs = Math.round((others / (seconds * cores)) * 100);
  return `${what}, ms of CPU each: ${used}; others had ${theirs} % of the machine`;
}
