export type Failure<T> = { item: T; error: unknown };

/**
 * Does a work for each of these, so many at a time and in their order. One that fails, or takes long, keeps none of those
 * behind it waiting: what failed is returned.
 */
export async function eachApart<T>(
  items: readonly T[],
  atATime: number,
  work: (item: T) => Promise<unknown>,
): Promise<Failure<T>[]> {
  const failures: Failure<T>[] = [];
  const left = items.values();
  const worker = async () => {
    for (const item of left)
      await work(item).catch((error: unknown) => {
        failures.push({ item, error });
      });
  };
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, worker));
  return failures;
}
