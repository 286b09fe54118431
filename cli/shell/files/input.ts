import { isDeepStrictEqual } from 'node:util';
import { attributesOf, printTemplateText, readTemplateText } from '../../../domain/template-text.js';
import { TextScanner } from '../../../domain/text-scanner.js';
import { printableLines } from '../../../schemas/common/printable.js';
import { Complaint } from '../complaint.js';
import { rawText } from '../output.js';
import type { Document } from './document.js';
import { documentsIn, isJson } from './documents.js';
import { stepsOf } from './places.js';
import { nameOf, textOf, whereIn } from './text-of.js';

const fileHelp = 'Name a file with -f, or give the text on standard input with -f -';

/**
 * The one document of a file, or of standard input for `-`: YAML or JSON with comments; where `templateText`, also
 * OpenNebula's template text, read as the server reads it, with its NAME as `name` and the rest as `template`.
 */
export function readInput(file: string, { templateText = false } = {}): Document {
  const text = textOf(file, { next: fileHelp });
  if (templateText && isTemplateText(file, text)) return documentOfTemplateText(file, text);
  const [document, another] = documentsIn(file, text);
  if (document === undefined) throw new Complaint('usage', `${nameOf(file)} is empty.`, { next: fileHelp });
  if (another !== undefined)
    throw new Complaint('usage', `${nameOf(file)} has more than one document, the second at ${another.place('')}.`, {
      next: 'Give them one by one: nothing has been changed.',
    });
  return document;
}

/** By the first line that is no comment: YAML has a colon where template text has an equals sign. */
const isTemplateText = (file: string, text: string): boolean =>
  !/\.ya?ml$/i.test(file) &&
  !isJson(file, text) &&
  /^[ \t]*[A-Za-z_][\w./-]*[ \t]*=/.test(text.split('\n').find((line) => !/^\s*(?:#|$)/.test(line)) ?? '');

function documentOfTemplateText(file: string, text: string): Document {
  const scanner = new TextScanner(text);
  const read = readTemplateText(scanner);
  if (!read.ok)
    throw new Complaint('usage', `${nameOf(file)} is not valid template text.`, {
      findings: read.errors.map(({ detail, ...place }) => ({ pointer: whereIn(file, place), detail })),
      next: 'Correct it and try again: nothing has been changed.',
    });
  const { NAME: name, ...template } = attributesOf(read.entries);
  return {
    content: { ...(name === undefined ? {} : { name }), template },
    place: (pointer) => {
      const called = stepsOf(pointer)
        .at(pointer.startsWith('/template/') ? 1 : 0)
        ?.toUpperCase();
      const entry = read.entries.find((one) => 'name' in one && one.name === called);
      return whereIn(file, { line: scanner.placeOf(entry?.at ?? 0).line });
    },
  };
}

/** The attributes of template text that stands in another one, coded in Base64; `called`: where. */
export function attributesOfCoded(coded: string, called: string): Record<string, unknown> {
  const read = readTemplateText(new TextScanner(Buffer.from(coded, 'base64').toString('utf8')));
  if (read.ok) return attributesOf(read.entries);
  throw new Complaint('usage', `${called} is no template text in Base64.`, {
    findings: read.errors.map(({ detail }) => ({ pointer: called, detail })),
    next: 'Make it with: base64 -w 0 FILE',
  });
}

/** What has a number where template text has a word. */
const numbers = ['CPU', 'VCPU', 'MEMORY'];

/**
 * What `readInput` reads back as this name and template: template text where that holds all of it, else YAML. Text knows
 * words, lists of several and one level of members; and what nobody sees is written out in YAML alone.
 */
export function vmTemplateText(name: string, template: Readonly<Record<string, unknown>>): string {
  const worded = Object.entries(template).map(([attribute, value]): [string, unknown] => [
    attribute,
    numbers.includes(attribute) && typeof value === 'number' ? String(value) : value,
  ]);
  const wished = { NAME: name, ...Object.fromEntries(worded) };
  const text = printTemplateText(wished).trimEnd();
  const read = readTemplateText(new TextScanner(text));
  const holdsAll =
    !('NAME' in template) &&
    read.ok &&
    isDeepStrictEqual(attributesOf(read.entries), wished) &&
    printableLines(text) === text;
  return holdsAll ? text : rawText('yaml', { name, template });
}

/** What the server says of what has been read, with the lines of the file. */
export const inFile =
  ({ place }: Document, under = '') =>
  (error: unknown): never => {
    if (!(error instanceof Complaint)) throw error;
    const { exit, message, findings, next, cause } = error;
    const placed = findings.map(({ pointer, detail }) => {
      if (!pointer.startsWith(`${under}/`)) return { pointer, detail };
      const line = place(pointer.slice(under.length));
      // A sentence that begins with the pointer needs the line alone before it.
      return { pointer: message.startsWith(`${pointer} `) ? line : `${line}: ${pointer}`, detail };
    });
    throw new Complaint(exit, message, { findings: placed, next, cause });
  };

/** The object that a file holds. Throws a Complaint when it is anything else. */
export function objectIn({ content, place }: Document, { next }: { next: string }): Record<string, unknown> {
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { ...content };
  throw new Complaint('usage', `${place('')}: this must be an object.`, { next });
}
