import { brief } from '../brief.js';
import type { Said } from './evaluate-policy.js';

/** What a policy has said, and when. `operation`: what has come of it. */
export type SaidAt = Said & { at: Date; operation?: string };

/** The newest is last; of what a policy says again and again the first is kept. */
const mostEntries = 20;
/** Characters of an expression with what was found. */
const longestFound = 400;

/** With what is said now, unless it is what was said last; of seconds alone it is the same. */
export function logged(log: readonly SaidAt[], said: Said, at: Date): { log: SaidAt[]; last: SaidAt } {
  const last: SaidAt = {
    ...said,
    at,
    why: brief(said.why, longestFound),
    found: said.found && brief(said.found, longestFound),
  };
  const before = log.at(-1);
  const isSame = before && before.verdict === said.verdict && timeless(before.why) === timeless(last.why);
  return { last, log: isSame && said.verdict !== 'scales' ? [...log] : [...log, last].slice(-mostEntries) };
}

const timeless = (why: string): string => why.replaceAll(/\b\d{1,12} s\b/g, '');
