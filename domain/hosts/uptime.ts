/** What is less than this part of what was heard before is of another start: measures of how long a host has been up are rough. */
const part = 0.9;

/** Whether it was started anew since. */
export const isStartedAnew = (before: number | undefined, now: number | undefined): boolean =>
  before !== undefined && now !== undefined && now < part * before;

/** Whether it is written down: what is hardly more than before says nothing that is new. */
export const isWorthNoting = (before: number | undefined, now: number): boolean =>
  before === undefined || now < part * before || now * part > before;
