import { expect, it } from 'vitest';
import { createSignalPace } from '../../adapters/engine/signal-pace.js';

it('signals of a burst are the first and one more, which names all; one that is for everybody is for everybody', async () => {
  const sent: unknown[] = [];
  const pace = createSignalPace();
  const tell = (vms?: number[]) =>
    pace('run', vms, async (named) => {
      sent.push(named ?? 'all');
    });
  for (let vm = 1; vm <= 500; vm++) await tell([vm, 1]);
  expect(sent).toEqual([[1, 1]]);
  await expect.poll(() => sent.length).toBe(2);
  expect(sent[1]).toHaveLength(500);
  await tell([1]);
  await tell();
  await tell([2]);
  await expect.poll(() => sent.at(-1)).toBe('all');
});

it('the first that fails says so, and keeps nothing of what comes later back', async () => {
  const pace = createSignalPace();
  const sent: string[] = [];
  await expect(
    pace('run', undefined, async () => {
      throw new Error('nobody is there');
    }),
  ).rejects.toThrow('nobody is there');
  await pace('run', undefined, async () => {
    sent.push('told');
  });
  await expect.poll(() => sent).toEqual(['told']);
});
