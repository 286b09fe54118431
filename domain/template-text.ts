import { attributeNameFault } from '../schemas/common/attribute-name.js';
import { limits } from '../schemas/common/limits.js';
import { classOf, TextScanner } from './text-scanner.js';

/** Where a text could not be read; line and column count from 1. */
export type TextError = { line: number; column: number; detail: string };
export type TextValue = string | Record<string, string>;
/** An attribute, or a `$NAME` that stands for attributes; `at`: its place in the text. */
export type TextEntry = { at: number; name: string; value: TextValue } | { at: number; standIn: string };
export type ReadTemplateText = { ok: true; entries: TextEntry[] } | { ok: false; errors: TextError[] };
export type ParsedTemplateText = { ok: true; value: Record<string, unknown> } | { ok: false; errors: TextError[] };

const mostErrors = 20;
const mostAttributes = limits.attributes.most;
/** With comments and blanks, more than what a template may have as JSON. */
const longestText = 4 * limits.vmTemplate.most;

/**
 * Reads OpenNebula's template text: `NAME=value`, `NAME="value"` (may span lines; `\"` and `\\` are escapes),
 * `NAME=[A=B, C="D"]`, `# comments`. Names are upper-cased and a name that is repeated becomes a list; every value is a
 * string. As in OpenNebula, a value without quotes is one word without `=`, and a line may have several attributes.
 */
export function parseTemplateText(text: string): ParsedTemplateText {
  const read = readTemplateText(new TextScanner(text));
  return read.ok ? { ok: true, value: attributesOf(read.entries) } : read;
}

/**
 * The same in the order of the text, in a time that grows with its length. `standIns`: a `$NAME` may stand where an
 * attribute is expected.
 */
export function readTemplateText(scanner: TextScanner, { standIns = false } = {}): ReadTemplateText {
  if (scanner.length > longestText)
    return { ok: false, errors: [{ line: 1, column: 1, detail: `the text is longer than ${longestText} characters` }] };
  const entries: TextEntry[] = [];
  const errors: TextError[] = [];
  let before: Read | undefined;
  let left = mostAttributes;
  while (errors.length < mostErrors) {
    const onNewLine = skipBlank(scanner);
    if (errors.length > 0) skipLoneBracket(scanner);
    if (scanner.atEnd()) break;
    const read =
      left > 0
        ? readEntry(scanner, left - 1, standIns, onNewLine ? undefined : before)
        : new Fault(scanner.position, tooMany);
    if (read instanceof Fault) {
      errors.push({ ...scanner.placeOf(read.at), detail: read.detail });
      if (read.detail === tooMany) break;
      // One fault does not hide the next.
      scanner.goToLineAfter(read.at);
      before = undefined;
    } else {
      entries.push(read.entry);
      left -= countOf(read.entry);
      before = read;
    }
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, entries };
}

/** How many of the attributes that a template may have it is: a vector and each of its members. */
const countOf = (entry: TextEntry): number =>
  'standIn' in entry || typeof entry.value === 'string' ? 1 : 1 + Object.keys(entry.value).length;

