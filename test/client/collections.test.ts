import { expect, it } from 'vitest';
import { z } from 'zod';
import { routeTable } from '../../api/native/route-table.js';
import { collections } from '../../client/collections.js';

/** What a list answers whole, when no fields are chosen. */
function itemOf(page: unknown): unknown {
  const items: unknown = page instanceof z.ZodObject ? page.shape.items : undefined;
  const item = items instanceof z.ZodArray ? items.element : undefined;
  return item instanceof z.ZodUnion ? item.options[0] : undefined;
}

it('a client reads each list and each object by the schema that the API answers with', () => {
  const answer = (path: string) =>
    routeTable.find((route) => route.method === 'get' && route.path === path)?.answer.schema;
  for (const [name, { path, item, whole }] of Object.entries(collections)) {
    expect(answer(`${path}/{id}`), name).toBe(whole);
    expect(itemOf(answer(path)), name).toBe(item);
  }
});
