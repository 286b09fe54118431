import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { StepTurns } from '../../../activities/operations/step-turns.js';

const never = new AbortController().signal;
/** Operations are named by their user and a number: `bob/1`. */
const userOf = async (op: string): Promise<string | null> => op.split('/')[0] ?? null;

/** Steps that end when they are let, and who is at work. */
function workshop() {
  const atWork: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    atWork,
    step: (op: string) => () =>
      new Promise<string>((resolve) => {
        atWork.push(op);
        ends.set(op, () => {
          atWork.splice(atWork.indexOf(op), 1);
          resolve(op);
        });
      }),
    async end(op: string): Promise<void> {
      ends.get(op)?.();
      await sleep(1);
    },
  };
}

describe('steps of one user', () => {
  it('are all at work at once while there is nobody else', async () => {
    const turns = new StepTurns(userOf);
    const { atWork, step, end } = workshop();
    const ops = ['bob/1', 'bob/2', 'bob/3'];
    const done = Promise.all(ops.map((op) => turns.take(op, never, step(op))));
    await sleep(1);
    expect(atWork).toEqual(ops);
    for (const op of ops) await end(op);
    expect(await done).toEqual(ops);
  });

  it('are one at a time beside another’s, in the order in which they came, and all at once when those have gone', async () => {
    const turns = new StepTurns(userOf);
    const { atWork, step, end } = workshop();
    const begun = ['alice/1', 'bob/1', 'bob/2', 'bob/3', 'bob/4'].map((op) => turns.take(op, never, step(op)));
    await sleep(1);
    expect(atWork).toEqual(['alice/1', 'bob/1']);
    await end('bob/1');
    expect(atWork).toEqual(['alice/1', 'bob/2']);
    await end('alice/1');
    // Between two steps of a run she is still there.
    expect(atWork).toEqual(['bob/2']);
    const again = turns.take('alice/2', never, step('alice/2'));
    await sleep(1);
    expect(atWork).toEqual(['bob/2', 'alice/2']);
    await end('alice/2');
    await expect.poll(() => atWork).toEqual(['bob/2', 'bob/3', 'bob/4']);
    for (const op of ['bob/2', 'bob/3', 'bob/4']) await end(op);
    await Promise.all([...begun, again]);
  });

  it('go on when the others have gone, though no step of anybody ends by then', async () => {
    const turns = new StepTurns(userOf);
    const { atWork, step, end } = workshop();
    await turns.take('alice/1', never, async () => 'done');
    const begun = ['bob/1', 'bob/2'].map((op) => turns.take(op, never, step(op)));
    await sleep(1);
    expect(atWork).toEqual(['bob/1']);
    await expect.poll(() => atWork).toEqual(['bob/1', 'bob/2']);
    for (const op of ['bob/1', 'bob/2']) await end(op);
    await Promise.all(begun);
  });

  it('that have failed, or were cancelled while they waited, leave the turn to the next', async () => {
    const turns = new StepTurns(userOf);
    const { atWork, step, end } = workshop();
    const other = turns.take('alice/1', never, step('alice/1'));
    const controller = new AbortController();
    const failing = turns.take('bob/1', never, async () => {
      await sleep(5);
      throw new Error('it broke');
    });
    const cancelled = turns.take('bob/2', controller.signal, step('bob/2'));
    const next = turns.take('bob/3', never, step('bob/3'));
    const outcomes = Promise.allSettled([failing, cancelled]);
    controller.abort(new Error('no more'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await sleep(1);
    expect(atWork).toEqual(['alice/1', 'bob/3']);
    for (const op of ['alice/1', 'bob/3']) await end(op);
    expect(await Promise.all([other, next])).toEqual(['alice/1', 'bob/3']);
  });

  it('of an operation that cannot be found are done at once', async () => {
    const turns = new StepTurns(async () => {
      throw new Error('the database is away');
    });
    expect(await turns.take('bob/1', never, async () => 'done')).toBe('done');
  });
});
