import { limits } from '../../schemas/common/limits.js';
import type { Fault, Parsed } from './parse.js';
import { printCondition } from './policy-print.js';
import {
  aggregates,
  type Condition,
  type Measure,
  type Operand,
  type PolicyChain,
  type PolicyTerm,
} from './policy-syntax.js';
import { type Token, tokensOf } from './policy-tokens.js';

const mostCharacters = limits.expression.most;
/** Brackets and `!` inside each other: the parser goes one call deeper for each. */
const mostLevels = 32;

/** Reads the expression of an elasticity policy: `!` binds tighter than `&`, and that tighter than `|`. */
export function parseCondition(text: string): Parsed<Condition> {
  const parsed = chainOf(text);
  return parsed.ok ? { ok: true, value: byPrecedence(parsed.value) } : parsed;
}

/** What a policy that tracks a target keeps: `CPU = 60`. */
export type Target = { measure: Measure; value: number };

/** Reads a target: one measure that every VM has a share of, and the positive number that it is to be. */
export function parseTarget(text: string): Parsed<Target> {
  const parsed = chainOf(text);
  if (!parsed.ok) return parsed;
  const { first, rest } = parsed.value;
  const wrong = (detail: string): { ok: false; fault: Fault } => ({ ok: false, fault: { line: 1, column: 1, detail } });
  if (rest.length > 0 || first.kind !== 'compare' || first.op !== '=')
    return wrong('must be an attribute, = and a number, such as CPU = 60');
  const { left, right } = first;
  if (left.kind !== 'measure' || right.kind !== 'number')
    return wrong('must be an attribute, = and a number, such as CPU = 60');
  if (left.aggregate === 'sum')
    return wrong(`sum(${left.name}) does not change with the number of VMs; ${left.name} alone is what each has of it`);
  return right.value > 0
    ? { ok: true, value: { measure: left, value: right.value } }
    : wrong('must be a number above 0');
}

/** How an expression is read here, and how OneFlow reads it, where that is not the same; else null. */
export function readingsOf(text: string): { here: string; oneFlow: string } | null {
  const parsed = chainOf(text);
  if (!parsed.ok) return null;
  const here = printCondition(flat(byPrecedence(parsed.value)));
  const oneFlow = printCondition(flat(fromRight(parsed.value)));
  return here === oneFlow ? null : { here, oneFlow };
}

class Unreadable extends Error {
  constructor(
    readonly at: number,
    readonly detail: string,
  ) {
    super(detail);
  }
}

function chainOf(text: string): Parsed<PolicyChain> {
  try {
    if (text.length > mostCharacters)
      throw new Unreadable(mostCharacters, `is longer than ${mostCharacters} characters`);
    return { ok: true, value: new Reader(tokensOf(text)).whole() };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const before = text.slice(0, error.at).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    return { ok: false, fault: { line: before.length, column, detail: error.detail } };
  }
}

/** Goes from token to token and never back. */
class Reader {
  #next = 0;
  #level = 0;
  constructor(private readonly tokens: readonly Token[]) {}

  whole(): PolicyChain {
    const chain = this.#chain();
    this.#take('end', '&, | or the end');
    return chain;
  }

  #chain(): PolicyChain {
    const first = this.#term();
    const rest: PolicyChain['rest'] = [];
    for (let token = this.#token(); token.kind === 'joint'; token = this.#token()) {
      this.#next++;
      rest.push({ op: token.op, term: this.#term() });
    }
    return { first, rest };
  }

  #term(): PolicyTerm {
    const token = this.#token();
    if (token.kind !== '!' && token.kind !== '(') return this.#comparison();
    if (++this.#level > mostLevels)
      throw new Unreadable(token.at, `has more than ${mostLevels} levels of brackets and !`);
    this.#next++;
    const term: PolicyTerm =
      token.kind === '!' ? { kind: 'not', of: this.#term() } : { kind: 'group', chain: this.#chain() };
    if (token.kind === '(') this.#take(')', '&, | or )');
    this.#level--;
    return term;
  }

  #comparison(): PolicyTerm {
    const left = this.#operand('an attribute, a number, ! or (');
    const { op } = this.#take('operator', 'a comparison: =, !=, <, <=, > or >=');
    return { kind: 'compare', left, op, right: this.#operand('an attribute or a number') };
  }

  #operand(expected: string): Operand {
    const token = this.#token();
    if (token.kind === 'number') {
      this.#next++;
      return { kind: 'number', value: token.value };
    }
    const { name, text, quoted } = this.#take('name', expected);
    if (quoted || this.#token().kind !== '(') return { kind: 'measure', name, aggregate: 'avg', said: false };
    const aggregate = aggregates.find((one) => one === text.toLowerCase());
    if (!aggregate) throw new Unreadable(token.at, `${text}(…) is none of ${aggregates.join(', ')}`);
    this.#next++;
    const attribute = this.#take('name', 'an attribute');
    this.#take(')', ')');
    return { kind: 'measure', name: attribute.name, aggregate, said: true };
  }

  #token(): Token {
    return this.tokens[this.#next] ?? { at: 0, text: '', kind: 'end' };
  }

  #take<K extends Token['kind']>(kind: K, expected: string): Extract<Token, { kind: K }>;
  #take(kind: Token['kind'], expected: string): Token {
    const token = this.#token();
    if (token.kind !== kind)
      throw new Unreadable(
        token.at,
        `expected ${expected}, but found ${token.kind === 'end' ? 'the end' : token.text}`,
      );
    this.#next++;
    return token;
  }
}

function byPrecedence({ first, rest }: PolicyChain): Condition {
  const alternatives: PolicyTerm[][] = [[first]];
  for (const { op, term } of rest) {
    if (op === '|') alternatives.push([term]);
    else alternatives.at(-1)?.push(term);
  }
  return joint(
    'or',
    alternatives.map((terms) =>
      joint(
        'and',
        terms.map((term) => conditionOf(term, byPrecedence)),
      ),
    ),
  );
}

/** As OneFlow's parser does: what stands behind an operator is one operand of it, and all that stands behind `!` is negated. */
function fromRight({ first, rest }: PolicyChain): Condition {
  if (first.kind === 'not') return { kind: 'not', of: fromRight({ first: first.of, rest }) };
  const left = conditionOf(first, fromRight);
  const [next, ...others] = rest;
  if (!next) return left;
  return {
    kind: next.op === '&' ? 'and' : 'or',
    of: [left, fromRight({ first: next.term, rest: others })],
  };
}

function conditionOf(term: PolicyTerm, read: (chain: PolicyChain) => Condition): Condition {
  switch (term.kind) {
    case 'compare':
      return term;
    case 'not':
      return { kind: 'not', of: conditionOf(term.of, read) };
    case 'group':
      return read(term.chain);
  }
}

const joint = (kind: 'and' | 'or', parts: readonly Condition[]): Condition => {
  const [only, ...more] = parts;
  return only !== undefined && more.length === 0 ? only : { kind, of: parts };
};

/** `A & (B & C)` as `A & B & C`: what is the same however it is grouped. */
function flat(condition: Condition): Condition {
  if (condition.kind === 'compare') return condition;
  if (condition.kind === 'not') return { kind: 'not', of: flat(condition.of) };
  const { kind } = condition;
  return { kind, of: condition.of.map(flat).flatMap((part) => (part.kind === kind ? part.of : [part])) };
}
