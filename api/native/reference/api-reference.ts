import type { Example } from '../example.js';
import { needsInWords } from '../needs-words.js';
import { headersOf, openApiDocument, problemsOf } from '../openapi.js';
import { apiRoot, type Route } from '../route.js';
import { routeTable } from '../route-table.js';
import { cell, isSchema, membersOf, type Schema, table, typeOf } from './shapes.js';
import { tidyJson } from './tidy-json.js';

type Described = { parameters: Schema[]; bodies: [type: string, schema: unknown][]; answer: unknown };

/** docs/reference/api.md: every address, from the table of routes and the OpenAPI document that is made of it. */
export function apiReference(): string {
  const document: unknown = JSON.parse(JSON.stringify(openApiDocument('')));
  const shapes = Object.entries(at(document, 'components', 'schemas'));
  const tags = [...new Set(routeTable.map(({ tag }) => tag))];
  return `# The API, address by address

<!-- Generated from the table of routes by: node dist/api/write-reference.js -->

How to sign in, to ask lists, to change things safely and to follow operations is in [docs/api.md](../api.md); the same
as below, for programs, in [openapi.json](../api/openapi.json), and to try out at \`/docs\` of a running server.

Any request may be refused as ${problemsOf('everywhere').map(toProblem).join(', ')}; one with a body also as
${problemsOf('withBody').map(toProblem).join(', ')}. What else an address refuses is said there. “To act in a user’s
stead” is explained in [identity.md](../identity.md#users).

${tags.map((tag) => `- [${tag}](#${anchor(tag)})`).join('\n')}
- [Shapes](#shapes)

${tags.map((tag) => chapter(tag, document)).join('\n\n')}

## Shapes

${shapes.map(([name, schema]) => shape(name, schema)).join('\n\n')}
`;
}

const anchor = (heading: string): string => heading.toLowerCase().replaceAll(' ', '-');
const toProblem = (code: string): string => `[\`${code}\`](problems.md#${code})`;

/** A member of members of the document; nothing where there is none. */
function at(value: unknown, ...path: readonly string[]): Schema {
  const found = path.reduce<unknown>((inner, name) => (isSchema(inner) ? inner[name] : undefined), value);
  return isSchema(found) ? found : {};
}

const chapter = (tag: string, document: unknown): string =>
  [`## ${tag}`, ...routeTable.filter((route) => route.tag === tag).map((route) => section(route, document))].join(
    '\n\n',
  );

function section(route: Route, document: unknown): string {
  const { parameters, bodies, answer } = described(route, document);
  const { status, description, headers, tagged } = route.answer;
  const names = [...Object.keys(headers), ...(tagged ? ['ETag'] : [])].map((name) => `\`${name}\``);
  const own = [...new Set([...route.problems, ...('If-Match' in headersOf(route) ? ['precondition_failed'] : [])])];
  return [
    `### ${route.summary}`,
    `\`\`\`\n${route.method.toUpperCase()} ${apiRoot}${route.path}\n\`\`\``,
    ...(route.description === undefined ? [] : [route.description]),
    `**Rights:** ${needsInWords(route.needs)}. Operation id: \`${route.id}\`.`,
    ...(parameters.length > 0 ? [parameterTable(parameters)] : []),
    ...(bodies.length > 0
      ? [`**Body**${route.body.taken === 'optional' ? ', which may be left out' : ''}: ${bodyWords(bodies)}.`]
      : []),
    `**Answer:** ${status}, ${description.charAt(0).toLowerCase()}${description.slice(1)}${answer === undefined ? '' : `: ${typeOf(answer)}`}.${names.length > 0 ? ` Headers: ${names.join(', ')}.` : ''}`,
    ...(own.length > 0 ? [`**Refused as** ${own.map(toProblem).join(', ')}.`] : []),
    ...route.examples.map((example) => shownExample(route, example)),
  ].join('\n\n');
}

/** What bodies are, each with all the kinds as which it may be sent. */
function bodyWords(bodies: Described['bodies']): string {
  const words = new Map<string, string[]>();
  for (const [type, schema] of bodies) {
    const shown = typeOf(schema);
    words.set(shown, [...(words.get(shown) ?? []), `\`${type}\``]);
  }
  return [...words].map(([shown, types]) => `${shown} as ${types.join(' or ')}`).join('; ');
}

function described({ path, method, answer }: Route, document: unknown): Described {
  const operation = at(document, 'paths', apiRoot + path, method);
  const { parameters } = operation;
  const schemasOf = (content: Schema): [string, unknown][] =>
    Object.keys(content).map((type) => [type, at(content, type).schema]);
  return {
    parameters: Array.isArray(parameters) ? parameters.filter(isSchema) : [],
    bodies: schemasOf(at(operation, 'requestBody', 'content')),
    answer: schemasOf(at(operation, 'responses', String(answer.status), 'content'))[0]?.[1],
  };
}

const parameterTable = (parameters: readonly Schema[]): string =>
  table(
    ['Parameter', 'In', 'Type', 'Meaning'],
    parameters.map(({ name, in: place, schema, required, description }) => [
      `\`${String(name)}\``,
      String(place),
      `${typeOf(schema)}${required === true ? '' : ', optional'}`,
      cell(typeof description === 'string' ? description : ''),
    ]),
  );

function shownExample(route: Route, { title, params = {}, query = {}, body, text, answer }: Example): string {
  const values = new Map(Object.entries(params).map(([name, value]) => [name, String(value)]));
  const search = Object.entries(query).map(([name, value]) => `${name}=${String(value)}`);
  const path = route.path.replaceAll(/\{(\w+)\}/g, (all, name: string) => values.get(name) ?? all);
  const address = `${route.method.toUpperCase()} ${apiRoot}${path}${search.length > 0 ? `?${search.join('&')}` : ''}`;
  const sent = text !== undefined ? [text.trimEnd()] : body === undefined ? [] : [tidyJson(body)];
  const seen = answer === null ? `${route.answer.status}` : `${route.answer.status}\n${tidyJson(plain(answer))}`;
  return `Example${title === undefined ? '' : `, ${title}`}:\n\n\`\`\`\n${[address, ...sent].join('\n')}\n\n${seen}\n\`\`\``;
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function shape(name: string, schema: unknown): string {
  const members = membersOf(schema);
  const words = isSchema(schema) && typeof schema.description === 'string' ? [`${schema.description}.`] : [];
  return [
    `### ${name}`,
    ...words,
    members.length > 0 ? table(['Member', 'Type', 'Meaning'], members) : `${typeOf(schema)}.`,
  ].join('\n\n');
}
