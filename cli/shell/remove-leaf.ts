import { z } from 'zod';
import { type Leaf, leaf } from './command.js';
import { type Resource, report, resolveToEnd } from './resource.js';

/** `delete`, the same for every kind of object that is gone at once. `called`: one of the examples. */
export const removeLeaf = <L extends z.ZodType<{ id: number; name: string }>, S extends z.ZodType>(
  resource: Resource<L, S>,
  { called, summary }: { called: string; summary: string },
): Leaf =>
  leaf({
    usage: `delete <${resource.noun}>`,
    summary,
    examples: [`arcus ${resource.noun} delete ${called}`],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const { noun, path } = resource;
      const { id, tag } = await resolveToEnd(context, resource, wish, (object) => `Remove ${object}?`);
      await context.client().send('DELETE', `${path}/${id}`, z.undefined(), undefined, { unchanged: tag });
      report(context, `${noun} ${id} removed.`, { id });
    },
  });
