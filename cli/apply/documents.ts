import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isNode, LineCounter, parseAllDocuments, type Document as YamlDocument } from 'yaml';
import { Complaint } from '../complaint.js';

/** One document of a file: what is to be there. */
export type Document = {
  /** What it holds; it may be anything. */
  content: unknown;
  /** Where the value at a JSON pointer stands, or what is nearest around it: `shop.yaml:12`. */
  place: (pointer: string) => string;
};

/** The documents of a file, of every .yaml, .yml and .json of a directory in the order of their names, or of standard input (`-`). */
export function readDocuments(path: string): Document[] {
  if (path === '-') return documentsIn('standard input', textOf(0, 'Standard input'));
  const files = filesOf(path);
  const documents = files.flatMap((file) => documentsIn(file, textOf(file, file)));
  if (documents.length === 0) throw new Complaint('usage', `There is no document in ${path}.`, { next: help });
  return documents;
}

const help =
  'Name a file or a directory of .yaml and .json files with -f, or give the text on standard input with -f -';

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.(ya?ml|json)$/i.test(name));
    return names.sort().map((name) => join(path, name));
  } catch (cause) {
    throw new Complaint('usage', `${path} does not exist or cannot be read.`, { cause, next: help });
  }
}

function textOf(file: string | 0, name: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Complaint('usage', `${name} cannot be read.`, { cause, next: help });
  }
}

function documentsIn(file: string, text: string): Document[] {
  const lines = new LineCounter();
  // Comments of JSON are none of YAML's; the lines keep their numbers.
  const parsed = parseAllDocuments(text.replaceAll(/^\s*\/\/.*$/gm, ''), { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(parsed)) return [];
  const findings = parsed.flatMap(({ errors }) =>
    errors.map(({ message, pos: [offset] }) => ({ pointer: `${file}:${lines.linePos(offset).line}`, detail: message })),
  );
  if (findings.length > 0)
    throw new Complaint('usage', `${file} is not valid YAML or JSON.`, {
      findings,
      next: 'Correct it and try again: nothing has been changed.',
    });
  return parsed
    .filter(({ contents }) => contents !== null)
    .map((document) => {
      const content: unknown = document.toJS({ maxAliasCount: 100 });
      return { content, place: (pointer) => `${file}:${lines.linePos(offsetOf(document, pointer)).line}` };
    });
}

/** Where the value of a pointer begins, or of the innermost that is there around it. */
function offsetOf(document: YamlDocument, pointer: string): number {
  const path = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  for (let length = path.length; length > 0; length--) {
    const node = document.hasIn(path.slice(0, length)) ? document.getIn(path.slice(0, length), true) : undefined;
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}
