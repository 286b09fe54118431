/**
 * A question that many ask at once. Each gets what was found by a read that began after he had asked, so nothing he is
 * told is older than his question; at most one read is under way, and those who come meanwhile share the next.
 */
export function sharedRead<T>(read: () => Promise<T>): () => Promise<T> {
  let underway: Promise<T> | null = null;
  let next: Promise<T> | null = null;

  function begin(): Promise<T> {
    next = null;
    const mine = read();
    underway = mine;
    const over = () => {
      if (underway === mine) underway = null;
    };
    mine.then(over, over);
    return mine;
  }

  return () => {
    if (!underway) return begin();
    next ??= underway.then(begin, begin);
    return next;
  };
}
