/**
 * Work that names a key goes on one after the other with other work that names it, within this process. Transactions
 * that write one document would otherwise undo each other's tries: MongoDB lets the first win, and each of the others
 * has done all its work for nothing.
 */
export function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async <T>(keys: readonly string[], work: () => Promise<T>): Promise<T> => {
    const mine = Promise.all(keys.map((key) => last.get(key) ?? Promise.resolve())).then(work);
    const over = mine.then(
      () => undefined,
      () => undefined,
    );
    for (const key of keys) last.set(key, over);
    try {
      return await mine;
    } finally {
      for (const key of keys) if (last.get(key) === over) last.delete(key);
    }
  };
}
