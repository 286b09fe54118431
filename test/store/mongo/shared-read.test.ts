import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedRead } from '../../../store/mongo/shared-read.js';

type Read = { value: number; found: (value: number) => void; failed: (error: Error) => void };

/** A value that changes, and reads of it that see it as they begin and end when they are told to. */
function changing() {
  const reads: Read[] = [];
  const state = { value: 0 };
  const read = sharedRead(
    () =>
      new Promise<number>((found, failed) => {
        reads.push({ value: state.value, found, failed });
      }),
  );
  const end = async (nth: number) => {
    reads[nth]?.found(reads[nth].value);
    await new Promise(setImmediate);
  };
  return { state, reads, read, end };
}

describe('a shared read', () => {
  it('is begun at once, and the next is shared by all who come while it is under way', async () => {
    const { reads, read, end } = changing();
    const first = read();
    const others = [read(), read(), read()];
    expect(reads).toHaveLength(1);
    await end(0);
    expect(reads).toHaveLength(2);
    await end(1);
    expect(await Promise.all([first, ...others])).toEqual([0, 0, 0, 0]);
    void read();
    expect(reads).toHaveLength(3);
  });

  it('fails for those who share it, and for nobody else', async () => {
    const { reads, read, end } = changing();
    const [first, second, third] = [read(), read(), read()];
    reads[0]?.failed(new Error('lost'));
    await expect(first).rejects.toThrow('lost');
    await end(1);
    expect(await Promise.all([second, third])).toEqual([0, 0]);
  });

  it('never tells anybody what is older than his question', async () => {
    const deeds = fc.array(fc.constantFrom('ask', 'change', 'end'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(deeds, async (history) => {
        const { state, reads, read, end } = changing();
        const asked: Promise<void>[] = [];
        let ended = 0;
        for (const deed of history) {
          if (deed === 'change') state.value++;
          else if (deed === 'end') await end(ended < reads.length ? ended++ : -1);
          else {
            const atLeast = state.value;
            asked.push(read().then((value) => expect(value).toBeGreaterThanOrEqual(atLeast)));
          }
          expect(reads.length - ended).toBeLessThanOrEqual(1);
        }
        while (ended < reads.length) await end(ended++);
        await Promise.all(asked);
      }),
    );
  });
});
