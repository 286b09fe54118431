import {
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  parseAllDocuments,
  type Scalar,
  visit,
  type Document as YamlDocument,
} from 'yaml';
import type { FaultyText, ReadText } from './document.js';

/** Nodes that the aliases of one document may stand for, all in all. */
const mostByAliases = 10_000;

/** The documents of a YAML 1.2 text. What is empty between `---` is none. */
export function yamlDocuments(text: string): ReadText {
  const parsed = parseAllDocuments(text, { prettyErrors: false, intAsBigInt: true, version: '1.2' });
  if (!Array.isArray(parsed)) return { ok: true, documents: [] };
  const faults = parsed.flatMap(({ errors, warnings, directives, contents }) => [
    ...[...errors, ...warnings].map(({ message, pos: [offset] }) => ({ offset, detail: message })),
    ...(directives.yaml.version === '1.2'
      ? []
      : [{ offset: contents?.range?.[0] ?? 0, detail: `this is read as YAML 1.2, not ${directives.yaml.version}` }]),
  ]);
  if (faults.length > 0) return { ok: false, faults };
  const written = parsed.filter(({ contents }) => contents !== null && !isEmpty(contents));
  for (const document of written) faults.push(...faultsOf(document));
  if (faults.length > 0) return { ok: false, faults };
  return {
    ok: true,
    documents: written.map((document) => ({
      content: withNumbers(document.toJS({ maxAliasCount: -1 })),
      offsetOf: (path) => offsetOf(document, path),
    })),
  };
}

const isEmpty = (node: unknown): boolean => isScalar(node) && node.value === null && (node.source ?? '') === '';

/** What is right in YAML, and cannot be said in JSON as it is. */
function faultsOf(document: YamlDocument.Parsed): FaultyText['faults'] {
  const faults: FaultyText['faults'] = [];
  const fault = (node: Node, detail: string): void => {
    faults.push({ offset: node.range?.[0] ?? 0, detail });
  };
  const anchors = new Map<string, Node>();
  const meanings: Meanings = new Map();
  const sizes = new Map<unknown, number>();
  let byAliases = 0;
  visit(document, (key, node) => {
    if (isPair(node) && isNode(node.key) && !isScalar(node.key) && !isAlias(node.key))
      fault(node.key, 'a name must be a text');
    if (isAlias(node)) {
      const meant = anchors.get(node.source);
      if (meant === undefined) fault(node, `*${node.source} stands for nothing: there is no &${node.source} before it`);
      else {
        meanings.set(node, meant);
        // Each alias counts for what it stands for, with what the aliases in that do.
        byAliases += sizeOf(meant, meanings, sizes);
      }
      if (byAliases <= mostByAliases) return undefined;
      fault(node, `the aliases stand for more than ${mostByAliases} values: write out what is meant`);
      return visit.BREAK;
    }
    if (isScalar(node)) for (const detail of scalarFaults(node, key)) fault(node, detail);
    if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) anchors.set(node.anchor, node);
    return undefined;
  });
  return faults;
}

function scalarFaults({ value, source }: Scalar, key: unknown): string[] {
  if (typeof value === 'bigint' && !Number.isSafeInteger(Number(value)))
    return [`${value} is too large for a number: write it in quotes`];
  if (typeof value === 'number' && !Number.isFinite(value))
    return [`${source ?? value} is not a number that JSON has: write it in quotes`];
  return key === 'key' && value === null ? ['a name is missing before the colon'] : [];
}

/** What aliases stand for. */
type Meanings = Map<unknown, Node>;

/** How many values something is when its aliases are written out. */
function sizeOf(node: unknown, meanings: Meanings, sizes: Map<unknown, number>): number {
  const known = sizes.get(node);
  if (known !== undefined) return known;
  // What stands for itself, directly or not, has no end.
  sizes.set(node, Number.POSITIVE_INFINITY);
  const parts: unknown[] = isAlias(node)
    ? [meanings.get(node)]
    : isMap(node)
      ? node.items.flatMap(({ key, value }) => [key, value])
      : isSeq(node)
        ? node.items
        : [];
  const size = parts.reduce<number>((sum, part) => sum + sizeOf(part, meanings, sizes), 1);
  sizes.set(node, size);
  return size;
}

function withNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(withNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]: [string, unknown]) => [name, withNumbers(inner)]),
  );
}

/** Where the value of a path begins, or of the innermost that is there around it. */
function offsetOf(document: YamlDocument, path: readonly string[]): number {
  for (let length = path.length; length > 0; length--) {
    const within = path.slice(0, length);
    const node = document.hasIn(within) ? document.getIn(within, true) : undefined;
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}
