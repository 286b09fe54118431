import { z } from 'zod';
import { nearestName } from '../../schemas/common/nearest-name.js';
import { nameable } from '../kinds.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import type { DocumentKind } from './document-kind.js';
import { keyOf, namesIn, type Wish } from './plan.js';
import { presentOf } from './present.js';

/** The id of an object that is there already; undefined for what the documents themselves make. */
export type References = (kind: string, name: string) => number | undefined;

/**
 * Looks for every object that the documents name and do not make. Throws a Complaint that tells all that are missing, each
 * with its file and line, before anything is changed.
 */
export async function referencesOf(context: Context, wishes: readonly Wish[]): Promise<References> {
  const ids = new Map<string, number | undefined>();
  for (const { kind, name } of wishes) ids.set(keyOf(kind, name), undefined);
  const findings: { pointer: string; detail: string }[] = [];
  for (const wish of wishes)
    for (const { pointer, kind, name } of namesIn(wish)) {
      const by = nameable[kind];
      if (!by || ids.has(keyOf(kind, name))) continue;
      const found = await presentOf(context, by, name);
      if (found) ids.set(keyOf(kind, name), found.value.id);
      else findings.push({ pointer: wish.place(pointer), detail: await missing(context, { kind, by, name }, wishes) });
    }
  if (findings.length > 0)
    throw new Complaint('not_found', 'What is to be applied names what is not there.', {
      findings,
      next: 'Make it first, or in the same files. Nothing has been changed.',
    });
  return (kind, name) => ids.get(keyOf(kind, name));
}

const Named = z.object({ name: z.string() });

async function missing(
  context: Context,
  { kind, by, name }: { kind: string; by: Pick<DocumentKind, 'noun' | 'path'>; name: string },
  wishes: readonly Wish[],
): Promise<string> {
  const there = await context.client().list(by.path, Named, { most: 1000 });
  const toBe = wishes.filter((wish) => wish.kind === kind).map((wish) => wish.name);
  const meant = nearestName(name, [...toBe, ...there.map(({ value }) => value.name)]);
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
  return `There is no ${by.noun} called ${JSON.stringify(name)}.${hint}`;
}
