import type { Finding } from '../problems.js';
import { type Parsed, parseRank, parseRequirement, twoReadings } from './parse.js';

const readers: Readonly<Record<string, (text: string) => Parsed<unknown>>> = {
  SCHED_REQUIREMENTS: parseRequirement,
  SCHED_RANK: parseRank,
  SCHED_DS_REQUIREMENTS: parseRequirement,
  SCHED_DS_RANK: parseRank,
};

/** What cannot be read of the expressions among these attributes, with line and column; `under`: where the attributes are. */
export function expressionFindings(attributes: Readonly<Record<string, unknown>>, under: string): Finding[] {
  return Object.entries(readers).flatMap(([name, read]): Finding[] => {
    const text = attributes[name];
    if (text === undefined || text === null) return [];
    const pointer = `${under}/${name}`;
    if (typeof text !== 'string') return [{ pointer, detail: 'must be a text' }];
    const parsed = read(text);
    if (parsed.ok) return [];
    const { line, column, detail } = parsed.fault;
    return [{ pointer, detail: `line ${line}, column ${column}: ${detail}` }];
  });
}

/** What an author should know: where OpenNebula would read a requirement in another way. */
export function expressionWarnings(attributes: Readonly<Record<string, unknown>>): string[] {
  const { SCHED_REQUIREMENTS: text } = attributes;
  const readings = typeof text === 'string' ? twoReadings(text) : null;
  if (!readings) return [];
  return [
    `SCHED_REQUIREMENTS is read here as ${readings.here}, for & binds tighter than |. OpenNebula would read it as ${readings.openNebula}. Brackets make it the same for both.`,
  ];
}
