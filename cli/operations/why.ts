import type { z } from 'zod';
import { printable } from '../../schemas/common/printable.js';
import { withArticle } from '../../schemas/common/with-article.js';
import { Why } from '../../schemas/operations/why.js';
import { actionLines } from '../shell/action-lines.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { rawText } from '../shell/output.js';
import { wrapped } from '../shell/wrapped.js';

/** `why`: the same for every kind of object. `idOf` finds what the user named. */
export const whyLeaf = <S extends z.ZodType>({
  noun,
  argument = `<${noun}>`,
  path,
  examples,
  options = [],
  schema,
  idOf,
}: {
  noun: string;
  argument?: string;
  path: string;
  examples: readonly string[];
  options?: Leaf['options'];
  schema: S;
  idOf: (context: Context, wish: string | undefined, options: z.output<S>) => Promise<number | string>;
}): Leaf =>
  leaf({
    usage: `why ${argument}`,
    summary: `Tell why ${withArticle(noun)} is as it is, and what you can do`,
    examples,
    options,
    schema,
    run: async (context, [wish], options) => {
      const id = await idOf(context, wish, options);
      const { value, raw } = await context.client().get(`${path}/${id}/why`, Why);
      if (context.format === 'table') print(context, value);
      else context.out(rawText(context.format, raw));
    },
  });

function print({ out, err, width }: Context, { text, actions, asked_engine }: Why): void {
  out(wrapped(printable(text), width()));
  if (actions.length > 0) out(`\nWhat you can do:\n${actionLines(actions, width())}`);
  if (!asked_engine) err('Temporal did not answer within a second: when the next try comes is not known.');
}
