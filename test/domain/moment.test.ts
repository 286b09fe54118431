import { createHook } from 'node:async_hooks';
import { expect, it, onTestFinished } from 'vitest';
import { moment } from '../../workflows/operations/moment.js';

it('a moment is twenty turns of the queue of microtasks, and a promise a turn', async () => {
  let promises = 0;
  const hook = createHook({
    init: (_, type) => {
      if (type === 'PROMISE') promises += 1;
    },
  });
  onTestFinished(() => void hook.disable());
  const order: string[] = [];
  const others = async (turns: number): Promise<void> => {
    const now = Promise.resolve();
    for (let turn = 0; turn < turns; turn++) await now;
    order.push(`after ${turns}`);
  };
  const all = [others(19), moment().then(() => order.push('moment')), others(22)];
  await Promise.all(all);
  expect(order).toEqual(['after 19', 'moment', 'after 22']);
  hook.enable();
  await moment();
  hook.disable();
  expect(promises).toBeLessThan(30);
});
