import { z } from 'zod';
import type { Answer } from '../../client/client.js';
import { json } from '../../client/message.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import type { DocumentKind } from './document-kind.js';
import { changedBetween, changeOf } from './plan.js';

/** Tries against what changes by itself, such as what is used of a host. */
const tries = 5;

type Present = Pick<Answer<{ id: number }>, 'raw' | 'value' | 'tag'>;

/**
 * Makes an object that is there what is wished, unless somebody has changed meanwhile what the wish is about: that is
 * refused, and left as it is. A change of anything else is none of it, so what was read is read anew and tried again.
 */
export async function update(
  context: Context,
  by: DocumentKind,
  wished: Record<string, unknown>,
  present: Present,
): Promise<'updated' | 'unchanged'> {
  const client = context.client();
  const path = `${by.path}/${present.value.id}`;
  let read: Pick<Present, 'raw' | 'tag'> = present;
  for (let left = tries; ; left--) {
    const change = changeOf(by, wished, read.raw);
    if (change === null) return 'unchanged';
    const refused = await client
      .send(by.update, path, by.answer, json(change), { unchanged: read.tag })
      .then(() => null, refusedAsChanged);
    if (refused === null) return 'updated';
    if (left === 1) throw refused;
    const before = read.raw;
    read = await client.get(path, z.unknown());
    const others = changedBetween(by, wished, before, read.raw);
    // Whoever has made the same of it has left nothing to do.
    if (others.length > 0 && changeOf(by, wished, read.raw) !== null) throw changedMeanwhile(by, present, others);
  }
}

function refusedAsChanged(error: unknown): Complaint {
  if (error instanceof Complaint && error.code === 'precondition_failed') return error;
  throw error;
}

const changedMeanwhile = (
  { noun, shown = `${noun} show` }: DocumentKind,
  { value }: Present,
  names: readonly string[],
) =>
  new Complaint('conflict', `Somebody has changed it meanwhile (${names.join(', ')}), and it is left as it is.`, {
    findings: names.slice(0, 1).map((name) => ({ pointer: `/${name}`, detail: 'has been changed meanwhile' })),
    next: `See what it is now with: arcus ${shown} ${value.id}`,
  });
