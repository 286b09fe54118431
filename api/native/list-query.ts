import { z } from 'zod';
import { PageQuery } from '../../schemas/common/common.js';
import { limits } from '../../schemas/common/limits.js';
import type { Condition, ListFields, ListSort } from '../../schemas/common/list.js';
import { nearestName } from '../../schemas/common/nearest-name.js';
import { FilterFault, parseFilter } from './list-filter.js';

const longestFilter = limits.query.most;

/** The query of a list: pages, and what it is filtered and sorted by. `item`: an item of it, whose fields can be chosen. */
export const listQuery = (list: ListFields, item: z.ZodObject, { newestFirst = false } = {}) => {
  const sortable = Object.keys(list).filter((name) => list[name]?.sorts);
  const shown = Object.keys(item.shape);
  return PageQuery.extend({
    filter: z
      .string()
      .max(longestFilter)
      .transform((text, context): readonly Condition[] => {
        try {
          return parseFilter(text, list);
        } catch (error) {
          if (!(error instanceof FilterFault)) throw error;
          context.addIssue({ code: 'custom', message: error.message });
          return z.NEVER;
        }
      })
      .optional()
      .meta({
        description: `Conditions that must all hold, separated by commas, such as \`${exampleOf(list)}\`. By ${Object.keys(list).join(', ')}.`,
      }),
    sort: z
      .string()
      .max(100)
      .transform((text, context): ListSort => {
        const descending = text.startsWith('-');
        const field = descending ? text.slice(1) : text;
        if (sortable.includes(field)) return { field, descending };
        context.addIssue({ code: 'custom', message: unknown(field, sortable, 'cannot be sorted by') });
        return z.NEVER;
      })
      .optional()
      .meta({
        enum: sortable.flatMap((name) => [name, `-${name}`]),
        description: `The field that the list is sorted by, with \`-\` before it from the last to the first: ${sortable.join(', ')}. Default: ${newestFirst ? '-id' : 'id'}`,
      }),
    fields: z
      .string()
      .max(longestFilter)
      .transform((text, context): readonly string[] => {
        const names = text.split(',').map((name) => name.trim());
        const wrong = names.find((name) => !shown.includes(name));
        if (wrong === undefined) return names;
        context.addIssue({ code: 'custom', message: unknown(wrong, shown, 'is not a field of its items') });
        return z.NEVER;
      })
      .optional()
      .meta({
        pattern: `^ *(?:${shown.join('|')}) *(?:, *(?:${shown.join('|')}) *)*$`,
        description: 'Answer only these fields of each item, separated by commas',
      }),
  });
};

/** Of each item, the fields that were asked for; the query is one that has been validated. */
export function chosen(items: readonly object[], fields: unknown): readonly object[] {
  if (typeof fields !== 'string') return items;
  const names = new Set(fields.split(',').map((name) => name.trim()));
  return items.map((item) => Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name))));
}

function exampleOf(list: ListFields): string {
  if ('state' in list && 'name' in list) return 'state=RUNNING,name~web*';
  return 'name' in list ? 'name~web*,created_at>2026-01-31' : 'created_at>2026-01-31';
}

export function unknown(name: string, known: readonly string[], what: string): string {
  const nearest = nearestName(name, known);
  const cut = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  const instead = nearest ? `did you mean ${JSON.stringify(nearest)}?` : `known are ${known.join(', ')}`;
  return `${what === 'cannot be sorted by' ? `${what} ${JSON.stringify(cut)}` : `names ${JSON.stringify(cut)}, which ${what}`}; ${instead}`;
}
