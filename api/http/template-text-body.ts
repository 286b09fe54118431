import { Problem } from '../../domain/problems.js';
import { parseTemplateText } from '../../domain/template-text.js';

/**
 * OpenNebula's template text as the body of a VM template: NAME is the name, the rest the template.
 * Throws `malformed_body` with the line and column of everything that cannot be read.
 */
export function bodyOfTemplateText(text: string): { name?: unknown; template?: Record<string, unknown> } {
  const parsed = parseTemplateText(text);
  if (parsed.ok) {
    const { NAME: name, ...template } = parsed.value;
    return { ...(name === undefined ? {} : { name }), ...(Object.keys(template).length > 0 ? { template } : {}) };
  }
  const findings = parsed.errors.map(({ line, column, detail }) => ({
    pointer: '',
    detail: `line ${line}, column ${column}: ${detail}`,
  }));
  throw new Problem('malformed_body', `The template text cannot be read: ${findings[0]?.detail}.`, { findings });
}
