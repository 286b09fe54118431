import { expect, it } from 'vitest';
import { createPace } from '../../../requests/pace.js';

it('what is to be told a thousand times is told at once, and once more at the end', async () => {
  const told: number[] = [];
  const pace = createPace(() => {});
  for (let time = 1; time <= 1_000; time++)
    await pace('one', async () => {
      told.push(time);
    });
  await pace('other', async () => {
    told.push(0);
  });
  expect(told).toEqual([1, 0]);
  await expect.poll(() => told).toEqual([1, 0, 1_000]);
  await pace('one', async () => {
    told.push(1_001);
  });
  await expect.poll(() => told.at(-1)).toBe(1_001);
});

it('what could not be told is said, and keeps nothing of what comes later back', async () => {
  const failures: string[] = [];
  const pace = createPace((error) => failures.push(String(error)));
  const fail = async () => {
    throw new Error('nobody is there');
  };
  await pace('one', fail);
  await pace('one', fail);
  await expect.poll(() => failures).toEqual(['Error: nobody is there', 'Error: nobody is there']);
  const told: string[] = [];
  await pace('one', async () => {
    told.push('told');
  });
  await expect.poll(() => told).toEqual(['told']);
});
