import { objectIn, readInput } from '../shell/files/input.js';

/** The attributes of template text in a file, or on standard input (`-`). */
export function attributesIn(file: string): Readonly<Record<string, unknown>> {
  const { name, template, ...rest } = objectIn(readInput(file, { templateText: true }), {
    next: 'Give template text.',
  });
  const attributes = typeof template === 'object' && template !== null ? template : {};
  return { ...rest, ...attributes, ...(name !== undefined && { NAME: name }) };
}
