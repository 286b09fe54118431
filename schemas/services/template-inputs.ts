import { z } from 'zod';

/** One thing that a template asks for when it is instantiated: what a form has to know of it. */
export const TemplateInput = z.object({
  name: z.string().describe('By which it is given; an input of a role has its name before it, such as `db/SIZE`'),
  given_in: z
    .enum(['networks', 'inputs'])
    .describe('The member of the request of an instantiation in which it is given'),
  role: z.string().nullable().describe('The role that asks for it; null: the template does'),
  type: z
    .string()
    .describe(
      'network: as in `networks`; else what its value may be, as OpenNebula calls it: text, text64, password, number, number-float, boolean, range, range-float, list, list-multiple, or another',
    ),
  mandatory: z.boolean().describe('It has to be given: nothing is said for it'),
  question: z.string().describe('What people are asked'),
  among: z.array(z.string()).nullable().describe('Of a list: what it may be; null: something else decides'),
  least: z.number().nullable().describe('Of a range; null: it is none'),
  most: z.number().nullable().describe('The same'),
  default: z.string().nullable().describe('What it is when it is not given; null: nothing'),
});
export type TemplateInput = z.infer<typeof TemplateInput>;

export const TemplateInputs = z
  .object({ items: z.array(TemplateInput).describe('In the order of the template') })
  .meta({ id: 'ServiceTemplateInputs' });
export type TemplateInputs = z.infer<typeof TemplateInputs>;
