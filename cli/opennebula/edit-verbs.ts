import { z } from 'zod';
import { json } from '../../client/message.js';
import { Complaint } from '../shell/complaint.js';
import type { Resource } from '../shell/resource.js';
import { toEach, type Verb } from './one-program.js';
import { attributesIn } from './template-file.js';

type Item = z.ZodType<{ id: number; name: string }>;
type Kind<L extends Item> = Pick<Resource<L, z.ZodType>, 'noun' | 'path' | 'item' | 'ends' | 'nameless'>;

export const renameVerb = <L extends Item>(kind: Kind<L>): Verb => ({
  usage: 'rename <id> <name>',
  summary: 'Give it another name',
  run: toEach(kind, ({ client }, id, [name]) =>
    client.send('PATCH', `${kind.path}/${id}`, z.unknown(), json({ name })),
  ),
});

/** `rename` of what has to keep its name. */
export const noRenameVerb = (why: string, next: string): Verb => ({
  usage: 'rename <id> <name>',
  summary: 'Refused',
  run: async () => {
    throw new Complaint('usage', why, { next });
  },
});

const Append = z.object({ append: z.boolean().optional() });

/** `update`: what people say of it, by template text; `field`: where the API has that; `read`: what of the text belongs there. */
export const updateVerb = <L extends Item>(
  kind: Kind<L>,
  field: 'attributes' | 'user_template',
  read = (text: Record<string, unknown>): Record<string, unknown> => text,
): Verb => {
  const Seen = z.looseObject({ [field]: z.record(z.string(), z.unknown()) });
  return {
    usage: 'update <id> [file]',
    summary: 'Put attributes of template text in the place of those that it has',
    options: [['-a, --append', 'keep the others that it has']],
    run: toEach(kind, async ({ client }, id, [file = '-'], options) => {
      const attributes = read(attributesIn(file));
      const path = `${kind.path}/${id}`;
      const { value } = await client.get(path, Seen);
      const others = Object.keys(value[field] ?? {}).filter((name) => !Object.hasOwn(attributes, name));
      const gone = Append.parse(options).append ? {} : Object.fromEntries(others.map((name) => [name, null]));
      await client.send('PATCH', path, z.unknown(), json({ [field]: { ...gone, ...attributes } }));
    }),
  };
};
