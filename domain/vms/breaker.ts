/** VMs of one role that were booted: how many run, and how many have failed since the last one that does. */
export type Streak = { running: number; failed: number };

export const unbroken: Streak = { running: 0, failed: 0 };

/** So many VMs in a row that fail, and no more of their role are booted. */
export const breaker = 10;

/** VMs of a role that are booted at once, at most. */
const most = 200;

/** In order of the VMs: true runs, false has failed; of others nothing is known, and they count for neither. */
export const after = (streak: Streak, came: readonly (boolean | undefined)[]): Streak =>
  came.reduce<Streak>(
    ({ running, failed }, runs) =>
      runs === undefined
        ? { running, failed }
        : runs
          ? { running: running + 1, failed: 0 }
          : { running, failed: failed + 1 },
    streak,
  );

/**
 * How many are booted next, at once: what is wrong with them is seen in the first few; where these run, soon all of a large
 * role are on their way.
 */
export const nextSlice = ({ running, failed }: Streak): number =>
  failed > 0 ? breaker : Math.min(most, Math.max(breaker, 4 * running));

/** Why no more are booted; null: they are. */
export const brokenBy = ({ failed }: Streak): string | null =>
  failed < breaker ? null : `${failed} VMs in a row failed: no more are booted`;
