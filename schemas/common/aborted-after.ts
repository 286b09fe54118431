/**
 * A signal that aborts with the other one, or after so many milliseconds, by a `TimeoutError`. AbortSignal.any over
 * AbortSignal.timeout is not that: nobody holds the latter, and once it has been collected as garbage it never aborts (Node 20).
 */
export function abortedAfter(signal: AbortSignal, milliseconds: number): AbortSignal {
  const late = new AbortController();
  // The timer holds it; no process stays for that.
  setTimeout(() => late.abort(new DOMException('It took too long.', 'TimeoutError')), milliseconds).unref();
  return AbortSignal.any([signal, late.signal]);
}
