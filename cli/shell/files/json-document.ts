import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { FaultyText, ReadText } from './document.js';

/** A JSON text, in which comments are allowed. Its numbers and names are those that it has, or it is refused. */
export function jsonDocument(text: string): ReadText {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: false, disallowComments: false });
  if (errors.length > 0)
    return { ok: false, faults: errors.map(({ error, offset }) => ({ offset, detail: wordsOf(error) })) };
  if (root === undefined) return { ok: true, documents: [] };
  const faults: FaultyText['faults'] = [];
  const content = contentOf(root, text, faults);
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, documents: [{ content, offsetOf: (path) => offsetOf(root, path) }] };
}

const wordsOf = (error: ParseError['error']): string =>
  printParseErrorCode(error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();

function contentOf(node: Node, text: string, faults: FaultyText['faults']): unknown {
  const { type, children = [] } = node;
  if (type === 'array') return children.map((child) => contentOf(child, text, faults));
  if (type === 'number') {
    const written = text.slice(node.offset, node.offset + node.length);
    if (isChanged(Number(node.value), written))
      faults.push({ offset: node.offset, detail: `${written} is too large for a number: write it in quotes` });
  }
  if (type !== 'object') return node.value;
  const members = new Map<string, unknown>();
  for (const { children: [name, value] = [] } of children) {
    if (name === undefined || value === undefined) continue;
    const called = String(name.value);
    if (members.has(called))
      faults.push({ offset: name.offset, detail: `${JSON.stringify(called)} is given twice in the same object` });
    members.set(called, contentOf(value, text, faults));
  }
  return Object.fromEntries(members);
}

/** Whether an integer is another one when it has been read. */
const isChanged = (value: number, written: string): boolean =>
  !Number.isFinite(value) || (/^-?\d+$/.test(written) && !Number.isSafeInteger(value));

/** Where the value of a path begins, or of the innermost that is there around it. */
function offsetOf(root: Node, path: readonly string[]): number {
  let at = root;
  for (const step of path) {
    const next =
      at.type === 'array'
        ? at.children?.[Number(step)]
        : at.children?.find(({ children: [name] = [] }) => name?.value === step)?.children?.[1];
    if (next === undefined) break;
    at = next;
  }
  return at.offset;
}
