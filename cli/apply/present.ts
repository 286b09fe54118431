import { z } from 'zod';
import type { Answer } from '../../client/client.js';
import { calledSo, composed } from '../shell/called.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { quoted } from '../shell/resource.js';
import type { DocumentKind } from './document-kind.js';

const Named = z.object({ id: z.int(), name: z.string(), uid: z.int().optional() });
const Self = z.object({ id: z.int() });

/** The object of this name, whole: of several, your own; null where there is none. */
export async function presentOf(
  context: Context,
  { noun, path, among = path }: Pick<DocumentKind, 'noun' | 'path' | 'among'>,
  name: string,
): Promise<Answer<z.output<typeof Named>> | null> {
  const found = await context.client().list(among, Named, { query: { filter: `name=${quoted(name)}` } });
  const [only, ...others] = await yours(
    context,
    calledSo(found, name, ({ value }) => value.name),
  );
  if (others.length > 0)
    throw new Complaint(
      'conflict',
      `More than one ${noun} is called ${JSON.stringify(name)}: which is meant is not clear.`,
      {
        next: 'Rename or remove the others.',
      },
    );
  if (only === undefined) return null;
  const present = await context.client().get(`${path}/${only.value.id}`, Named);
  // Renamed between the two: it is not what is meant any more.
  return composed(present.value.name) === composed(name) ? present : presentOf(context, { noun, path, among }, name);
}

/** What is called alike may belong to others, who let you see it. */
async function yours<T extends { value: z.output<typeof Named> }>(
  context: Context,
  found: readonly T[],
): Promise<readonly T[]> {
  if (found.length < 2) return found;
  const { value: self } = await context.client().get('/user', Self);
  const own = found.filter(({ value }) => value.uid === self.id);
  return own.length === 1 ? own : found;
}
