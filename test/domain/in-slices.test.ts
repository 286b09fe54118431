import { expect, it } from 'vitest';
import { begunInSlices, giveWay } from '../../adapters/process/in-slices.js';

it('of those that give way, one goes on in each turn of the event loop', async () => {
  let turn = 0;
  let over = false;
  const count = () => {
    turn += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const turns: number[] = [];
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      await giveWay();
      turns.push(turn);
      await giveWay();
      turns.push(turn);
    }),
  );
  over = true;
  expect(turns).toHaveLength(40);
  expect(new Set(turns).size).toBe(40);
});

it('what is begun in slices is under way together', async () => {
  const [begun, ended]: [number[], number[]] = [[], []];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const numbers = Array.from({ length: 50 }, (_, at) => at);
  await begunInSlices(numbers, async (number) => {
    begun.push(number);
    if (begun.length === numbers.length) release();
    // None would end if they took turns.
    await released;
    ended.push(number);
  });
  expect([begun, ended]).toEqual([numbers, numbers]);
});
