import { type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser';
import { Problem } from '../domain/problems.js';
import { limits } from '../schemas/limits.js';

const depthLimit = limits.bodyDepth.most;
const mostValues = limits.bodyValues.most;

/** What a route takes: JSON, with comments or without, and perhaps a text of its own, which `text` turns into the same shape. */
export type BodyKind = {
  comments: boolean;
  text?: (text: string) => unknown;
  /** Of JSON; absent: application/json alone. */
  types?: readonly string[];
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
  const text = decoded(sent);
  return json || !kind.text ? parsedJson(text, kind.comments) : kind.text(measuredText(text));
}

function mediaType(header: string | undefined): { type: string | undefined; charset: string } {
  const [type, ...parameters] = (header ?? '').split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  return { type: type || undefined, charset: charset?.replaceAll('"', '').replace(/^utf8$/, 'utf-8') ?? 'utf-8' };
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem('malformed_body', 'The body is not UTF-8 text.', { cause });
  }
}

function parsedJson(text: string, comments: boolean): unknown {
  const plain = measured(text, comments);
  let read: unknown;
  try {
    read = JSON.parse(plain);
  } catch (cause) {
    throw new Problem('malformed_body', `The body is not valid JSON: ${faultIn(text, comments)}.`, { cause });
  }
  refuseUnsafeNames(read);
  return read;
}

/** By these MongoDB's driver and its mapper tell their own objects from others, or leave a member out. */
const taken = new Set(['prototype', '_bsontype', '$__', '$isMongooseMap', 'isMongooseBuffer']);

/**
 * What every object has (`toString`, `constructor`, `__proto__`) is looked for on it and not among its members, so such a
 * member would change what the object is, or be lost; and MongoDB cannot store a NUL in a name.
 */
function refuseUnsafeNames(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) refuseUnsafeNames(item);
    return;
  }
  for (const [name, member] of Object.entries(value)) {
    if (name in Object.prototype || taken.has(name) || name.includes('\0'))
      throw new Problem('malformed_body', `The body has a member named ${JSON.stringify(name)}, which is not allowed.`);
    refuseUnsafeNames(member);
  }
}

/**
 * The text without comments, where they may be. In the same pass its levels and values are counted, before any parser sees
 * them: parsers, validators and BSON recurse, and each value costs them work.
 */
function measured(text: string, comments: boolean): string {
  let [depth, values, quoted, from] = [0, 1, false, 0];
  const parts: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (quoted) {
      if (sign === '\\') at++;
      else if (sign === '"') quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === '[' || sign === '{') depth++;
    else if (sign === ']' || sign === '}') depth--;
    else if (sign === ',') values++;
    else if (sign === '/' && comments) {
      const end = endOfComment(text, at);
      if (end !== at) {
        parts.push(text.slice(from, at));
        from = end;
        at = end - 1;
      }
    }
    if (depth > depthLimit)
      throw new Problem(
        'malformed_body',
        `The body is nested more than ${depthLimit} levels deep at ${placeIn(text, at)}.`,
      );
    if (values > mostValues) throw tooManyValues(`the next is at ${placeIn(text, at)}`);
  }
  return parts.length === 0 ? text : `${parts.join(' ')} ${text.slice(from)}`;
}

/** The place behind the comment that begins here, or this place when none does. */
function endOfComment(text: string, at: number): number {
  const [close, length] = text[at + 1] === '/' ? ['\n', 0] : text[at + 1] === '*' ? ['*/', 2] : ['', 0];
  if (close === '') return at;
  const end = text.indexOf(close, at + 2);
  return end === -1 ? text.length : end + length;
}

const tooManyValues = (where: string): Problem =>
  new Problem('body_too_large', `A body may have ${mostValues} values at most; ${where}.`);

/** A text of its own has a value behind each `=`. */
function measuredText(text: string): string {
  let values = 0;
  for (let at = text.indexOf('='); at !== -1; at = text.indexOf('=', at + 1))
    if (++values > mostValues) throw tooManyValues(`the next is at ${placeIn(text, at)}`);
  return text;
}

/** Where JSON breaks, and how, from the parser that keeps positions. */
function faultIn(text: string, comments: boolean): string {
  try {
    visit(
      text,
      {
        // The first is enough: a body of a million brackets has a million.
        onError: (code, offset) => {
          throw new Unreadable(code, offset);
        },
      },
      { disallowComments: !comments, allowTrailingComma: false },
    );
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const words = printParseErrorCode(error.code)
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase();
    return `${words} at ${placeIn(text, error.offset)}`;
  }
  return 'it cannot be read';
}

class Unreadable extends Error {
  constructor(
    readonly code: ParseErrorCode,
    readonly offset: number,
  ) {
    super();
  }
}

function placeIn(text: string, offset: number): string {
  let [line, begins] = [1, 0];
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1))
    [line, begins] = [line + 1, at + 1];
  return `line ${line}, column ${offset - begins + 1}`;
}
