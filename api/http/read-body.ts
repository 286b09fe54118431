import type { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import { decoded, parsedJson, tooMany } from './json-text.js';

const mostValues = limits.bodyValues.most;

/** What a route takes: JSON, with comments or without, and perhaps a text of its own, which `text` turns into the same shape. */
export type BodyKind = {
  comments: boolean;
  text?: (text: string) => unknown;
  /** Of JSON; absent: application/json alone. */
  types?: readonly string[];
};

/** `taken`: required; absent means an empty object; or the route takes none. */
export type BodySpec<B extends z.ZodType> = BodyKind & {
  schema: B;
  /** What is to be sent, where the schema takes more and makes something else of it; looked at first. */
  described?: z.ZodType;
  taken: 'required' | 'optional' | 'never';
  /** Makes of what was sent what the schema describes, where the same may be said in other words. */
  understood?: (sent: unknown) => unknown;
};

/**
 * What was sent, as a JavaScript value that is yet to be validated; undefined when nothing was sent.
 * Throws `malformed_body` with line and column, or `unsupported_media_type`.
 */
export function readBody(sent: unknown, contentType: string | undefined, kind: BodyKind): unknown {
  if (!Buffer.isBuffer(sent) || sent.length === 0) return undefined;
  const { type, charset } = mediaType(contentType);
  const types = kind.types ?? ['application/json'];
  const json = type !== undefined && types.includes(type);
  if (!json && !(kind.text && type === 'text/plain')) {
    const taken = [...types, ...(kind.text ? ['text/plain'] : [])].join(' or ');
    throw new Problem(
      'unsupported_media_type',
      `This address takes ${taken}, not ${type ?? 'a body without Content-Type'}.`,
    );
  }
  if (charset !== 'utf-8') throw new Problem('unsupported_media_type', `Bodies are UTF-8 here, not ${charset}.`);
  return json || !kind.text ? parsedJson(sent, kind.comments) : kind.text(decoded(measuredText(sent)));
}

function mediaType(header: string | undefined): { type: string | undefined; charset: string } {
  const [type, ...parameters] = (header ?? '').split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  return { type: type || undefined, charset: charset?.replaceAll('"', '').replace(/^utf8$/, 'utf-8') ?? 'utf-8' };
}

/** A text of its own has a value behind each `=`. */
function measuredText(bytes: Buffer): Buffer {
  let values = 0;
  for (let at = bytes.indexOf('='); at !== -1; at = bytes.indexOf('=', at + 1))
    if (++values > mostValues) throw tooMany('A body', bytes, at);
  return bytes;
}
