import { isDeepStrictEqual } from 'node:util';
import { nearestName } from '../../schemas/common/nearest-name.js';
import { kinds } from '../kinds.js';
import { composed } from '../shell/called.js';
import { Complaint } from '../shell/complaint.js';
import type { Document } from '../shell/files/document.js';
import { isId } from '../shell/resource.js';
import { type DocumentKind, isObject } from './document-kind.js';

/** A document that has been understood: what is to be there, under its kind and its name. */
export type Wish = {
  kind: string;
  by: DocumentKind;
  name: string;
  /** Without its kind, and but for the names of other objects in the words of the server. */
  attributes: Record<string, unknown>;
  place: Document['place'];
};

/** An object as documents name it: however its name is written. */
export const keyOf = (kind: string, name: string): string => `${kind} ${composed(name)}`;

type Finding = { pointer: string; detail: string };

/**
 * What documents wish, in the order in which it can be made. Throws a Complaint that tells everything that is wrong with
 * them, each with its file and line, before anything is changed.
 */
export function wishesOf(documents: readonly Document[]): Wish[] {
  const findings: Finding[] = [];
  const wishes = documents.flatMap((document) => {
    const wish = wishOf(document);
    if ('findings' in wish) findings.push(...wish.findings);
    return 'findings' in wish ? [] : [wish];
  });
  const seen = new Map<string, string>();
  for (const { kind, name, place } of wishes) {
    const before = seen.get(keyOf(kind, name));
    if (before !== undefined)
      findings.push({ pointer: place('/name'), detail: `${kind} ${JSON.stringify(name)} is at ${before} already` });
    seen.set(keyOf(kind, name), place('/name'));
  }
  if (findings.length > 0)
    throw new Complaint('usage', 'What is to be applied is not valid.', {
      findings,
      next: 'Correct it and try again: nothing has been changed.',
    });
  const order = Object.keys(kinds);
  return wishes.sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind));
}

function wishOf({ content, place }: Document): Wish | { findings: Finding[] } {
  const wrong = (pointer: string, detail: string) => ({ findings: [{ pointer: place(pointer), detail }] });
  if (!isObject(content)) return wrong('', 'a document must be an object with a kind and a name');
  const { kind, ...written } = content;
  const by = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (typeof kind !== 'string' || !by) return wrong('/kind', kindFault(kind));
  const attributes = by.read?.(written) ?? written;
  const { name } = attributes;
  if (typeof name !== 'string' || name === '') return wrong('/name', 'name is required');
  const result = by.wish.safeParse(withReferences(by, attributes, () => 0));
  if (result.success) return { kind, by, name, attributes, place };
  return {
    findings: result.error.issues.map(({ path, message }) => {
      const pointer = `/${path.map(String).join('/')}`;
      return { pointer: place(pointer), detail: `${pointer} ${message}` };
    }),
  };
}

function kindFault(kind: unknown): string {
  const known = Object.keys(kinds).join(', ');
  if (typeof kind !== 'string') return `kind is required, one of ${known}`;
  const meant = nearestName(kind, Object.keys(kinds));
  return `${JSON.stringify(kind)} is no kind that can be applied: ${meant === undefined ? known : `did you mean ${meant}?`}`;
}

/** References that are names and not ids. */
export const namesIn = ({ by, attributes }: Pick<Wish, 'by' | 'attributes'>) =>
  (by.references?.(structuredClone(attributes)) ?? []).flatMap(({ pointer, kind, value }) =>
    isName(value) ? [{ pointer, kind, name: value }] : [],
  );

/** The attributes with an id in the place of each name. */
export function withReferences(
  by: DocumentKind,
  attributes: Record<string, unknown>,
  idOf: (kind: string, name: string) => number,
): Record<string, unknown> {
  const copy = structuredClone(attributes);
  for (const { kind, value, put } of by.references?.(copy) ?? []) if (isName(value)) put(idOf(kind, value));
  return copy;
}

/** A text that is not written as ids are. */
const isName = (value: unknown): value is string => typeof value === 'string' && !isId(value);

/** The body of the request that makes `present` what `wished` says; null: it is that already. */
export function changeOf(
  by: DocumentKind,
  wished: Record<string, unknown>,
  present: unknown,
): Record<string, unknown> | null {
  const before = plain(by.asDocument(present));
  const after = calledAs(before, inUpperCase(by, plain(by.wish.parse(wished))));
  if (by.update === 'PUT') return isDeepStrictEqual(plain(by.wish.parse(before)), after) ? null : wished;
  const isThere = (name: string): boolean =>
    isDeepStrictEqual(before[name], by.merges?.includes(name) ? merged(before[name], after[name]) : after[name]);
  const changed = Object.keys(wished).filter((name) => !by.once?.includes(name) && !isThere(name));
  return changed.length === 0 ? null : Object.fromEntries(changed.map((name) => [name, wished[name]]));
}

/** Under the name as it is kept: one that is only written in another way is no change. */
const calledAs = (before: Record<string, unknown>, wished: Record<string, unknown>): Record<string, unknown> =>
  typeof before.name === 'string' && typeof wished.name === 'string' && composed(before.name) === composed(wished.name)
    ? { ...wished, name: before.name }
    : wished;

/** The members of some members named as the server keeps them. */
const inUpperCase = ({ anyCase = [] }: DocumentKind, wished: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(wished).map(([name, value]) => [
      name,
      anyCase.includes(name) && isObject(value)
        ? Object.fromEntries(Object.entries(value).map(([inner, one]) => [inner.toUpperCase(), one]))
        : value,
    ]),
  );

/** What a document says something about, and is other than it was: by its name. */
export function changedBetween(
  by: DocumentKind,
  wished: Record<string, unknown>,
  before: unknown,
  now: unknown,
): string[] {
  const [one, other] = [plain(by.asDocument(before)), plain(by.asDocument(now))];
  // What replaces the whole of an object is about each part of it.
  const names = by.update === 'PUT' ? Object.keys({ ...one, ...other }) : Object.keys(wished);
  return names.filter((name) => !isDeepStrictEqual(one[name], other[name]));
}

/** What becomes of an object when changes are merged into it: null takes away, or is what was there already. */
function merged(before: unknown, changes: unknown): unknown {
  if (!isObject(before) || !isObject(changes)) return changes;
  const kept = Object.entries(changes).filter(([name, value]) => value !== null || before[name] === null);
  const removed = Object.keys(changes).filter((name) => changes[name] === null && before[name] !== null);
  const rest = Object.entries(before).filter(([name]) => !removed.includes(name));
  return { ...Object.fromEntries(rest), ...Object.fromEntries(kept) };
}

/** As JSON would have it: what is undefined is not there. */
function plain(value: unknown): Record<string, unknown> {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  return isObject(copy) ? copy : {};
}
