import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { type Body, json } from './api-client.js';
import { Complaint } from './complaint.js';

/** What a file may hold beside JSON (with comments) and YAML. */
export type Accepts = { templateText: boolean };

/**
 * The body of a request from a file, or from standard input for `-`. JSON and template text go to the server as they are,
 * so that its messages name the lines of the file; YAML becomes JSON here.
 */
export function readInput(file: string, { templateText }: Accepts): Body {
  const text = contentsOf(file);
  const yaml = /\.ya?ml$/i.test(file);
  const start = text.replace(/^(?:\s+|#[^\n]*\n|\/\/[^\n]*\n|\/\*[\s\S]*?\*\/)*/, '');
  if (start === '') throw new Complaint('usage', `${nameOf(file)} is empty.`, { next: fileHelp });
  if (!yaml && (start.startsWith('{') || /\.jsonc?$/i.test(file))) return { type: 'application/json', text };
  if (!yaml && templateText && /^[A-Za-z_][\w/-]*[ \t]*=/.test(start)) return { type: 'text/plain', text };
  return json(parsedYaml(text, file));
}

/** The same for what must be an object that the command goes on with. */
export function readObject(file: string): unknown {
  return parsedYaml(contentsOf(file).replaceAll(/^\s*\/\/.*$/gm, ''), file);
}

function contentsOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new Complaint('usage', `${nameOf(file)} ${missing ? 'does not exist' : 'cannot be read'}.`, {
      cause,
      next: fileHelp,
    });
  }
}

function parsedYaml(text: string, file: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length === 0) return document.toJS({ maxAliasCount: 100 });
  throw new Complaint('usage', `${nameOf(file)} is not valid YAML.`, {
    next: 'Correct it and try again: nothing has been changed.',
    findings: document.errors.map(({ message, pos: [offset] }) => {
      const { line, col } = lines.linePos(offset);
      return { pointer: '', detail: `line ${line}, column ${col}: ${message}` };
    }),
  });
}

const fileHelp = 'Name a file with -f, or give the text on standard input with -f -';

const nameOf = (file: string): string => (file === '-' ? 'Standard input' : file);
