import { asDefault, unlimited } from '../../schemas/identity/quota.js';

/** Limits that are words to people. */
const limits = new Map([
  ['default', asDefault],
  ['unlimited', unlimited],
]);

/** What is wrong with what says nothing of a limit. */
export const noLimit = 'must be a number, default or unlimited';

/** A limit as it is written, on the command line and in documents: a number, `default` or `unlimited`; NaN: none of them. */
export const limitOf = (text: string): number => limits.get(text) ?? Number(text.trim() || Number.NaN);

/** The word for a limit; undefined: it is a number to people, too. */
export const wordOf = (limit: number): string | undefined => [...limits].find(([, value]) => value === limit)?.[0];
