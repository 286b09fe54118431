import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two signals of one kind to one run. */
const pause = 500;

/** What a signal names: VMs; undefined: all that wait. */
type Named = readonly number[] | undefined;
type Send = (vms: Named) => Promise<void>;

/**
 * Signals that only say that something may be looked at: the first goes at once, what comes soon after it goes as one, half a
 * second later. A burst (a hundred hosts enabled, a thousand VMs ended) fills no history then. One that fails later than
 * the first, or is lost with its process, only delays: whoever waits looks again by himself.
 */
export function createSignalPace() {
  /** By run and kind, what is to be said when the pause is over; null: nothing. */
  const told = new Map<string, { vms: Named; send: Send } | null>();
  return async (key: string, vms: Named, send: Send): Promise<void> => {
    const before = told.get(key);
    if (before !== undefined) {
      told.set(key, { vms: before === null ? vms : together(before.vms, vms), send });
      return;
    }
    told.set(key, null);
    void (async () => {
      for (;;) {
        await sleep(pause, undefined, { ref: false });
        const next = told.get(key);
        if (!next) break;
        told.set(key, null);
        await next.send(next.vms).catch(() => {});
      }
      told.delete(key);
    })();
    await send(vms);
  };
}

const together = (one: Named, other: Named): Named => one && other && [...new Set([...one, ...other])];
