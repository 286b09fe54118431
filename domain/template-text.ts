/** Where a text could not be read; line and column count from 1. */
export type TextError = { line: number; column: number; detail: string };
export type ParsedTemplateText = { ok: true; value: Record<string, unknown> } | { ok: false; errors: TextError[] };

const mostErrors = 20;

/**
 * Reads OpenNebula's template text: `NAME=value`, `NAME="value"` (may span lines; `\"` and `\\` are escapes),
 * `NAME=[A=B, C="D"]`, `# comments`. Names are upper-cased and a name that is repeated becomes a list; every value is a
 * string. A value without quotes ends at the end of its line, or at a `#` after a blank.
 */
export function parseTemplateText(text: string): ParsedTemplateText {
  const reader = new Reader(text);
  const value = new Map<string, unknown>();
  for (reader.skipToNext(); !reader.atEnd() && reader.errors.length < mostErrors; reader.skipToNext()) {
    const attribute = readAttribute(reader);
    if (attribute === undefined) {
      reader.skipLineOfError();
      continue;
    }
    const [name, item] = attribute;
    const earlier = value.get(name);
    value.set(name, earlier === undefined ? item : [earlier, item].flat());
  }
  return reader.errors.length > 0
    ? { ok: false, errors: reader.errors }
    : { ok: true, value: Object.fromEntries(value) };
}

/** Writes what `parseTemplateText` reads back as the same value, but for numbers and booleans, which become strings. */
export function printTemplateText(value: Readonly<Record<string, unknown>>): string {
  return Object.entries(value)
    .flatMap(([name, attribute]) => [attribute].flat().map((item) => `${name}=${printItem(item)}\n`))
    .join('');
}

function printItem(item: unknown): string {
  if (typeof item !== 'object' || item === null) return quoted(item);
  const attributes = Object.entries(item).map(([name, value]) => `${name}=${quoted(value)}`);
  return `[${attributes.join(', ')}]`;
}

/** A value in quotes. The text has two levels only: what lies deeper is written as JSON. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function readAttribute(reader: Reader): [name: string, value: unknown] | undefined {
  const name = readName(reader);
  if (name === undefined) return undefined;
  const value = reader.sees('[') ? readVector(reader) : reader.sees('"') ? readQuoted(reader) : readLine(reader);
  if (value === undefined) return undefined;
  reader.take(/[ \t\r]*(?:#[^\n]*)?/y);
  if (!reader.atEnd() && !reader.sees('\n')) return reader.expected(`the end of the line after the value of ${name}`);
  return [name, value];
}

/** A name and the `=` behind it. */
function readName(reader: Reader): string | undefined {
  const name = reader.take(/[A-Za-z_][\w/-]*/y);
  if (name === '') return reader.expected('NAME=value');
  if (reader.take(/[ \t]*=/y) === '') return reader.expected(`= after ${name}`);
  // The blank before a # stays: it tells a comment from a value such as #fff.
  reader.take(/[ \t]+(?!#)/y);
  return name.toUpperCase();
}

function readLine(reader: Reader): string {
  const line = reader.take(/[^\n]*/y);
  const comment = line.search(/[ \t]#/);
  return (comment === -1 ? line : line.slice(0, comment)).trim();
}

function readQuoted(reader: Reader): string | undefined {
  const text = reader.take(/"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y);
  if (text === '') return reader.expected('a second quote to close this one');
  return text.slice(1, -1).replace(/\\(["\\])/g, '$1');
}

function readVector(reader: Reader): Record<string, unknown> | undefined {
  const vector = new Map<string, unknown>();
  reader.take(/\[/y);
  reader.skipBlank();
  while (!reader.sees(']')) {
    const start = reader.position;
    const name = readName(reader);
    if (name === undefined) return undefined;
    if (vector.has(name)) return reader.expected(`${name} only once in these brackets`, start);
    const value = reader.sees('"') ? readQuoted(reader) : reader.take(/[^,\]\n"[]*/y).trim();
    if (value === undefined) return undefined;
    vector.set(name, value);
    reader.skipBlank();
    const more = reader.take(/,/y) !== '';
    reader.skipBlank();
    if (!more && !reader.sees(']')) return reader.expected(`, or ] after the value of ${name}`);
    if (more && reader.sees(']')) return reader.expected('NAME=value after the comma');
  }
  reader.take(/\]/y);
  return Object.fromEntries(vector);
}

class Reader {
  position = 0;
  readonly errors: TextError[] = [];
  #failedAt = 0;

  constructor(private readonly text: string) {}

  atEnd(): boolean {
    return this.position >= this.text.length;
  }

  sees(character: string): boolean {
    return this.text[this.position] === character;
  }

  /** What a sticky pattern matches here, and goes on behind it; empty when it does not match. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.position;
    const [taken = ''] = pattern.exec(this.text) ?? [];
    this.position += taken.length;
    return taken;
  }

  /** Blanks, empty lines and comments. */
  skipBlank(): void {
    this.take(/(?:\s+|#[^\n]*)*/y);
  }

  /** To the next attribute; the bracket that an error has left open may be closed before it. */
  skipToNext(): void {
    this.skipBlank();
    if (this.errors.length > 0 && this.take(/\][ \t\r]*(?=\n|$)/y) !== '') this.skipBlank();
  }

  expected(what: string, position = this.position): undefined {
    const lines = this.text.slice(0, position).split('\n');
    this.errors.push({ line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, detail: `expected ${what}` });
    this.#failedAt = position;
  }

  /** Goes on at the line after the error, so that one fault does not hide the next. */
  skipLineOfError(): void {
    const end = this.text.indexOf('\n', this.#failedAt);
    this.position = end === -1 ? this.text.length : end + 1;
  }
}
