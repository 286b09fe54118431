import type { Request } from 'express';
import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import { type Precondition, unchangedSince, unconditional } from '../../requests/precondition.js';
import { check } from './findings.js';
import { invalid } from './invalid.js';

/** `*`, or tags as ETag gives them (RFC 9110), of which the weak ones are marked. */
export const TagList = z
  .string()
  .regex(
    /^(?:\*|(?:W\/)?"[!#-~]*"(?: *, *(?:W\/)?"[!#-~]*")*)$/,
    'must be * or tags in quotes, as ETag gives them, with commas between',
  );
const each = /(W\/)?("[^"]*")/g;

function tagsIn(header: string, name: string): '*' | { tag: string; weak: boolean }[] {
  const checked = check(z.object({ [name]: TagList }), { [name]: header });
  if (!checked.ok) throw invalid(checked.findings);
  if (header === '*') return '*';
  return [...header.matchAll(each)].map(([, weak, tag = '']) => ({ tag, weak: weak !== undefined }));
}

/** What If-Match asks for of a request. Weak tags are like no other: what they stand for may have changed a little. */
export function preconditionOf({ headers, method }: Request, { path }: { path: string }): Precondition {
  const reads = method === 'GET' || method === 'HEAD';
  if (!reads && headers['if-none-match'] !== undefined)
    throw invalid([{ pointer: '/If-None-Match', detail: 'is for GET and HEAD; send If-Match with changes' }]);
  const sent = headers['if-match'];
  if (sent === undefined) return unconditional;
  const tags = tagsIn(sent, 'If-Match');
  if (tags === '*') return unconditional;
  if (method === 'POST' && !path.includes('{'))
    throw new Problem(
      'precondition_failed',
      'This makes something new: there is nothing yet that If-Match could be about.',
    );
  return unchangedSince(tags.filter(({ weak }) => !weak).map(({ tag }) => tag));
}

/** Whether whoever asks has the very same already. */
export function isKnown({ headers }: Request, tag: string): boolean {
  const sent = headers['if-none-match'];
  if (sent === undefined) return false;
  const tags = tagsIn(sent, 'If-None-Match');
  return tags === '*' || tags.some((known) => known.tag === tag);
}
