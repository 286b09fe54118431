import { limits } from '../../schemas/common/limits.js';
import { parse, SyntaxError as Unreadable } from './grammar.js';
import { printRequirement } from './print.js';
import type { Chain, Rank, Requirement, Term } from './syntax.js';

/** Where an expression cannot be read; line and column count from 1. */
export type Fault = { line: number; column: number; detail: string };
export type Parsed<T> = { ok: true; value: T } | { ok: false; fault: Fault };

/** Characters of an expression, and brackets and `!` inside each other: far beyond what people write. */
const mostCharacters = limits.expression.most;
const mostLevels = 32;

/** Reads a requirement; `&` binds tighter than `|`. The empty text is met by every host. */
export function parseRequirement(text: string): Parsed<Requirement> {
  const parsed = chainOf(text);
  return parsed.ok ? { ok: true, value: byPrecedence(parsed.value) } : parsed;
}

/** Reads a rank; the empty text counts 0 for every host. */
export const parseRank = (text: string): Parsed<Rank> =>
  guarded(text, () => parse(text, { startRule: 'Rank' }) ?? { kind: 'number', value: 0 });

/** How an expression is read here and how OpenNebula reads it, where that is not the same; else null. */
export function twoReadings(text: string): { here: string; openNebula: string } | null {
  const parsed = chainOf(text);
  if (!parsed.ok || parsed.value === null) return null;
  const here = printRequirement(flat(byPrecedence(parsed.value)));
  const openNebula = printRequirement(flat(fromLeft(parsed.value)));
  return here === openNebula ? null : { here, openNebula };
}

const chainOf = (text: string): Parsed<Chain | null> => guarded(text, () => parse(text, { startRule: 'Requirement' }));

function guarded<T>(text: string, read: () => T): Parsed<T> {
  if (text.length > mostCharacters) return faultAt(text, mostCharacters, `is longer than ${mostCharacters} characters`);
  const deep = tooDeep(text);
  if (deep !== undefined) return faultAt(text, deep, `has more than ${mostLevels} levels of brackets and signs`);
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const { line, column } = error.location.start;
    const detail = error.message.slice(0, 1).toLowerCase() + error.message.slice(1).replace(/\.$/, '');
    return { ok: false, fault: { line, column, detail } };
  }
}

function faultAt(text: string, offset: number, detail: string): { ok: false; fault: Fault } {
  const before = text.slice(0, offset).split('\n');
  return { ok: false, fault: { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, detail } };
}

/** Where brackets or signs lie deeper than is taken: the parser goes one call deeper for each. */
function tooDeep(text: string): number | undefined {
  let [levels, signs, quoted] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '(') levels++;
    else if (character === ')') levels--;
    signs = character === '!' || character === '-' ? signs + 1 : /[\s(]/.test(character) ? signs : 0;
    if (levels + signs > mostLevels) return at;
  }
  return undefined;
}

function byPrecedence(chain: Chain | null): Requirement {
  if (chain === null) return { kind: 'and', of: [] };
  const alternatives: Term[][] = [[chain.first]];
  for (const { op, term } of chain.rest) {
    if (op === '|') alternatives.push([term]);
    else alternatives.at(-1)?.push(term);
  }
  return joint(
    'or',
    alternatives.map((terms) =>
      joint(
        'and',
        terms.map((term) => requirementOf(term, byPrecedence)),
      ),
    ),
  );
}

/** As OpenNebula's parser does: & and | have one precedence, and the left one comes first. */
const fromLeft = ({ first, rest }: Chain): Requirement =>
  rest.reduce<Requirement>(
    (left, { op, term }) => ({ kind: op === '&' ? 'and' : 'or', of: [left, requirementOf(term, fromLeft)] }),
    requirementOf(first, fromLeft),
  );

function requirementOf(term: Term, read: (chain: Chain) => Requirement): Requirement {
  switch (term.kind) {
    case 'compare':
      return term;
    case 'not':
      return { kind: 'not', of: requirementOf(term.of, read) };
    case 'group':
      return read(term.chain);
  }
}

/** `A & (B & C)` as `A & B & C`: what is the same however it is grouped. */
function flat(requirement: Requirement): Requirement {
  if (requirement.kind === 'compare') return requirement;
  if (requirement.kind === 'not') return { kind: 'not', of: flat(requirement.of) };
  const { kind } = requirement;
  return {
    kind,
    of: requirement.of.map(flat).flatMap((part) => (part.kind === kind ? part.of : [part])),
  };
}

const joint = (kind: 'and' | 'or', parts: Requirement[]): Requirement => {
  const [only, ...more] = parts;
  return only !== undefined && more.length === 0 ? only : { kind, of: parts };
};
