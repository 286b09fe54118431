import { matchesGlob } from './glob.js';
import { printComparison } from './print.js';
import type { AttributeValue, Comparison, Rank, Requirement, Scalar } from './syntax.js';

/** The attribute of a host; undefined: it has none of that name. */
export type Lookup = (name: string) => AttributeValue | undefined;

/** null: not known, for an attribute is missing or is no number. Only true is fulfilled. */
export type Verdict = boolean | null;

/**
 * A comparison that decided. `text`: what it says, such as `CLUSTER_ID = 100 is false`, or that an attribute is missing;
 * `name`: what was asked for; `value`: what was found, or null where nothing was.
 */
export type Decider = { text: string; name: string; value: string | null };
export type Judgement = { verdict: Verdict; deciders: Decider[] };

/** Three-valued, as Kleene's: what is not known stays so, unless the rest decides without it. */
export function judge(requirement: Requirement, lookup: Lookup, isNegated = false): Judgement {
  switch (requirement.kind) {
    case 'compare':
      return judgeComparison(requirement, lookup, isNegated);
    case 'not': {
      const { verdict, deciders } = judge(requirement.of, lookup, !isNegated);
      return { verdict: verdict === null ? null : !verdict, deciders };
    }
    case 'and':
    case 'or': {
      const judgements = requirement.of.map((part) => judge(part, lookup, isNegated));
      // What settles a joint by itself: one false part of an `and`, one true part of an `or`.
      const settling = requirement.kind === 'or';
      const settled = judgements.find(({ verdict }) => verdict === settling);
      if (settled) return settled;
      const unknown = judgements.find(({ verdict }) => verdict === null);
      if (unknown && requirement.kind === 'and') return unknown;
      return {
        verdict: unknown ? null : !settling,
        deciders: judgements.flatMap(({ deciders }) => deciders),
      };
    }
  }
}

function judgeComparison(comparison: Comparison, lookup: Lookup, isNegated: boolean): Judgement {
  const found = lookup(comparison.name);
  const { name } = comparison;
  const text = isNegated ? `!(${printComparison(comparison)})` : printComparison(comparison);
  const first = firstOf(found);
  if (found === undefined || first === undefined)
    return { verdict: null, deciders: [{ text: `has no attribute ${name}`, name, value: null }] };
  const verdict = compare(comparison, found, first);
  const value = [found].flat().join(', ');
  if (verdict === null) return { verdict, deciders: [{ text: `${text} compares a number with a text`, name, value }] };
  return { verdict, deciders: [{ text: `${text} is ${verdict !== isNegated}`, name, value }] };
}

function compare({ op, value }: Comparison, found: AttributeValue, first: Scalar): Verdict {
  switch (op) {
    case '=':
      return isSame(value, first);
    case '!=': {
      const same = isSame(value, first);
      return same === null ? null : !same;
    }
    case '@>':
      return [found].flat().some((one) => isSame(value, one) === true);
    case '<':
    case '>': {
      const [left, right] = [numberOf(first), numberOf(value)];
      if (left === undefined || right === undefined) return null;
      return op === '<' ? left < right : left > right;
    }
  }
}

/** A number is compared with numbers, a text as a pattern with the text of what was found. */
function isSame(wish: Scalar, found: Scalar): Verdict {
  if (typeof wish === 'string') return matchesGlob(wish, String(found));
  const number = numberOf(found);
  return number === undefined ? null : number === wish;
}

/** A rank as a number: a missing attribute and one that is no number count 0, and so does a division by nothing. */
export function evaluateRank(rank: Rank, lookup: Lookup): number {
  switch (rank.kind) {
    case 'number':
      return rank.value;
    case 'name': {
      const found = firstOf(lookup(rank.name));
      return (found === undefined ? undefined : numberOf(found)) ?? 0;
    }
    case 'negate':
      return 0 - evaluateRank(rank.of, lookup);
    case 'arithmetic': {
      const result = calculate[rank.op](evaluateRank(rank.left, lookup), evaluateRank(rank.right, lookup));
      return Number.isFinite(result) ? result : 0;
    }
  }
}

const calculate = {
  '+': (left: number, right: number) => left + right,
  '-': (left: number, right: number) => left - right,
  '*': (left: number, right: number) => left * right,
  '/': (left: number, right: number) => left / right,
};

const firstOf = (found: AttributeValue | undefined): Scalar | undefined =>
  typeof found === 'string' || typeof found === 'number' ? found : found?.[0];

function numberOf(value: Scalar): number | undefined {
  if (typeof value === 'number') return value;
  return /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** Every attribute that an expression asks for. */
export function namesIn(expression: Requirement | Rank): string[] {
  switch (expression.kind) {
    case 'compare':
    case 'name':
      return [expression.name];
    case 'number':
      return [];
    case 'arithmetic':
      return [...namesIn(expression.left), ...namesIn(expression.right)];
    case 'not':
    case 'negate':
      return namesIn(expression.of);
    case 'and':
    case 'or':
      return expression.of.flatMap(namesIn);
  }
}
