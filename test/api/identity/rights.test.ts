import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../../api/native/route-table.js';
import { type Case, isGranted, rightsTable } from './rights-table.js';
import { createRightsWorld, people, type RightsWorld, type Who } from './rights-world.js';

let world: RightsWorld;
beforeAll(async () => {
  world = await createRightsWorld();
});
afterAll(() => world.stop());

const addressOf = (path: string, values: Record<string, number | string> = {}): string =>
  path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => String(values[name]));

/** Sends one request; when it is refused, shows that nothing has changed. */
async function play(route: (typeof routeTable)[number], { needs, request, shows }: Case, who: Who): Promise<void> {
  const shown = shows && (await shows.id(world));
  const { path, body } = await request(world, who);
  const granted = isGranted(needs, who);
  const before = granted ? null : await world.digests();
  const query = route.id.startsWith('list') ? '?limit=1000' : '';
  const response = await world.ask(who, route.method, addressOf(route.path, path) + query, body);
  const said = `${who}: ${JSON.stringify(response.body)}`;
  if (!granted) {
    expect({ status: response.status, type: response.body.type }, said).toEqual({
      ...{ status: 403, type: '/problems/not_authorized' },
    });
    expect(await world.digests(), said).toEqual(before);
    return;
  }
  // A wrong moment is no lack of rights.
  if (response.status !== 409) expect(response.status, said).toBe(route.answer.status);
  if (!shows) return;
  const items = response.body.items.map(({ id }: { id: number | string }) => id);
  expect(items.includes(shown), said).toBe(isGranted([shows.need], who));
}

describe('asked by the owner, a member of his group, its admin, another and oneadmin,', () => {
  for (const route of routeTable)
    for (const [at, one] of (rightsTable[route.id] ?? []).entries())
      it(`${route.id}${at > 0 ? ` (${at + 1})` : ''} takes: ${one.needs.join(', ')}`, async () => {
        for (const who of people) await play(route, one, who);
      });
});

it('every route has its row in the table of rights, and every row its route', () => {
  const withCases = Object.keys(rightsTable).filter((id) => (rightsTable[id] ?? []).length > 0);
  expect(withCases.sort()).toEqual(routeTable.map(({ id }) => id).sort());
});

/** What the reference has to say of a need, in the words of the product. */
const words: Record<string, RegExp> = {
  ask: /^none|himself|your (own|current)|stead/,
  use: /USE/,
  manage: /MANAGE/,
  admin: /ADMIN/,
  create: /CREATE/,
  command: /stead|ADMIN on the user/,
  administer: /administrator|stead/,
  see: /about you/,
};

it.each(routeTable.map((route) => [route.id, route.rights] as const))('%s tells of its rights: %s', (id, rights) => {
  for (const { needs, shows } of rightsTable[id] ?? [])
    for (const need of [...(needs[0] === 'ask anything' && shows ? [] : needs), ...(shows ? [shows.need] : [])]) {
      const [right = ''] = need === 'admin rule' ? ['administer'] : need.split(' ');
      expect(rights).toMatch(words[right] ?? /^$/);
    }
});
