/** An operator's Ctrl-C counts as the second one only after this time: npm passes the first one on, so it comes twice. */
const echo = 700;

/** Asked to stop, by Ctrl-C, SIGTERM or a closed terminal; `forced` when asked again. */
export type StopRequest = { requested: Promise<void>; forced: Promise<void>; dispose: () => void };

/** Begins to listen for the signals that ask this process to stop, until `dispose`. */
export function listenForStop(): StopRequest {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let first: number | null = null;
  let request = () => {};
  let force = () => {};
  const requested = new Promise<void>((resolve) => {
    request = resolve;
  });
  const forced = new Promise<void>((resolve) => {
    force = resolve;
  });
  const heard = () => {
    const now = Date.now();
    if (first === null) {
      first = now;
      request();
    } else if (now - first > echo) force();
  };
  for (const signal of signals) process.on(signal, heard);
  return {
    requested,
    forced,
    dispose: () => {
      for (const signal of signals) process.off(signal, heard);
    },
  };
}
