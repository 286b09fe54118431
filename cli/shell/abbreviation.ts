import type { Command } from 'commander';
import { Complaint } from './complaint.js';

/** What was meant by a word: the name itself, the one that begins with it, or several. */
type Meaning = { name: string } | { candidates: readonly string[] };

/**
 * The name that a word means. An abbreviation means the one name that begins with it; of `service` and
 * `service-template`, the one that all others go on from.
 */
export function meaningOf(word: string, names: readonly string[]): Meaning {
  if (names.includes(word)) return { name: word };
  const candidates = names.filter((name) => word !== '' && name.startsWith(word));
  const root = candidates.find((name) => candidates.every((other) => other === name || other.startsWith(`${name}-`)));
  return root === undefined ? { candidates } : { name: root };
}

/**
 * The same words with the commands among them written out: `serv li` is `service list`. What means nothing stays, for the
 * parser to refuse. Throws a Complaint that lists what an ambiguous word could mean.
 */
export function writtenOut(program: Command, words: readonly string[]): string[] {
  const result = [...words];
  let at: Command = program;
  for (let index = 0; index < result.length && at.commands.length > 0; index++) {
    const word = result[index] ?? '';
    if (word === '--') break;
    if (word.startsWith('-')) {
      if (takesNextWord(program, word)) index++;
      continue;
    }
    const names = at.commands.map((command) => command.name());
    const meaning = meaningOf(word, word === 'help' ? [...names, 'help'] : names);
    const known = 'name' in meaning ? at.commands.find((command) => command.name() === meaning.name) : undefined;
    if ('candidates' in meaning && meaning.candidates.length > 1) throw ambiguous(at, word, meaning.candidates);
    if (!known) break;
    result[index] = known.name();
    at = known;
  }
  return result;
}

/** Options that come before a command are the program's own. */
function takesNextWord(program: Command, word: string): boolean {
  const option = program.options.find(({ short, long }) => word === short || word === long);
  return option?.required === true;
}

function ambiguous(at: Command, word: string, candidates: readonly string[]): Complaint {
  const path = at.parent ? `arcus ${at.name()} ` : 'arcus ';
  return new Complaint('usage', `${JSON.stringify(word)} can mean more than one command.`, {
    findings: candidates.map((name) => ({ pointer: '', detail: `${path}${name}` })),
    next: 'Write more of it.',
  });
}
