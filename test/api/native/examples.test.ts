import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Example } from '../../../api/native/example.js';
import { openApiDocument } from '../../../api/native/openapi.js';
import { apiRoot, type Route } from '../../../api/native/route.js';
import { routeTable } from '../../../api/native/route-table.js';
import { OperationResource } from '../../../schemas/operations/operation-resource.js';
import { Likeness } from '../alike.js';
import { story } from './example-story.js';
import { type ExampleWorld, newExampleWorld } from './example-world.js';

let world: ExampleWorld;
beforeAll(async () => {
  world = await newExampleWorld();
});
afterAll(() => world.stop());

const document = openApiDocument('0.0.0');
/** Ids as the document has them, and as they are here. */
const [shown, seen] = [new Likeness(), new Likeness()];

const routeOf = (id: string): Route => {
  const found = routeTable.find((route) => route.id === id);
  if (!found) throw new Error(`no route is called ${id}`);
  return found;
};

/** Ids of a request are those of the document: put those of this cloud in their place. */
const here = (value: string): string => {
  const name = String(shown.of(value));
  return name === value ? value : seen.original(name);
};

function addressOf({ path }: Route, { params = {}, query = {} }: Example): string {
  const values = new Map(Object.entries(params).map(([name, value]) => [name, here(String(value))]));
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, `${value}`]),
  );
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values.get(name) ?? '');
  return search.size > 0 ? `${filled}?${search.toString()}` : filled;
}

async function play(route: Route, example: Example): Promise<void> {
  const asked = world.send(route.method, addressOf(route, example));
  if (example.text !== undefined) asked.set('Content-Type', 'text/plain').send(example.text);
  else if (example.body !== undefined) asked.send(Object(example.body));
  const response = await asked;
  expect(response.status, JSON.stringify(response.body)).toBe(route.answer.status);
  if (response.status === 202) await isFollowed(response.headers.location, response.body);
  if (example.answer === null) {
    expect(response.text).toBe('');
    return;
  }
  expect(seen.of(response.body)).toEqual(shown.of(JSON.parse(JSON.stringify(example.answer))));
}

/** What was accepted is an operation, and is where the answer says. */
async function isFollowed(location: string | undefined, { id, type, resource }: OperationResource): Promise<void> {
  expect(location).toBe(`${apiRoot}/operations/${id}`);
  const { status, body } = await world.send('get', `/operations/${id}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ id, type, resource });
}

describe('the examples of the API, in the order of a story', () => {
  for (const chapter of story) {
    if (typeof chapter === 'string') {
      const route = routeOf(chapter);
      for (const example of route.examples)
        it(`${[chapter, example.title].filter(Boolean).join(': ')} is answered as it says`, () => play(route, example));
    } else it(`meanwhile: ${chapter.meanwhile}`, () => chapter.happens(world));
  }
});

describe('the story', () => {
  it('has every route, each once', () => {
    const told = story.filter((chapter) => typeof chapter === 'string');
    expect([...told].sort()).toEqual(routeTable.map(({ id }) => id).sort());
  });
});

describe('what starts an operation', () => {
  const describedOf = ({ path, method }: Route) =>
    JSON.parse(JSON.stringify(document.paths?.[apiRoot + path]?.[method]));
  const starting = routeTable.filter(({ method, answer }) => method !== 'get' && answer.schema === OperationResource);

  it('is what answers 202, and nothing else is', () => {
    expect(starting.length).toBeGreaterThan(10);
    expect(routeTable.filter(({ answer }) => answer.status === 202)).toEqual(starting);
  });

  it.each(starting.map((route) => [route.id, route] as const))('%s is described like all others', (_id, route) => {
    const { responses, parameters } = describedOf(route);
    const { headers, content } = responses['202'];
    expect(Object.keys(headers)).toEqual(['Location']);
    expect(headers.Location.required).toBe(true);
    expect(content['application/json'].schema).toEqual({ $ref: '#/components/schemas/Operation' });
    const sent = parameters
      .filter((one: { in: string }) => one.in === 'header')
      .map((one: { name: string }) => one.name);
    expect(sent).toEqual(['Idempotency-Key', ...(route.path.includes('{') ? ['If-Match'] : [])]);
  });
});

describe('the OpenAPI document', () => {
  it.each(routeTable.map((route) => [route.id, route] as const))('shows the examples of %s', (_id, route) => {
    const described = JSON.parse(JSON.stringify(document.paths?.[apiRoot + route.path]?.[route.method]));
    const media = [
      ...Object.values(described.requestBody?.content ?? {}),
      ...Object.values(described.responses[route.answer.status].content ?? {}),
    ];
    for (const one of media) expect(Object.keys(Object(one))).toContainEqual(expect.stringMatching(/^examples?$/));
    expect(media).toHaveLength(
      (route.body.taken === 'never' ? 0 : (route.body.types?.length ?? 1) + (route.body.text ? 1 : 0)) +
        (route.answer.schema ? 1 : 0),
    );
    for (const { in: place, name, example } of described.parameters ?? [])
      if (place === 'path') expect(example, name).toBeDefined();
  });

  it.each(routeTable.map((route) => [route.id, route] as const))(
    'has answers of %s that are of its own schema, and titles that differ',
    (_id, { answer, examples }) => {
      for (const example of examples) expect(() => answer.schema?.parse(example.answer)).not.toThrow();
      expect(new Set(examples.map(({ title }) => title)).size).toBe(examples.length);
    },
  );
});
