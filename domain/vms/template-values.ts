/** Attributes of a template, or one with parts. */
export type Attributes = Readonly<Record<string, unknown>>;

export const isAttributes = (value: unknown): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What may be given more than once: one, or a list of them. */
export const listOf = (value: unknown): Attributes[] => [value].flat().filter(isAttributes);

/** A text or a number as a text, without blanks around it; undefined: it is neither, or nothing. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : typeof value === 'number' ? `${value}` : undefined;
