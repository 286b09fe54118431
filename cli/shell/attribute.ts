import { z } from 'zod';
import { Complaint } from './complaint.js';
import { pairs } from './output.js';

/** Each `NAME=VALUE` as an attribute that is a text; `NAME=` takes it away. `example`: a command that says it right. */
export const attributesOf = (texts: readonly string[], example: string): Record<string, string | null> =>
  Object.fromEntries(texts.map((text) => attributeOf(text, example)));

/** The part of a body that sets them; nothing where none is given. */
export const attributesBody = (given: readonly string[] | undefined, example: string): object =>
  given === undefined ? {} : { attributes: attributesOf(given, example) };

function attributeOf(text: string, example: string): [name: string, value: string | null] {
  const at = text.indexOf('=');
  if (at < 1)
    throw new Complaint('usage', `${JSON.stringify(text)} is not of the form NAME=VALUE.`, {
      next: `Such as: ${example}`,
    });
  const value = text.slice(at + 1);
  return [text.slice(0, at), value === '' ? null : value];
}

/** An option that may be given more than once, each time with one of them or with several. */
export const AttributeOption = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => [given].flat())
  .optional();

/** Lines that show attributes, if there are any. */
export const attributesSection = (
  attributes: Readonly<Record<string, string | number | readonly (string | number)[]>>,
): string[] =>
  Object.keys(attributes).length === 0
    ? []
    : [
        '',
        'ATTRIBUTES',
        pairs(Object.entries(attributes).map(([name, value]) => [name, [value].flat().join(', ')] as const)),
      ];
