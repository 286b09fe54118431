import { Problem } from '../../../domain/problems.js';

/** What virsh's reader takes as a command to itself: it edits lines as a terminal would. */
const control = /[\p{Cc}\u2028\u2029]/u;

/**
 * A line for virsh's own shell, in which each of these words is one word, whatever is in it: virsh knows single quotes, within which nothing
 * has a meaning but the quote that ends them. Throws `invalid_request` where a word has a control character: a line break would begin
 * another command.
 */
export function lineOf(words: readonly string[]): string {
  const bad = words.find((word) => control.test(word));
  if (bad !== undefined)
    throw new Problem('invalid_request', `"${printable(bad)}" has characters that virsh cannot be told.`);
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

const printable = (word: string): string => word.replace(/[\p{Cc}\u2028\u2029]/gu, '?').slice(0, 60);
