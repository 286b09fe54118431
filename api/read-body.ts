import { type ParseError, parse, printParseErrorCode, stripComments } from 'jsonc-parser';
import { Problem } from '../domain/problems.js';
import { limits } from '../schemas/limits.js';

const depthLimit = limits.bodyDepth.most;

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
  return json || !kind.text ? parsedJson(text, kind.comments) : kind.text(text);
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
  const plain = comments ? stripComments(text, ' ') : text;
  refuseDeepNesting(plain);
  try {
    return JSON.parse(plain, refuseUnsafeNames);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('malformed_body', `The body is not valid JSON: ${faultIn(text, plain, comments)}.`, {
      cause: error,
    });
  }
}

/** By these MongoDB's driver and its mapper tell their own objects from others, or leave a member out. */
const taken = new Set(['prototype', '_bsontype', '$__', '$isMongooseMap', 'isMongooseBuffer']);

/**
 * What every object has (`toString`, `constructor`, `__proto__`) is looked for on it and not among its members, so such a
 * member would change what the object is, or be lost; and MongoDB cannot store a NUL in a name.
 */
function refuseUnsafeNames(name: string, value: unknown): unknown {
  if (name in Object.prototype || taken.has(name) || name.includes('\0')) {
    throw new Problem('malformed_body', `The body has a member named ${JSON.stringify(name)}, which is not allowed.`);
  }
  return value;
}

/** Counted before parsing: parsers, validators and BSON recurse. */
function refuseDeepNesting(text: string): void {
  let depth = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/gs)) {
    if (match[0] === '[' || match[0] === '{') depth++;
    else if (match[0] === ']' || match[0] === '}') depth--;
    if (depth > depthLimit) {
      throw new Problem(
        'malformed_body',
        `The body is nested more than ${depthLimit} levels deep at ${placeIn(text, match.index)}.`,
      );
    }
  }
}

/** Where JSON breaks, and how, from the parser that keeps positions. */
function faultIn(text: string, plain: string, comments: boolean): string {
  const errors: ParseError[] = [];
  parse(comments ? plain : text, errors, { disallowComments: !comments, allowTrailingComma: false });
  const first = errors[0];
  if (!first) return 'it cannot be read';
  const words = printParseErrorCode(first.error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return `${words} at ${placeIn(text, first.offset)}`;
}

function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}
