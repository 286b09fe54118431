import fc from 'fast-check';
import type { Connection } from 'mongoose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bootstrapStore } from '../../../store/bootstrap.js';
import { connectMongodb } from '../../../store/mongo/connection.js';
import type { StepNote, StepStore } from '../../../store/operations/steps.js';
import { createStore } from '../../../store/store.js';
import { ownDatabaseUri } from '../../support/servers.js';

let connection: Connection;
let steps: StepStore;

beforeAll(async () => {
  const uri = ownDatabaseUri('steps');
  const preparing = await connectMongodb(uri);
  await bootstrapStore(preparing);
  await preparing.close();
  connection = await connectMongodb(uri);
  steps = createStore(connection).steps;
});
afterAll(() => connection.close());

const at = (seconds: number): Date => new Date(1_800_000_000_000 + seconds * 1_000);

function note(id: string, attempt: number, over: Partial<StepNote> = {}): StepNote {
  return {
    _id: `${id}/run/1`,
    op: id,
    run: 'run',
    name: 'bootVms',
    role: 'web',
    vms: 5,
    local: false,
    started_at: at(attempt),
    attempt,
    ended: null,
    error: null,
    ...over,
  };
}

const said = { code: 'backend_unavailable', detail: '$host does not answer' };

it('come out the same in whatever order the notes of tries are written, together or one by one', async () => {
  const notes = (id: string): StepNote[] => [
    note(id, 1),
    note(id, 1, { error: said }),
    note(id, 2),
    note(id, 2, { error: { ...said, detail: 'still not' } }),
    note(id, 3),
    note(id, 3, { ended: { state: 'done', at: at(9) } }),
  ];
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });
  let made = 0;
  await fc.assert(
    fc.asyncProperty(order, fc.boolean(), async (order, together) => {
      const id = `op-${++made}`;
      const ordered = order.flatMap((index) => notes(id).slice(index, index + 1));
      if (together) await steps.write(ordered);
      else for (const one of ordered) await steps.write([one]);
      const [step, ...others] = await steps.ofOperation(id, 10);
      expect(others).toEqual([]);
      expect(step).toMatchObject({
        attempts: 3,
        state: 'done',
        started_at: at(1),
        ended_at: at(9),
        role: 'web',
        vms: 5,
      });
    }),
    { numRuns: 40 },
  );
});

it('keep the error of the last try that failed, letter by letter', async () => {
  await steps.write([
    note('kept', 1, { error: { code: 'internal', detail: 'first' } }),
    note('kept', 2, { error: said }),
  ]);
  expect(await steps.ofOperation('kept', 10)).toMatchObject([
    { attempts: 2, failed: 2, state: 'running', ended_at: null, error: said },
  ]);
  await steps.write([note('kept', 3, { ended: { state: 'done', at: at(5) } })]);
  expect(await steps.ofOperation('kept', 10)).toMatchObject([{ attempts: 3, failed: 2, state: 'done', error: said }]);
});

it('are not taken back by the late word of a try that was overtaken', async () => {
  await steps.write([note('late', 2, { ended: { state: 'done', at: at(5) } })]);
  await steps.write([note('late', 1, { ended: { state: 'failed', at: at(8) }, error: said })]);
  expect(await steps.ofOperation('late', 10)).toMatchObject([
    { attempts: 2, state: 'done', ended_at: at(5), error: null },
  ]);
});

it('are listed oldest first, the last so many', async () => {
  await steps.write([4, 1, 3, 2].map((nth) => note('many', 1, { _id: `many/run/${nth}`, started_at: at(nth) })));
  expect((await steps.ofOperation('many', 3)).map(({ started_at }) => started_at)).toEqual([at(2), at(3), at(4)]);
});
