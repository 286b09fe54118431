/**
 * A computing that takes long is a generator: whoever takes it decides when others come in between. This goes on to its end
 * without a break, for what is small.
 */
export function atOnce<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
