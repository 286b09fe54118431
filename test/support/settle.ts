/**
 * As Promise.all, but no sooner than all have settled: what others have brought about when one fails is there by then, and
 * whoever catches can undo it.
 */
export async function settle<T extends readonly unknown[] | []>(
  begun: T,
): Promise<{ -readonly [at in keyof T]: Awaited<T[at]> }> {
  await Promise.allSettled(begun);
  return Promise.all(begun);
}
