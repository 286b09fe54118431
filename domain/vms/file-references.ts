import { classOf, TextScanner } from '../text-scanner.js';
import { paddedName } from './context-references.js';
import type { ImageName } from './disk-wishes.js';

const inWord = classOf((character) => !',]"\n'.includes(character));
const inQuotes = classOf((character) => character !== '"' && character !== '\n');
const isBetween = classOf((character) => character === ',' || character.trim() === '');
const form = '$FILE[IMAGE_ID=7] or $FILE[IMAGE="name", IMAGE_UNAME="user"]';

/** Characters of what cannot be read that are told. */
const told = 40;

/**
 * The images that a text such as FILES_DS names, in OpenNebula’s form: one, or several with blanks between them. As there the id goes before the
 * name. A text: why it cannot be read.
 */
export function readFileReferences(text: string): ImageName[] | string {
  const scanner = new TextScanner(text);
  const found: ImageName[] = [];
  for (;;) {
    scanner.skipWhile(isBetween);
    if (scanner.atEnd()) return found.length > 0 ? found : `is empty, and is to be as ${form}`;
    const start = scanner.position;
    const image = referenceAt(scanner);
    if (image === null) return `has ${JSON.stringify(text.slice(start, start + told))}, which is to be as ${form}`;
    found.push(image);
  }
}

function referenceAt(scanner: TextScanner): ImageName | null {
  if (!scanner.takes('$') || paddedName(scanner) !== 'FILE' || !scanner.takes('[')) return null;
  const said = new Map<string, string>();
  do {
    const key = paddedName(scanner);
    if (key === undefined || !known.has(key) || said.has(key) || !scanner.takes('=')) return null;
    const value = valueAt(scanner);
    if (value === '') return null;
    said.set(key, value);
  } while (scanner.takes(','));
  return scanner.takes(']') ? imageOf(said) : null;
}

const known: ReadonlySet<string> = new Set(['IMAGE', 'IMAGE_ID', 'IMAGE_UNAME', 'IMAGE_UID']);
const isId = (text: string): boolean => /^\d{1,9}$/.test(text);

/** Nothing: there is none, or its quotes are not closed. */
function valueAt(scanner: TextScanner): string {
  const plain = scanner.takeWhile(inWord).trim();
  if (plain !== '' || !scanner.takes('"')) return plain;
  const value = scanner.takeWhile(inQuotes);
  if (!scanner.takes('"')) return '';
  return scanner.takeWhile(inWord).trim() === '' ? value : '';
}

function imageOf(said: ReadonlyMap<string, string>): ImageName | null {
  const [id, name, uid] = [said.get('IMAGE_ID'), said.get('IMAGE'), said.get('IMAGE_UID')];
  if (uid !== undefined && !isId(uid)) return null;
  if (id !== undefined) return isId(id) ? { id: Number(id) } : null;
  if (name === undefined) return null;
  return { name, owner: said.get('IMAGE_UNAME') ?? (uid === undefined ? null : Number(uid)) };
}
