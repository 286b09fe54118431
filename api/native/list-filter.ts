import { z } from 'zod';
import { globOf } from '../../domain/glob.js';
import {
  type Comparison,
  type Condition,
  comparisons,
  type ListField,
  type ListFields,
  type ListKind,
  type ListValue,
} from '../../schemas/common/list.js';
import { nearestName } from '../../schemas/common/nearest-name.js';

/** Its message says what is wrong with a filter, and where. */
export class FilterFault extends Error {}

const mostConditions = 10;
const mostValues = 50;
const mostStars = 3;

/** A value is `"…"`, in which `\` keeps the next character as it is; or what holds none of the signs. */
const grammar =
  /\s*(?:(?<field>[a-z_]+)\s*)?(?<comparison>!=|!~|<=|>=|[=~<>])(?<values>(?:"(?:[^"\\]|\\.)*"|[^,|"]*)(?:\|(?:"(?:[^"\\]|\\.)*"|[^,|"]*))*)(?<end>,|$)/sy;
const eachValue = /(?:^|\|)("(?:[^"\\]|\\.)*"|[^,|"]*)/gs;

/**
 * Reads `state=RUNNING|WARNING,name~web*,created_at>=2026-01-31`: conditions that must all hold, each a field, a
 * comparison and one value or several. Throws a FilterFault.
 */
export function parseFilter(text: string, list: ListFields): Condition[] {
  const conditions: Condition[] = [];
  for (grammar.lastIndex = 0; ; ) {
    const from = grammar.lastIndex;
    const parts = grammar.exec(text)?.groups;
    if (!parts)
      throw new FilterFault(
        `cannot be read at character ${from + 1}, ${JSON.stringify(text.slice(from, from + 20))}: write a field, one of ${[...comparisons].reverse().join(' ')}, and a value`,
      );
    conditions.push(conditionOf(parts, list));
    if (conditions.length > mostConditions) throw new FilterFault(`may have ${mostConditions} conditions at most`);
    if (parts.end === '') return conditions;
  }
}

function conditionOf(
  { field = '', comparison: sign, values = '' }: Record<string, string>,
  list: ListFields,
): Condition {
  const described = Object.hasOwn(list, field) ? list[field] : undefined;
  if (!described) throw new FilterFault(unknownField(field, Object.keys(list)));
  const comparison = comparisons.find((one) => one === sign);
  const allowed = comparisonsOf(described.kind);
  if (!comparison || !allowed.includes(comparison))
    throw new FilterFault(`cannot compare ${field} by ${sign}, only by ${allowed.join(' ')}`);
  const texts = [...values.matchAll(eachValue)].map(([, one = '']) => one);
  if (texts.length > mostValues) throw new FilterFault(`may have ${mostValues} values a condition at most`);
  if (texts.length > 1 && /[<>]/.test(comparison))
    throw new FilterFault(`can compare ${field} by ${sign} with one value`);
  return { field, comparison, values: texts.flatMap((one) => readValue(one, comparison, field, described)) };
}

function comparisonsOf(kind: ListKind): readonly Comparison[] {
  if (kind === 'boolean') return ['=', '!='];
  if (kind === 'integer' || kind === 'time') return ['=', '!=', '<', '<=', '>', '>='];
  return ['=', '!=', '~', '!~'];
}

function readValue(sent: string, comparison: Comparison, field: string, { kind, nullable }: ListField): ListValue[] {
  const quoted = sent.startsWith('"');
  const text = quoted ? sent.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : sent.trim();
  const isGlob = comparison === '~' || comparison === '!~';
  if (nullable && !quoted && !isGlob && text === 'null') return [null];
  if (isGlob && text.split('*').length - 1 > mostStars)
    throw new FilterFault(`may have ${mostStars} stars in a value at most`);
  if (kind === 'text' || kind === 'ulid') return [text];
  if (typeof kind !== 'string') {
    const meant = isGlob ? kind.filter((one) => globOf(text).test(one)) : kind.filter((one) => one === text);
    if (meant.length > 0) return meant;
    const nearest = nearestName(text, kind);
    throw new FilterFault(
      `asks for the ${field} ${quote(text)}, which there is not; ${nearest ? `did you mean ${quote(nearest)}?` : `there are ${kind.join(', ')}`}`,
    );
  }
  const read = readers[kind](text);
  if (read === undefined) throw new FilterFault(`compares ${field} with ${quote(text)}, which is not ${nouns[kind]}`);
  return [read];
}

const nouns = { integer: 'a whole number', boolean: 'true or false', time: 'a time such as 2026-01-31T12:00:00Z' };

const Time = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);
const readers = {
  integer: (text: string) => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined),
  boolean: (text: string) => (text === 'true' ? true : text === 'false' ? false : undefined),
  time: (text: string) => (Time.safeParse(text).success ? new Date(text) : undefined),
};

const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

function unknownField(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return `names the field ${quote(name)}, which this list is not filtered by; ${nearest ? `did you mean ${quote(nearest)}?` : `it is by ${known.join(', ')}`}`;
}
