import { z } from 'zod';
import { AttributeOption, attributesOf } from '../shell/attribute.js';

const amount = z
  .string()
  .regex(/^([+-]?\d+(\.\d+)?%?|none)$/, 'must be a number, per cent such as 10%, or none')
  .transform((text) => (text === 'none' ? null : text.endsWith('%') ? text : Number(text)))
  .optional();

const Options = z.object({
  reserveCpu: amount,
  reserveMemory: amount,
  attribute: AttributeOption,
});

/** A number where it is one; `a,b` stays a text. */
const orNumber = (value: string | null): string | number | null =>
  value !== null && /^[+-]?\d+(\.\d+)?$/.test(value) ? Number(value) : value;

const attributesBody = (given: readonly string[]): Record<string, string | number | null> =>
  Object.fromEntries(
    Object.entries(attributesOf(given, 'arcus host update host-1 --attribute RACK=b-12')).map(([name, value]) => [
      name,
      orNumber(value),
    ]),
  );

/** What hosts and clusters have in common: what is kept back, and attributes. */
export const reserveAndAttributes = {
  shape: Options.shape,
  options: [
    ['--reserve-cpu <cores>', 'keep back so many cores, or per cent such as 10%; negative overcommits; none: no wish'],
    ['--reserve-memory <MB>', 'the same for memory'],
    ['--attribute <name=value...>', 'attributes for requirements and ranks; NAME= takes one away'],
  ],
  body: ({ reserveCpu: cpu, reserveMemory: memory, attribute }: z.output<typeof Options>): object => ({
    ...((cpu !== undefined || memory !== undefined) && {
      reserved: { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) },
    }),
    ...(attribute && { attributes: attributesBody(attribute) }),
  }),
} as const;
