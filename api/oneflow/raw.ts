import { z } from 'zod';
import { Problem } from '../../domain/problems.js';
import { parseTemplateText } from '../../domain/template-text.js';
import { checked, refused } from './route.js';

// What clients keep beside the body of a document, under names of their own.

/** `KEY = "value"` in lines, as OpenNebula writes templates. */
export function rawOf(text: unknown): Record<string, unknown> {
  const read = parseTemplateText(checked(z.object({ template_raw: z.string() }), { template_raw: text }).template_raw);
  const [fault] = read.ok ? [] : read.errors;
  if (fault)
    throw new Problem('invalid_request', `template_raw: line ${fault.line}, column ${fault.column}: ${fault.detail}`);
  const raw = read.ok ? read.value : {};
  if ('BODY' in raw) throw refused('Action update: BODY is changed by template_json');
  return raw;
}
