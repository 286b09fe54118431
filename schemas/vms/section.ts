import { z } from 'zod';

type Raw = { code?: string; input?: unknown };

const timesOf = (many: readonly unknown[]): string => (many.length === 2 ? 'twice' : `${many.length} times`);

/** What is said of what stands in the place of a section of a template, in the template's words: of a text, or of several where one may be. */
export const noSection =
  (name: string, member: string) =>
  ({ code, input }: Raw): string | undefined => {
    if (code !== 'invalid_type') return undefined;
    return Array.isArray(input) && input.length > 1
      ? `is given ${timesOf(input)}, and can be once`
      : `is a section: ${name} = [ ${member} = … ]`;
  };

/** A text of a template, which is given once. */
export const OnceText = z.string({
  error: ({ input }) =>
    Array.isArray(input) && input.length > 1 ? `is given ${timesOf(input)}, and can be once` : 'must be a text',
});
