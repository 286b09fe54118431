import { type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser';
import { Problem } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';

const depthLimit = limits.bodyDepth.most;
const mostValues = limits.bodyValues.most;
const mostMembers = limits.bodyMembers.most;

/** What a byte outside texts may be; the others are of no interest. */
const kind = { other: 0, blank: 1, quote: 2, opening: 3, closing: 4, comma: 5, digit: 6, slash: 7 } as const;
const kinds = new Uint8Array(256);
const signs = {
  blank: ' \t\n\v\f\r',
  quote: '"',
  opening: '[{',
  closing: ']}',
  comma: ',',
  digit: '0123456789',
  slash: '/',
};
for (const name of ['blank', 'quote', 'opening', 'closing', 'comma', 'digit', 'slash'] as const)
  for (const sign of signs[name]) kinds[sign.charCodeAt(0)] = kind[name];

const [quote, backslash, slash, star, lineBreak, blank] = [34, 92, 47, 42, 10, 32];

/** The value that a JSON body has. Throws `malformed_body` with line and column, or `body_too_large`. */
export function parsedJson(bytes: Buffer, comments: boolean): unknown {
  const plain = measured(bytes, comments);
  const text = decoded(plain);
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (cause) {
    throw new Problem('malformed_body', `The body is not valid JSON: ${faultIn(plain)}.`, { cause });
  }
  refuseUnsafeNames(read);
  return read;
}

/** Bytes as text. Throws `malformed_body` when they are none. */
export function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem('malformed_body', 'The body is not UTF-8 text.', { cause });
  }
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
 * The text with blanks in the place of comments, where they may be. In the same pass its levels and values are counted, before
 * any parser sees them: parsers, validators and BSON recurse, and each value costs them work. And its numbers are looked at:
 * what they are read as would tell nobody that they were other ones.
 */
function measured(bytes: Buffer, comments: boolean): Buffer {
  // `begun`: a list or an object has, and nothing of it has come yet. `members`: of those that are open, by level.
  let [depth, values, begun] = [0, 1, false];
  const members = new Uint32Array(depthLimit + 1);
  let plain = bytes;
  for (let at = 0; at < bytes.length; at++) {
    const sign = kinds[bytes[at] ?? 0];
    if (sign === kind.blank) continue;
    if (sign === kind.slash && comments) {
      const end = endOfComment(bytes, at);
      if (end !== at) {
        if (plain === bytes) plain = Buffer.from(bytes);
        blankOut(plain, at, end);
        at = end - 1;
        continue;
      }
    }
    if (sign === kind.comma || (begun && sign !== kind.closing)) {
      values++;
      const those = (members[Math.max(0, depth)] ?? 0) + 1;
      members[Math.max(0, depth)] = those;
      if (values > mostValues || those > mostMembers)
        throw tooMany(values > mostValues ? 'A body' : 'An object or a list', bytes, at);
    }
    begun = sign === kind.opening;
    if (sign === kind.opening) {
      if (++depth > depthLimit) throw tooDeep(bytes, at);
      members[depth] = 0;
    } else if (sign === kind.closing) depth--;
    else if (sign === kind.quote) at = endOfText(bytes, at);
    else if (sign === kind.digit) at = endOfNumber(bytes, at);
  }
  return plain;
}

const tooDeep = (bytes: Buffer, at: number): Problem =>
  new Problem(
    'malformed_body',
    `The body is nested more than ${depthLimit} levels deep at ${placeBehind(bytes.subarray(0, at))}.`,
  );

/** What has more values than it may; the next of them is there. */
export const tooMany = (what: 'A body' | 'An object or a list', bytes: Buffer, at: number): Problem =>
  new Problem(
    'body_too_large',
    `${what} may have ${what === 'A body' ? mostValues : mostMembers} values at most; the next is at ${placeBehind(bytes.subarray(0, at))}.`,
  );

/** The place behind the comment that begins here, or this place when none does. */
function endOfComment(bytes: Buffer, from: number): number {
  const second = bytes[from + 1];
  if (second !== slash && second !== star) return from;
  for (let at = from + 2; at < bytes.length; at++) {
    const byte = bytes[at];
    if (second === slash ? byte === lineBreak : byte === star && bytes[at + 1] === slash)
      return second === slash ? at : at + 2;
  }
  return bytes.length;
}

