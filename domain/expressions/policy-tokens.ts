import type { Operator } from './policy-syntax.js';

/** A piece of a policy's expression; `at`: where it begins. `text`: as written. */
export type Token = { at: number; text: string } & (
  | { kind: 'number'; value: number }
  | { kind: 'name'; name: string; quoted: boolean }
  | { kind: 'operator'; op: Operator }
  | { kind: 'joint'; op: '&' | '|' }
  | { kind: '!' | '(' | ')' | 'end' }
  | { kind: 'unknown' }
);

const operators: Readonly<Record<string, Operator>> = {
  '==': '=',
  '=': '=',
  '!=': '!=',
  '<>': '!=',
  '<=': '<=',
  '<': '<',
  '>=': '>=',
  '>': '>',
};
const joints: Readonly<Record<string, '&' | '|'>> = { '&&': '&', '&': '&', '||': '|', '|': '|' };

/** Each is tried where the last one ended, once: the time that a text takes grows with its length alone. */
const blank = /[ \t\r\n]*/y;
const numeral = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /[A-Za-z][A-Za-z0-9_]*/y;
const quotedWord = /"[A-Za-z][A-Za-z0-9_]*"|'[A-Za-z][A-Za-z0-9_]*'/y;
const sign = /==|=|!=|<>|<=|<|>=|>|&&|&|\|\||\||!|\(|\)/y;

/** The tokens of a text; the last one is its end, or what is none. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = endOf(blank, text, 0); ; at = endOf(blank, text, at)) {
    const token = tokenAt(text, at);
    tokens.push(token);
    if (token.kind === 'end' || token.kind === 'unknown') return tokens;
    at += token.text.length;
  }
}

function tokenAt(text: string, at: number): Token {
  if (at >= text.length) return { at, text: '', kind: 'end' };
  const name = found(word, text, at);
  if (name !== '') return { at, text: name, kind: 'name', name: name.toUpperCase(), quoted: false };
  const quoted = found(quotedWord, text, at);
  if (quoted !== '') return { at, text: quoted, kind: 'name', name: quoted.slice(1, -1).toUpperCase(), quoted: true };
  const digits = found(numeral, text, at);
  if (digits !== '' && Number.isFinite(Number(digits)) && found(word, text, at + digits.length) === '')
    return { at, text: digits, kind: 'number', value: Number(digits) };
  const mark = found(sign, text, at);
  const op = operators[mark];
  if (op !== undefined) return { at, text: mark, kind: 'operator', op };
  const joint = joints[mark];
  if (joint !== undefined) return { at, text: mark, kind: 'joint', op: joint };
  if (mark === '!' || mark === '(' || mark === ')') return { at, text: mark, kind: mark };
  return { at, text: digits === '' ? (Array.from(text.slice(at, at + 2))[0] ?? '') : digits, kind: 'unknown' };
}

function found(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

const endOf = (pattern: RegExp, text: string, at: number): number => at + found(pattern, text, at).length;
