import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Complaint } from '../complaint.js';
import type { Document, ReadText } from './document.js';
import { jsonDocument } from './json-document.js';
import { placesIn, stepsOf } from './places.js';
import { nameOf, textOf, whereIn } from './text-of.js';
import { yamlDocuments } from './yaml-documents.js';

const directoryHelp =
  'Name a file or a directory of .yaml and .json files with -f, or give the text on standard input with -f -';

/** The documents of a file, of every .yaml, .yml, .json and .jsonc of a directory in the order of their names, or of standard input (`-`). */
export function readDocuments(path: string): Document[] {
  const files = path === '-' ? [path] : filesOf(path);
  const documents = files.flatMap((file) => documentsIn(file, textOf(file, { next: directoryHelp })));
  if (documents.length === 0)
    throw new Complaint('usage', `There is no document in ${path === '-' ? 'standard input' : path}.`, {
      next: directoryHelp,
    });
  return documents;
}

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.(ya?ml|jsonc?)$/i.test(name));
    return names.sort().map((name) => join(path, name));
  } catch (cause) {
    throw new Complaint('usage', `${path} does not exist or cannot be read.`, { cause, next: directoryHelp });
  }
}

/** What a text is read as: by its file's ending, else by how it begins, which YAML and JSON with comments do differently. */
export const isJson = (file: string, text: string): boolean =>
  /\.jsonc?$/i.test(file) || (!/\.ya?ml$/i.test(file) && /^\s*(?:[{[]|\/\/|\/\*)/.test(text));

/** The documents of a text of YAML, or of JSON with comments. Throws a Complaint with the line and column of each fault. */
export function documentsIn(file: string, text: string): Document[] {
  const json = isJson(file, text);
  const read = readAs(json ? jsonDocument : yamlDocuments, file, text);
  const placeOf = placesIn(text);
  if (!read.ok) {
    const findings = read.faults.slice(0, 20).map(({ offset, detail }) => ({
      pointer: whereIn(file, placeOf(offset)),
      detail,
    }));
    throw new Complaint('usage', `${nameOf(file)} is not valid ${json ? 'JSON' : 'YAML'}.`, {
      findings,
      next: 'Correct it and try again: nothing has been changed.',
    });
  }
  return read.documents.map(({ content, offsetOf }) => ({
    content,
    place: (pointer) => whereIn(file, { line: placeOf(offsetOf(stepsOf(pointer))).line }),
  }));
}

function readAs(parse: (text: string) => ReadText, file: string, text: string): ReadText {
  try {
    return parse(text);
  } catch (cause) {
    // Both parsers go down a level of the text by a call.
    if (!(cause instanceof RangeError)) throw cause;
    throw new Complaint('usage', `${nameOf(file)} is nested too deeply to be read.`, {
      cause,
      next: 'Write it with fewer levels: nothing has been changed.',
    });
  }
}
