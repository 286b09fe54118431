import { classOf, TextScanner } from '../text-scanner.js';

/** `$NAME`, or `$NAME[ATTRIBUTE]`; with `where` that of the one of which this is so: `$NIC[IP, NETWORK="private"]`. */
export type Reference = { name: string; attribute?: string; where?: { key: string; value: string } };

/** What a text is made of, in its order: what stands as it is, and references with how they are written. */
export type ContextPart = string | (Reference & { written: string });

const beginsName = classOf((character) => /[A-Za-z_]/.test(character));
const inName = classOf((character) => /\w/.test(character));
const isBlank = classOf((character) => character === ' ' || character === '\t');
const notAfterDollar = classOf((character) => character !== '$');
const inQuotes = classOf((character) => character !== '"' && character !== '\n');
const inValue = classOf((character) => character !== ']' && character !== '\n');

/**
 * Reads the references in a text of CONTEXT (OpenNebula's grammar of context variables). `isVector`: of which names attributes are
 * asked for; `[` behind another name is none of ours: scripts have `$list[0]`. `faults`: what begins as such a reference and is none,
 * which stays as it is.
 */
export function readReferences(
  text: string,
  isVector: (name: string) => boolean,
): { parts: ContextPart[]; faults: string[] } {
  const scanner = new TextScanner(text);
  const parts: ContextPart[] = [];
  const faults: string[] = [];
  while (!scanner.atEnd()) {
    const plain = scanner.takeWhile(notAfterDollar);
    if (plain !== '') parts.push(plain);
    const start = scanner.position;
    if (!scanner.takes('$')) break;
    const reference = referenceAt(scanner, isVector);
    const written = scanner.textBetween(start, scanner.position);
    if (reference === 'none') parts.push(written);
    else if (reference === 'faulty') {
      parts.push(written);
      faults.push(`has ${JSON.stringify(written)}, which is to be as $NIC[IP] or $NIC[IP, NETWORK="private"]`);
    } else parts.push({ ...reference, written });
  }
  return { parts, faults };
}

function referenceAt(scanner: TextScanner, isVector: (name: string) => boolean): Reference | 'none' | 'faulty' {
  const name = nameAt(scanner)?.toUpperCase();
  if (name === undefined) return 'none';
  if (!isVector(name)) return { name };
  if (!scanner.takes('[')) return 'none';
  const attribute = paddedName(scanner);
  if (attribute === undefined) return 'faulty';
  if (scanner.takes(']')) return { name, attribute };
  if (!scanner.takes(',')) return 'faulty';
  const key = paddedName(scanner);
  if (key === undefined || !scanner.takes('=')) return 'faulty';
  scanner.skipWhile(isBlank);
  const value = valueAt(scanner);
  scanner.skipWhile(isBlank);
  return value !== undefined && scanner.takes(']') ? { name, attribute, where: { key, value } } : 'faulty';
}

const nameAt = (scanner: TextScanner): string | undefined =>
  scanner.seesOneOf(beginsName) ? scanner.takeWhile(inName) : undefined;

/** A name with blanks around it, in upper case. */
export function paddedName(scanner: TextScanner): string | undefined {
  scanner.skipWhile(isBlank);
  const name = nameAt(scanner)?.toUpperCase();
  scanner.skipWhile(isBlank);
  return name;
}

function valueAt(scanner: TextScanner): string | undefined {
  if (!scanner.takes('"')) return scanner.takeWhile(inValue).trimEnd();
  const value = scanner.takeWhile(inQuotes);
  return scanner.takes('"') ? value : undefined;
}
