import { limits } from '../../schemas/common/limits.js';
import type { Finding } from '../problems.js';

// What a template asks for when it is instantiated: `"PASSWORD": "M|password|Of the database"`, as OpenNebula writes it:
// whether it must be given, its type, what to ask, what it may be, and what it is when nothing is given.

type Members = Readonly<Record<string, unknown>>;

/** What is asked for. `among`: what it may be; `fallback`: what it is when nothing is given, or nothing. */
export type Input = { mandatory: boolean; type: string; question: string; among: string; fallback: string };

/** A network is asked for, whose value is its id or what is reserved of one. */
export const isNetwork = (type: string): boolean => type === 'network' || type === 'vnet_id';

/** Sunstone writes a kind without an id where a network has no default. */
const isEmpty = (fallback: string): boolean => /^(?:id|template_id|reserve_from):$/.test(fallback);

/** Another text asks for nothing in particular: null. */
export function inputOf(text: unknown): Input | null {
  if (typeof text !== 'string' || !/^[MO]\|/.test(text)) return null;
  const [mandatory, type = '', question = '', among = '', ...fallback] = text.split('|').map((part) => part.trim());
  const said = fallback.join('|');
  return {
    mandatory: mandatory === 'M',
    type,
    question,
    among,
    fallback: isNetwork(type) && isEmpty(said) ? '' : said,
  };
}

const isNumber = (text: string): boolean => /^-?\d+(?:\.\d+)?$/.test(text);
const choices = (among: string): string[] => among.split(',').map((one) => one.trim());

function inRange(text: string, among: string): boolean {
  const [least = '', most = ''] = among.split('..');
  return isNumber(text) && Number(text) >= Number(least) && Number(text) <= Number(most);
}

/** What is wrong with a value of a type; undefined: nothing, also of types that any text is of. */
const faults: Readonly<Record<string, (text: string, among: string) => string | undefined>> = {
  number: (text) => (/^-?\d+$/.test(text) ? undefined : 'must be a whole number'),
  'number-float': (text) => (isNumber(text) ? undefined : 'must be a number'),
  boolean: (text) => (/^(?:yes|no|true|false)$/i.test(text) ? undefined : 'must be YES or NO'),
  range: (text, among) =>
    /^-?\d+$/.test(text) && inRange(text, among) ? undefined : `must be a whole number of ${among}`,
  'range-float': (text, among) => (inRange(text, among) ? undefined : `must be a number of ${among}`),
  list: (text, among) => (choices(among).includes(text) ? undefined : `must be one of ${among}`),
  'list-multiple': (text, among) =>
    choices(text).every((one) => choices(among).includes(one)) ? undefined : `must be some of ${among}`,
};

/**
 * The values of inputs, with those that are said by default; and what is wrong, by pointers below `pointer`, or missing.
 * `demanded: false`: whoever puts them somewhere says what is missing.
 */
export function inputValues(
  inputs: Members,
  given: Members,
  { pointer, demanded }: { pointer: string; demanded: boolean },
): { values: Members; findings: Finding[] } {
  const findings: Finding[] = [];
  const filled: Record<string, unknown> = {};
  const found = (name: string, detail: string) => {
    if (findings.length < limits.findings.most) findings.push({ pointer: `${pointer}/${name}`, detail });
  };
  for (const [name, text] of Object.entries(inputs)) {
    const input = inputOf(text);
    if (input === null) continue;
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined || value === null || value === '') {
      if (input.fallback !== '') filled[name] = input.fallback;
      else if (input.mandatory && demanded)
        found(name, `is required${input.question === '' ? '' : `: ${input.question}`}`);
      continue;
    }
    const fault = Object.hasOwn(faults, input.type) ? faults[input.type] : undefined;
    const detail = fault?.(typeof value === 'string' ? value : JSON.stringify(value), input.among);
    if (detail !== undefined) found(name, detail);
  }
  return { values: { ...given, ...filled }, findings };
}
