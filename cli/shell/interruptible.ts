/**
 * Does work that Ctrl-C may end early, by the signal it is given; `interrupted` then says what is thrown. Work that was
 * finished all the same counts. A second Ctrl-C ends the program as usual.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  interrupted: () => Error,
): Promise<T> {
  const interrupt = new AbortController();
  const abort = (): void => interrupt.abort();
  process.once('SIGINT', abort);
  try {
    return await work(interrupt.signal);
  } catch (error) {
    throw interrupt.signal.aborted ? interrupted() : error;
  } finally {
    process.off('SIGINT', abort);
  }
}
