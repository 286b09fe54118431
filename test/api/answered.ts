import { expect } from 'vitest';
import { routeTable } from '../../api/native/route-table.js';
import type { Method, World } from './world.js';

/**
 * Sends a request of oneadmin, or of somebody else, and shows that the answer is as its row in the table says, with
 * nothing beside. `asked`: the routes that were.
 */
export function createAsker(world: () => World) {
  const asked = new Set<string>();
  async function answered(
    id: string,
    parameters: Record<string, string | number> = {},
    body?: object,
    query = '',
    who = 'oneadmin',
  ) {
    const route = routeTable.find((row) => row.id === id);
    if (!route) throw new Error(`no route ${id}`);
    asked.add(id);
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => String(parameters[name]));
    const response = await world().ask(who, route.method satisfies Method, path + query, body);
    expect(response.status, JSON.stringify(response.body)).toBe(route.answer.status);
    for (const name of Object.keys(route.answer.headers)) {
      if (name !== 'Link') expect(response.headers[name.toLowerCase()], name).toBeDefined();
    }
    if (route.answer.schema) expect(route.answer.schema.parse(response.body)).toEqual(response.body);
    return response;
  }
  return { answered, asked };
}

/** Routes about who there is and who may do what. */
export const identityTags: readonly string[] = ['Users', 'Groups', 'ACL rules', 'Tokens'];
