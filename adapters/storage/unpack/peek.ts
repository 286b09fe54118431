/** An iterable of which the first bytes have been looked at. Ended before it was begun, it ends what is behind it, which a generator would not. */
export type Peeked = AsyncIterableIterator<Uint8Array> & { return(): Promise<IteratorResult<Uint8Array>> };

/** The first bytes of an iterable, as many as are asked for or as there are, and all of it, those with it. */
export async function peek(source: AsyncIterable<Uint8Array>, bytes: number): Promise<{ head: Buffer; all: Peeked }> {
  const iterator = source[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let ended = false;
  for (let length = 0; length < bytes && !ended; ) {
    const next = await iterator.next();
    if (next.done === true) ended = true;
    else {
      // What it gives is good until the next is asked for.
      seen.push(Buffer.from(next.value));
      length += next.value.length;
    }
  }
  const head = Buffer.concat(seen).subarray(0, bytes);
  const over = { done: true, value: undefined } as const;
  const all: Peeked = {
    [Symbol.asyncIterator]: () => all,
    async next() {
      const first = seen.shift();
      if (first !== undefined) return { done: false, value: first };
      if (ended) return over;
      const next = await iterator.next();
      if (next.done === true) ended = true;
      return next;
    },
    async return() {
      seen.length = 0;
      if (!ended) await iterator.return?.();
      ended = true;
      return over;
    },
  };
  return { head, all };
}
