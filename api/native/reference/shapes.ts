/** A JSON schema as the OpenAPI document has it. */
export type Schema = Record<string, unknown>;

export const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll(/\s+/g, ' ');

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
  array: 'list',
  null: 'null',
};

/** What a value may be, in words; a shape with a name of its own is a link to that. */
export function typeOf(schema: unknown): string {
  if (!isSchema(schema)) return 'anything';
  const { $ref, enum: values, const: only, type, format, items } = schema;
  if (typeof $ref === 'string') return linkTo($ref);
  const either = [...listOf(schema.anyOf), ...listOf(schema.oneOf)];
  if (either.length > 0) return [...new Set(either.map(typeOf))].join(' or ');
  if (Array.isArray(values)) return values.map((one) => `\`${String(one)}\``).join(', ');
  if (only !== undefined) return `\`${typeof only === 'string' ? only : JSON.stringify(only)}\``;
  const types = [type].flat().filter((one) => typeof one === 'string');
  const words = types.map((one) => {
    if (one === 'array') return `list of ${typeOf(items)}`;
    if (one === 'object' && isSchema(schema.additionalProperties) && !schema.properties)
      return Object.keys(schema.additionalProperties).length > 0
        ? `object of ${typeOf(schema.additionalProperties)}`
        : 'object';
    if (one === 'string' && format === 'date-time') return 'time';
    return `${nouns[one] ?? one}${one === 'null' ? '' : boundsOf(schema)}`;
  });
  return words.length > 0 ? words.join(' or ') : 'anything';
}

const linkTo = (reference: string): string => {
  const name = reference.split('/').at(-1) ?? '';
  return `[${name}](#${name.toLowerCase()})`;
};

function boundsOf({ minimum, maximum, minLength, maxLength }: Schema): string {
  const [least, most] = [bound(minimum ?? minLength), bound(maximum ?? maxLength)];
  const unit = minLength === undefined && maxLength === undefined ? '' : ' characters';
  if (least !== null && most !== null) return ` of ${least} to ${most}${unit}`;
  if (least !== null) return ` of at least ${least}${unit}`;
  return most === null ? '' : ` of at most ${most}${unit}`;
}

const bound = (value: unknown): number | null =>
  typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : null;

/** Members of a shape, those of objects in it among them: name, type, meaning. */
export function membersOf(schema: unknown, before = ''): string[][] {
  if (!isSchema(schema)) return [];
  const { properties } = schema;
  if (!isSchema(properties)) return [];
  const required = new Set(listOf(schema.required));
  return Object.entries(properties).flatMap(([name, member]) => {
    const meaning = isSchema(member) && typeof member.description === 'string' ? member.description : '';
    const optional = required.has(name) ? '' : ', optional';
    const inside = membersOf(member, `${before}${name}.`);
    const listed = isSchema(member) ? membersOf(member.items, `${before}${name}[].`) : [];
    return [[`\`${before}${name}\``, `${typeOf(member)}${optional}`, cell(meaning)], ...inside, ...listed];
  });
}
