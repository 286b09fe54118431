import { z } from 'zod';

const amount = z
  .string()
  .regex(/^([+-]?\d+(\.\d+)?%?|none)$/, 'must be a number, per cent such as 10%, or none')
  .transform((text) => (text === 'none' ? null : text.endsWith('%') ? text : Number(text)))
  .optional();

const Options = z.object({
  reserveCpu: amount,
  reserveMemory: amount,
  attribute: z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat())
    .pipe(z.array(z.string().regex(/^[^=]+=/, 'must be of the form NAME=VALUE')))
    .optional(),
});

/** `NAME=VALUE`: a number where it is one; nothing takes the attribute away; `a,b` stays a text. */
function attributeOf(text: string): [name: string, value: string | number | null] {
  const at = text.indexOf('=');
  const value = text.slice(at + 1);
  const isNumber = /^[+-]?\d+(\.\d+)?$/.test(value);
  return [text.slice(0, at), value === '' ? null : isNumber ? Number(value) : value];
}

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
    ...(attribute && { attributes: Object.fromEntries(attribute.map(attributeOf)) }),
  }),
} as const;
