import { z } from 'zod';
import type { Finding } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import { nearestName } from '../../schemas/common/nearest-name.js';

type Issue = z.core.$ZodIssue;

/**
 * Checks what was sent and returns it as the schema gives it out, or everything that is wrong with it at once.
 * Pointers are relative to the value: a parameter `limit` is `/limit`.
 */
export function check<S extends z.ZodType>(
  schema: S,
  value: unknown,
): { ok: true; value: z.output<S>; findings: [] } | { ok: false; findings: Finding[] } {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { ok: true, value: result.data, findings: [] };
  const findings: Finding[] = [];
  for (const issue of result.error.issues) {
    if (findings.length >= mostFindings) break;
    findings.push(...findingsOf(issue, schema).slice(0, mostFindings - findings.length));
  }
  return { ok: false, findings };
}

/** The same for the parameters of an address: of one that is given more than once, which is meant is not clear. */
export function checkQuery<S extends z.ZodType>(schema: S, query: unknown): ReturnType<typeof check<S>> {
  const given: [name: string, value: unknown][] =
    typeof query === 'object' && query !== null ? Object.entries(query) : [];
  const findings = given.flatMap(([name, value]): Finding[] =>
    Array.isArray(value)
      ? [{ pointer: pointerTo([name]), detail: `is given ${value.length} times; give it once` }]
      : [],
  );
  return findings.length > 0 ? { ok: false, findings: findings.slice(0, mostFindings) } : check(schema, query);
}

/** Each costs work: what a name was probably meant to be is looked for in all that are known. */
const mostFindings = limits.findings.most;

function findingsOf(issue: Issue, schema: z.ZodType): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownNames(schema, issue.path);
    return issue.keys
      .slice(0, mostFindings)
      .map((key) => ({ pointer: pointerTo([...issue.path, key]), detail: unknownName(key, known) }));
  }
  const meant = issue.code === 'invalid_union' && !hasOwnWords(issue) ? branchMeant(issue) : undefined;
  if (meant) return meant.flatMap((inner) => findingsOf({ ...inner, path: [...issue.path, ...inner.path] }, schema));
  return [{ pointer: pointerTo(issue.path), detail: detailOf(issue) }];
}

const hasOwnWords = ({ message }: Pick<Issue, 'message'>): boolean => /^[a-z]/.test(message);

/**
 * What is wrong by the one shape of several that was meant: an object that has all that this one asks for, of whatever value. undefined: that could be any of them, or
 * none.
 */
function branchMeant({ errors }: Extract<Issue, { code: 'invalid_union' }>): Issue[] | undefined {
  const fits = errors.filter((issues) =>
    issues.every(({ path, code, input }) =>
      path.length === 0 ? code === 'unrecognized_keys' : path.length > 1 || input !== undefined,
    ),
  );
  const [one, ...more] = fits;
  return one && more.length === 0 ? one : undefined;
}

function detailOf(issue: Issue): string {
  if (hasOwnWords(issue)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required';
      // What was no number is none any more by now: what it was is not known here.
      return `must be ${nounOf(issue.expected)}${Number.isNaN(issue.input) ? '' : `, not ${kindOf(issue.input, issue.expected)}`}`;
    case 'invalid_value':
      return issue.input === undefined
        ? 'is required'
        : `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_key':
      return `has a name that is not allowed: it ${issue.issues.map(detailOf).join(', ')}`;
    case 'invalid_union':
      return [...new Set(issue.errors.flatMap((errors) => errors.slice(0, 1).map(detailOf)))].join(', or ');
    default:
      return issue.message;
  }
}

const unitOf = (origin: string): string =>
  origin === 'string' ? ' characters' : origin === 'array' || origin === 'set' ? ' items' : '';

const nouns: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  date: 'a date',
};
const nounOf = (type: string): string => nouns[type] ?? type;

function kindOf(input: unknown, expected: string): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'number' && expected === 'int') return String(input);
  if (typeof input === 'string' && input.length <= 40) return JSON.stringify(input);
  return typeof input === 'boolean' ? String(input) : nounOf(typeof input);
}

function unknownName(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  if (nearest) return `is not known here; did you mean ${JSON.stringify(nearest)}?`;
  return known.length > 0 ? `is not known here; known are ${known.join(', ')}` : 'is not known here; nothing is';
}

/** The names that an object at this place may have. */
function knownNames(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const at = unwrapped(schema);
  if (at instanceof z.ZodObject) {
    const [name, ...deeper] = path;
    if (name === undefined) return Object.keys(at.shape);
    const next: unknown = at.shape[String(name)];
    return next instanceof z.ZodType ? knownNames(next, deeper) : [];
  }
  if (at instanceof z.ZodUnion)
    return [...new Set(at.options.flatMap((option: z.core.$ZodType) => knownNames(option, path)))];
  return at instanceof z.ZodArray ? knownNames(at.element, path.slice(1)) : [];
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return unwrapped(schema.unwrap());
  if (!(schema instanceof z.ZodPipe)) return schema;
  // What z.preprocess makes begins with a function, which knows no names.
  return unwrapped(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
}

/** RFC 6901. */
const pointerTo = (path: readonly PropertyKey[]): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