/** Lines stay where they are. */
function blankOut(bytes: Buffer, from: number, to: number): void {
  for (let at = from; at < to; at++) if (bytes[at] !== lineBreak) bytes[at] = blank;
}

/** Where the text that begins here ends, or everything. */
function endOfText(bytes: Buffer, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) return at;
    if (byte === backslash) at++;
  }
  return bytes.length;
}

/** `.`, `-`, `+`, `E`, `e`. */
const ofNumber = [46, 45, 43, 69, 101];

/** Digits that no whole number which is kept exactly has. */
const mostDigits = String(Number.MAX_SAFE_INTEGER).length;

/**
 * Where the last sign of the number is whose first digit this is. Throws `malformed_body` for one that a JavaScript number, and
 * so MongoDB, would keep as another: whole numbers beyond 2^53, and what is so large that it counts as endless.
 */
function endOfNumber(bytes: Buffer, from: number): number {
  let [to, whole] = [from, 0];
  while (kinds[bytes[to] ?? 0] === kind.digit) to++;
  whole = to;
  while (kinds[bytes[to] ?? 0] === kind.digit || ofNumber.includes(bytes[to] ?? 0)) to++;
  const written = bytes.toString('latin1', from, Math.min(to, whole + 400));
  const scaled = /[eE]/.test(written);
  const exact = scaled
    ? Number(written) !== Number.POSITIVE_INFINITY
    : whole - from <= mostDigits && Number(bytes.toString('latin1', from, whole)) <= Number.MAX_SAFE_INTEGER;
  if (exact) return to - 1;
  const shown = written.length > 40 ? `${written.slice(0, 40)}…` : written;
  throw new Problem(
    'malformed_body',
    `The body has the number ${shown} at ${placeBehind(bytes.subarray(0, from))}, which would be kept as another: a number may be ${Number.MAX_SAFE_INTEGER} at most. Write it as a text.`,
  );
}

class Unreadable extends Error {
  constructor(
    readonly code: ParseErrorCode,
    readonly offset: number,
  ) {
    super();
  }
}

/** Where JSON breaks, and how, from the parser that keeps positions; a blank costs it as much as a value. */
function faultIn(bytes: Buffer): string {
  const text = decoded(dense(bytes));
  try {
    visit(
      text,
      {
        // The first is enough: a body of a million brackets has a million.
        onError: (code, offset) => {
          throw new Unreadable(code, offset);
        },
      },
      { disallowComments: true, allowTrailingComma: false },
    );
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const words = printParseErrorCode(error.code)
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase();
    const before = Buffer.byteLength(text.slice(0, error.offset));
    return `${words} at ${placeBehind(bytes.subarray(0, placeOf(bytes, before)))}`;
  }
  return 'it cannot be read';
}

/** Of blanks outside texts the first of each row alone. */
function dense(bytes: Buffer): Buffer {
  const kept = Buffer.alloc(bytes.length);
  return kept.subarray(0, keepDense(bytes, kept, bytes.length).length);
}

/** Where in all bytes the one is before which so many of the dense ones are. */
const placeOf = (bytes: Buffer, before: number): number => keepDense(bytes, null, before).at;

function keepDense(bytes: Buffer, kept: Buffer | null, most: number): { length: number; at: number } {
  let [length, at, inText, wasBlank] = [0, 0, false, false];
  for (; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    const again = wasBlank;
    wasBlank = !inText && kinds[byte] === kind.blank;
    if (wasBlank && again) continue;
    if (length >= most) break;
    if (kept) kept[length] = byte;
    length++;
    if (byte === quote) inText = !inText;
    else if (inText && byte === backslash && length < most && at + 1 < bytes.length) {
      at++;
      if (kept) kept[length] = bytes[at] ?? 0;
      length++;
    }
  }
  return { length, at };
}

/** `line 2, column 16`: of what comes behind this. */
function placeBehind(before: Buffer): string {
  let [line, begin] = [1, 0];
  for (let at = 0; at < before.length; at++) if (before[at] === lineBreak) [line, begin] = [line + 1, at + 1];
  return `line ${line}, column ${new TextDecoder().decode(before.subarray(begin)).length + 1}`;
}
