/** Whether a write was refused because a unique index has such a document already. */
export const isDuplicateKey = (error: unknown): boolean => duplicateFields(error) !== null;

/** The fields of the index that has it; null: the write was refused for something else. */
export function duplicateFields(error: unknown): string[] | null {
  if (!(error instanceof Error && 'code' in error && error.code === 11000)) return null;
  const index = 'keyPattern' in error ? error.keyPattern : null;
  return typeof index === 'object' && index !== null ? Object.keys(index) : [];
}
