/** Whether two values of JSON are the same: in which order members stand, and those that are undefined, mean nothing. */
export const isSameValue = (one: unknown, other: unknown): boolean => printed(one) === printed(other);

const printed = (value: unknown): string | undefined =>
  JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
