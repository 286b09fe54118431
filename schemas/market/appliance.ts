import { z } from 'zod';
import { limits } from '../common/limits.js';

// A catalogue in OpenNebula's form, as release 5.0 reads it. What may be wrong of one appliance, or of one member, is wrong of that one.

export const Appliances = z.object({ appliances: z.array(z.unknown()) });

const printable = (all: string): string => all.replace(/[\p{Cc}\s]+/gu, ' ').trim();
const text = (most: number) => z.string().transform((all) => printable(all).slice(0, most).trim());
const integer = z.union([
  z.int(),
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
]);

/** The value of an attribute, as a text. */
export const Attribute = z
  .union([z.string(), z.number(), z.boolean()])
  .transform((value) => String(value).slice(0, limits.imageAttributeText.most));
export const Section = z.record(z.string(), Attribute);

export const ApplianceFile = z.looseObject({
  size: integer.nullish().catch(null),
  md5: z
    .string()
    .regex(/^[0-9a-fA-F]{32}$/)
    .nullish()
    .catch(null),
  dev_prefix: Attribute.nullish().catch(null),
  driver: Attribute.nullish().catch(null),
  type: Attribute.nullish().catch(null),
});

export const Appliance = z.looseObject({
  _id: z.looseObject({ $oid: z.string().regex(/^[\w-]{1,64}$/) }),
  name: text(limits.name.most).pipe(z.string().min(1)),
  publisher: text(limits.name.most).nullish().catch(null),
  format: text(32).nullish().catch(null),
  short_description: z.string().nullish().catch(null),
  version: text(64).nullish().catch(null),
  tags: z.array(text(64)).nullish().catch(null),
  creation_time: integer.nullish().catch(null),
  files: z.array(ApplianceFile).min(1),
  opennebula_template: z
    .union([z.string(), z.record(z.string(), z.unknown())])
    .nullish()
    .catch(null),
});
