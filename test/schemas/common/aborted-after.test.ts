import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { abortedAfter } from '../../../schemas/common/aborted-after.js';

/** The collector, which is otherwise nobody's to call. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return z.custom<() => void>((value) => typeof value === 'function').parse(runInNewContext('gc'));
}

it('aborts after its time, whatever is collected meanwhile', async () => {
  const collect = collector();
  const owner = new AbortController();
  let aborted = 0;
  for (let nth = 0; nth < 20; nth++) abortedAfter(owner.signal, 100).addEventListener('abort', () => aborted++);
  await expect
    .poll(async () => {
      collect();
      await sleep(5);
      return aborted;
    })
    .toBe(20);
});

it('aborts with the other, for its reason, and of itself as what came too late', async () => {
  const owner = new AbortController();
  const signal = abortedAfter(owner.signal, 60_000);
  owner.abort(new Error('nobody asks any more'));
  expect(signal.reason).toEqual(new Error('nobody asks any more'));
  const late = abortedAfter(new AbortController().signal, 1);
  await expect.poll(() => late.aborted).toBe(true);
  expect(late.reason).toMatchObject({ name: 'TimeoutError' });
});
