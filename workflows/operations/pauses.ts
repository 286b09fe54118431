import { sleep } from '@temporalio/workflow';
import { moment } from './moment.js';

/** Pauses of so many seconds: one timer for all who begin one of the same length at the same moment, however many. */
export function pauses(): (seconds: number) => Promise<void> {
  const beginning = new Map<number, Promise<void>>();
  return (seconds) => {
    const shared =
      beginning.get(seconds) ??
      moment().then(() => {
        beginning.delete(seconds);
        return sleep(`${seconds}s`);
      });
    beginning.set(seconds, shared);
    return shared;
  };
}