/** Attributes by their names: one that is given more than once is a list. */
export function attributesOf(entries: readonly TextEntry[]): Record<string, unknown> {
  const byName = new Map<string, TextValue[]>();
  for (const entry of entries) {
    if ('standIn' in entry) continue;
    const values = byName.get(entry.name);
    if (values) values.push(entry.value);
    else byName.set(entry.name, [entry.value]);
  }
  return Object.fromEntries([...byName].map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
}

/** Writes what `parseTemplateText` reads back as the same value, but for numbers and booleans, which become strings. */
export function printTemplateText(value: Readonly<Record<string, unknown>>): string {
  return Object.entries(value)
    .flatMap(([name, attribute]) => [attribute].flat().map((item) => printAttribute(name, item)))
    .join('');
}

/** One line, as long as the value has one. */
export function printAttribute(name: string, item: unknown): string {
  if (typeof item !== 'object' || item === null) return `${name}=${quoted(item)}\n`;
  const members = Object.entries(item).map(([member, value]) => `${member}=${quoted(value)}`);
  return `${name}=[${members.join(', ')}]\n`;
}

/** A value in quotes. The text has two levels only: what lies deeper is written as JSON. */
function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

class Fault {
  constructor(
    readonly at: number,
    readonly detail: string,
  ) {}
}

const tooMany = `there are more than ${mostAttributes} attributes`;

/** `bare`: its value stood without quotes. */
type Read = { entry: TextEntry; called: string; bare: boolean };

const isBlank = classOf((character) => ' \t\r'.includes(character));
const isSpace = classOf((character) => character.trim() === '');
const isInName = classOf((character) => /[\w/.$-]/.test(character));
const isInWord = classOf((character) => character !== '=' && character.trim() !== '');
const isInMember = classOf((character) => !'=,[]"'.includes(character) && character.trim() !== '');
const isInLine = classOf((character) => character !== '\n');
const isPlain = classOf((character) => character !== '"' && character !== '\\');

/** `left`: how many members it may have. */
function readEntry(scanner: TextScanner, left: number, standIns: boolean, before: Read | undefined): Read | Fault {
  const at = scanner.position;
  if (standIns && scanner.sees('$')) return readStandIn(scanner);
  const name = readName(scanner, before);
  if (name instanceof Fault) return name;
  const value = readValue(scanner, left);
  if (value instanceof Fault) return value;
  const read = { entry: { at, name, value: value.value }, called: name, bare: value.bare };
  return endsHere(scanner) || scanner.sees('#') ? read : afterValue(read, scanner.position);
}

const afterValue = ({ called, bare }: Read, at: number): Fault =>
  new Fault(
    at,
    `expected the end of the line or another NAME=value after the value of ${called}${bare ? '; a value with blanks or = needs quotes' : ''}`,
  );

const endsHere = (scanner: TextScanner): boolean => scanner.atEnd() || scanner.seesOneOf(isSpace);

function readStandIn(scanner: TextScanner): Read | Fault {
  const at = scanner.position;
  const word = scanner.takeWhile(isInName);
  if (!/^\$\w+$/.test(word) || !endsHere(scanner)) return new Fault(at, 'expected NAME=value');
  return { entry: { at, standIn: word.slice(1) }, called: word, bare: false };
}

/** A name and the `=` behind it. */
function readName(scanner: TextScanner, before?: Read): string | Fault {
  const at = scanner.position;
  const name = scanner.takeWhile(isInName);
  const end = scanner.position;
  scanner.takeWhile(isBlank);
  if (name === '' || !scanner.takes('=')) {
    if (before) return afterValue(before, at);
    return name === '' ? new Fault(at, 'expected NAME=value') : new Fault(end, `expected = after ${cut(name)}`);
  }
  const fault = attributeNameFault(name);
  return fault === undefined ? name.toUpperCase() : new Fault(at, `${cut(name)} ${fault}`);
}

const cut = (name: string): string => (name.length > 40 ? `${name.slice(0, 40)}…` : name);

function readValue(scanner: TextScanner, left: number): { value: TextValue; bare: boolean } | Fault {
  const blanks = scanner.takeWhile(isBlank);
  // A # right behind the = begins a value such as #fff; behind a blank it is a comment.
  if (blanks !== '' && scanner.sees('#')) return { value: '', bare: true };
  const bare = !scanner.sees('[') && !scanner.sees('"');
  if (bare) return { value: scanner.takeWhile(isInWord), bare };
  const value = scanner.sees('[') ? readVector(scanner, left) : readQuoted(scanner);
  return value instanceof Fault ? value : { value, bare };
}

function readQuoted(scanner: TextScanner): string | Fault {
  const at = scanner.position;
  scanner.takes('"');
  const start = scanner.position;
  let escapes = false;
  for (;;) {
    scanner.skipWhile(isPlain);
    if (scanner.atEnd()) return new Fault(at, 'expected a second quote to close this one');
    if (scanner.takes('"')) break;
    scanner.takes('\\');
    escapes = true;
    if (!scanner.takes('"')) scanner.takes('\\');
  }
  const written = scanner.textBetween(start, scanner.position - 1);
  return escapes ? written.replace(/\\(["\\])/g, '$1') : written;
}

function readVector(scanner: TextScanner, left: number): Record<string, string> | Fault {
  const vector = new Map<string, string>();
  scanner.takes('[');
  skipBlank(scanner);
  while (!scanner.takes(']')) {
    const at = scanner.position;
    const name = readName(scanner);
    if (name instanceof Fault) return name;
    if (vector.size === left) return new Fault(at, tooMany);
    if (vector.has(name)) return new Fault(at, `expected ${name} only once in these brackets`);
    scanner.takeWhile(isBlank);
    const value = scanner.sees('"') ? readQuoted(scanner) : scanner.takeWhile(isInMember);
    if (value instanceof Fault) return value;
    vector.set(name, value);
    skipBlank(scanner);
    const more = scanner.takes(',');
    skipBlank(scanner);
    if (!more && !scanner.sees(']')) return new Fault(scanner.position, `expected , or ] after the value of ${name}`);
    if (more && scanner.sees(']')) return new Fault(scanner.position, 'expected NAME=value after the comma');
  }
  return Object.fromEntries(vector);
}

/** Blanks, empty lines and comments; whether that led to another line. */
function skipBlank(scanner: TextScanner): boolean {
  let onNewLine = false;
  for (;;) {
    scanner.takeWhile(isBlank);
    if (scanner.sees('#')) scanner.takeWhile(isInLine);
    const start = scanner.position;
    if (scanner.takes('\n')) onNewLine = true;
    else scanner.takeWhile(isSpace);
    if (scanner.position === start) return onNewLine;
  }
}

/** The bracket that an error has left open may be closed by itself on a line: that is no other error. */
function skipLoneBracket(scanner: TextScanner): void {
  const start = scanner.position;
  if (!scanner.takes(']')) return;
  scanner.takeWhile(isBlank);
  if (scanner.atEnd() || scanner.sees('\n')) skipBlank(scanner);
  else scanner.position = start;
}
