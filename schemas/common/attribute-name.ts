import { z } from 'zod';
import { atMost, type LimitName, limits } from './limits.js';

/**
 * The one rule for names of attributes: of VM templates, user templates, hosts, clusters, custom attributes and user
 * inputs, as JSON and as text. It is what OpenNebula reads in template text and keeps as an XML element.
 */
const attributeName = /^[A-Za-z_]\w*$/;
const longest = limits.attributeName.most;

/** What is wrong with the name of an attribute, in any letter case; undefined: nothing. */
export function attributeNameFault(name: string): string | undefined {
  if (name.length > longest) return atMost('attributeName');
  return attributeName.test(name)
    ? undefined
    : 'is not the name of an attribute: letters, digits and _, and no digit first';
}

/** For the descriptions of what has such names, and how many. */
export const namedUpTo = (most: LimitName) => ({
  propertyNames: { pattern: attributeName.source, maxLength: longest },
  maxProperties: limits[most].most,
});

/** Attributes to set, and null for those to take away: what is to go may be called as it is. */
export const attributeChanges = <V extends z.ZodType>(value: V, most: LimitName) =>
  z
    .record(z.string(), value.nullable())
    .superRefine((changes, context) => {
      const seen = new Set<string>();
      for (const [name, change] of Object.entries(changes)) {
        const twice = seen.has(name.toUpperCase()) ? 'is given twice, in different letter case' : undefined;
        const fault = twice ?? (change === null ? undefined : attributeNameFault(name));
        if (fault !== undefined) context.addIssue({ code: 'custom', message: fault, path: [name] });
        seen.add(name.toUpperCase());
      }
    })
    .meta(namedUpTo(most));

/** A name as a step of a JSON pointer. */
export const pointerStep = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
