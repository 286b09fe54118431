/** Does steps one after the other. */
export type StepsInTurn = <T>(step: () => Promise<T>) => Promise<T>;

/**
 * Steps one at a time, in the order in which they are asked for. Local activities side by side may end in another order
 * than they began, while a replay has them end as they began (sdk-typescript#1744): what the run did after the end of
 * one would then be taken for what it did after another's.
 */
export function inTurn(): StepsInTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (step) => {
    const next = last.then(step, step);
    last = next;
    return next;
  };
}
