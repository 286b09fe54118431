import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Need } from '../../../api/native/needs.js';
import { needsInWords } from '../../../api/native/needs-words.js';
import type { Route } from '../../../api/native/route.js';
import { routeTable } from '../../../api/native/route-table.js';
import { problems } from '../../../domain/problems.js';
import { type Asked, askedBy, casesOf, has, needsOf, refusedAs, sees, untried } from './rights-cases.js';
import { allBut, exactly } from './rights-grants.js';
import { type Asking, type Send, sends } from './rights-table.js';
import { createRightsWorld, people, type RightsWorld } from './rights-world.js';

let world: RightsWorld;
beforeAll(async () => {
  world = await createRightsWorld();
});
afterAll(() => world.stop());

/** What answers so has written something: else those that say that nothing was written would say nothing. */
const makes = [201, 202];

/** Sends one request, which these needs are not met by; shows that it is refused, and that nothing has changed. */
async function demand(who: Asking, route: Route, { path, body }: Asked, lacking: readonly Need[]): Promise<unknown> {
  const written = await world.watchForWrites();
  const query = route.id.startsWith('list') ? '?limit=1000' : '';
  const address = route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => String(path[name])) + query;
  const response = await world.ask(who, route.method, address, body);
  const said = `${who}: ${JSON.stringify(response.body)}`;
  if (lacking.length > 0) {
    const code = refusedAs(lacking);
    expect({ status: response.status, type: response.body.type }, said).toEqual({
      ...{ status: problems[code].status, type: `/problems/${code}` },
    });
    expect(await written(), said).toEqual([]);
  }
  // A wrong moment is no lack of rights.
  else if (response.status !== 409) {
    expect(response.status, said).toBe(route.answer.status);
    if (makes.includes(response.status)) expect(await written(), said).not.toEqual([]);
  }
  return response.body;
}

/** What a list shows beside what it takes to ask for it. */
const shownBy = ({ needs: [need] }: Route) =>
  typeof need === 'object' && need[0] === 'see' && need[2] === undefined ? need[1] : null;
const freshOf = async (kind: NonNullable<ReturnType<typeof shownBy>>): Promise<number | string> =>
  kind === 'group' ? world.team : world.fresh[kind === 'acl' ? 'rule' : kind]();
const idsIn = (list: unknown): unknown[] =>
  typeof list === 'object' && list !== null && 'items' in list && Array.isArray(list.items)
    ? list.items.map(({ id }) => id)
    : [];

const titles = (route: Route, of: (send: Send) => boolean): [string, Route, Send][] =>
  casesOf(route)
    .filter(of)
    .map((send, at) => [`${route.id}${at > 0 ? ` (${at + 1})` : ''} takes: ${needsInWords(route.needs)}`, route, send]);

describe('asked by the owner, a member of his group, its admin, another and oneadmin,', () => {
  it.each(routeTable.flatMap((route) => titles(route, () => true)))('%s', async (_title, route, send) => {
    const kind = shownBy(route);
    for (const who of people) {
      const shown = kind && (await freshOf(kind));
      const asked = await askedBy(route, send, world, who);
      const lacking = needsOf(route, send, asked).filter((need) => !has(who, need, send));
      const answer = await demand(who, route, asked, lacking);
      if (kind) expect([who, idsIn(answer).includes(shown)]).toEqual([who, sees(who, kind)]);
    }
  });
});

describe('asked by somebody with no rights but those that rules give him,', () => {
  it.each(routeTable.flatMap((route) => titles(route, ({ self }) => !self)))('%s', async (_title, route, send) => {
    const asked = await askedBy(route, send, world, 'holder');
    const needs = needsOf(route, send, asked);
    for (const need of needs) {
      // What is open to everybody nobody lacks.
      const but = people.every((who) => has(who, need, send)) ? null : await allBut(need, asked, world);
      if (but === null) continue;
      const others = needs.filter((one) => one !== need);
      const rest = await Promise.all(others.map((one) => exactly(one, asked, world)));
      await world.grant([...but, ...rest.flatMap((rules) => rules ?? [])]);
      await demand('holder', route, asked, [need]);
    }
    const all = await Promise.all(needs.map((need) => exactly(need, asked, world)));
    await world.grant(all.flatMap((rules) => rules ?? []));
    if (all.every((rules) => rules !== null)) await demand('holder', route, asked, []);
  });
});

it.each(routeTable.map((route) => [route.id, route] as const))(
  '%s is tried with all that it may need',
  async (_id, route) => {
    expect(await untried(route, world)).toEqual([]);
  },
);

it('what the table sends, it sends to a route', () => {
  const ids = new Set(routeTable.map(({ id }) => id));
  expect(Object.keys(sends).filter((id) => !ids.has(id))).toEqual([]);
});
