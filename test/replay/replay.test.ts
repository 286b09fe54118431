import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { type ReplayWorkerOptions, Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { checkout } from '../../adapters/process/checkout.js';
import { workflowOptions } from '../../worker/workflow-options.js';
import * as workflows from '../../workflows/index.js';
import { builtBundle } from '../support/world-server.js';
import { recordHistories } from './record-histories.js';
import { stories } from './stories.js';

const directory = join(checkout, 'test', 'replay', 'histories');
type Recorded = { name: string; history: ReturnType<typeof historyFromJSON> };

const recorded = (): Recorded[] =>
  readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ name: file, history: historyFromJSON(JSON.parse(readFileSync(join(directory, file), 'utf8'))) }));

const typeOf = ({ history }: Recorded): string =>
  history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? 'none';

/** What the present bundle has against each history; null: it takes the same way. */
async function replay(
  histories: readonly Recorded[],
  options: ReplayWorkerOptions = { workflowBundle: builtBundle },
): Promise<Record<string, string | null>> {
  const found: Record<string, string | null> = {};
  const named = histories.map(({ name, history }) => ({ workflowId: name, history }));
  for await (const { workflowId, error } of Worker.runReplayHistories(options, named))
    found[workflowId] = error === undefined ? null : error.message;
  return found;
}

beforeAll(async () => {
  const recording = process.env.ARCUS_RECORD_HISTORIES;
  if (recording === 'new' || recording === 'all') await recordHistories(directory, recording);
});

describe('the histories that were recorded', () => {
  it('take the same way through the workflows as they are now', async () => {
    const histories = recorded();
    expect(histories).not.toEqual([]);
    expect(await replay(histories)).toEqual(Object.fromEntries(histories.map(({ name }) => [name, null])));
  });

  it('tell of every workflow, and every story', () => {
    const histories = recorded();
    expect([...new Set(histories.map(typeOf))].sort()).toEqual(Object.keys(workflows).sort());
    expect(histories.map(({ name }) => name).sort()).toEqual(
      Object.keys(stories)
        .map((name) => `${name}.json`)
        .sort(),
    );
  });

  it('are refused by workflows that take another way', async () => {
    const strangers = recorded()
      .filter((one) => typeOf(one) === 'deployService')
      .slice(0, 1);
    const type = strangers[0]?.history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType;
    if (type) type.name = 'undeployService';
    expect(Object.values(await replay(strangers))).toEqual([expect.stringContaining('ondeterminis')]);
  });
});

describe('a task of a workflow', () => {
  it('is given the time that the worker says: the end of the time that the SDK gives ends the process', async () => {
    const evaluate = vi.spyOn(vm.Script.prototype, 'runInContext');
    onTestFinished(() => evaluate.mockRestore());
    const one = recorded().slice(0, 1);
    expect(Object.values(await replay(one, workflowOptions(builtBundle)))).toEqual([null]);
    const limits = evaluate.mock.calls.flatMap(([, options]) => options?.timeout ?? []);
    expect(new Set(limits)).toEqual(new Set([5 * 60_000]));
  });

  it('writes down one line of where each promise is made: that was two thirds of what workflows cost', async () => {
    const evaluate = vi.spyOn(vm.Script.prototype, 'runInContext');
    onTestFinished(() => evaluate.mockRestore());
    await replay(recorded().slice(0, 1));
    const contexts = new Set(evaluate.mock.calls.map(([context]) => context).filter((own) => '__TEMPORAL__' in own));
    expect(contexts.size).toBeGreaterThan(0);
    const thrown = 'const one = () => new Error("here").stack; const two = () => one(); two();';
    for (const context of contexts) {
      const [said, ...lines] = String(vm.runInContext(thrown, context)).split('\n');
      expect(said).toBe('Error: here');
      expect(lines).toHaveLength(1);
    }
  });
});
