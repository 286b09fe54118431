import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { mergePatch } from '../../domain/merge-patch.js';
import type { Revised } from '../../requests/edit.js';
import { check } from './findings.js';
import { invalid } from './invalid.js';
import type { BodySpec } from './read-body.js';

type Revise<E> = (present: E) => Revised<E>;

/** What a PATCH may be sent as; the second because it is what people send anyway, and means the same. */
export const patchTypes = ['application/merge-patch+json', 'application/json'] as const;

/**
 * A JSON merge patch (RFC 7396) of what can be edited of an object. `patch` describes it; `whole` is what its outcome must
 * be. `named`: the patch with its names as the object has them, where letter case does not matter.
 */
export function patches<P extends z.ZodType, E>(
  patch: P,
  whole: z.ZodType<E>,
  named: (sent: unknown) => unknown = (sent) => sent,
): BodySpec<z.ZodType<Revise<E>, z.input<P>>> {
  const schema: z.ZodType<Revise<E>, z.input<P>> = z
    .custom<z.input<P>>(() => true)
    .transform(
      (sent): Revise<E> =>
        (present) => {
          const changes = named(sent);
          const checked = checkedChanges(whole, present, mergePatch(present, changes));
          if (checked.ok) return { wish: checked.value, named: namesIn(changes) };
          throw invalid(
            checked.findings.map((finding) =>
              finding.detail === 'is required' && isRemovedBy(changes, finding.pointer)
                ? { ...finding, detail: 'cannot be removed' }
                : finding,
            ),
          );
        },
    );
  return { schema, described: patch, taken: 'required', comments: false, types: patchTypes };
}

/**
 * What has come out of a patch, of which only what the patch has changed is judged: what is stored already, and would be
 * refused today, does not stand in the way of other changes.
 */
function checkedChanges<E>(whole: z.ZodType<E>, present: E, wished: unknown): ReturnType<typeof check<z.ZodType<E>>> {
  if (!(whole instanceof z.ZodObject) || !isRecord(wished) || !isRecord(present)) return check(whole, wished);
  const stays = Object.keys(whole.shape).filter(
    (name) => Object.hasOwn(wished, name) && isDeepStrictEqual(wished[name], present[name]),
  );
  const judged = check(whole.extend(Object.fromEntries(stays.map((name) => [name, z.unknown()]))), wished);
  return judged.ok ? { ...judged, value: z.custom<E>(() => true).parse(judged.value) } : judged;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The whole of what can be edited of an object, to be put in its place. */
export function replaces<E>(whole: z.ZodType<E>, body: Omit<BodySpec<z.ZodType>, 'schema' | 'taken' | 'described'>) {
  const schema = whole.transform(
    (wish): Revise<E> =>
      () => ({ wish, named: namesIn(wish) }),
  );
  return { ...body, schema, described: whole, taken: 'required' } as const;
}

const namesIn = (value: unknown): ReadonlySet<string> =>
  new Set(typeof value === 'object' && value !== null ? Object.keys(value) : []);

/** Whether a patch takes away what this points to, or what that is in. */
function isRemovedBy(patch: unknown, pointer: string): boolean {
  let at = patch;
  for (const step of pointer.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return at === null;
    at = new Map<string, unknown>(Object.entries(at)).get(step.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return at === null;
}

/** A patch whose names below one member are written in upper case, as the object has them. */
export const upperCaseBelow =
  (member: string) =>
  (sent: unknown): unknown => {
    if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return sent;
    return Object.fromEntries(
      Object.entries(sent).map(([name, value]: [string, unknown]) => [
        name,
        name === member && typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries(
              Object.entries(value).map(([inner, one]: [string, unknown]) => [inner.toUpperCase(), one]),
            )
          : value,
      ]),
    );
  };
