import { ApplicationFailure, CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import type { TestedMethod } from '../../activities/failover/fencing-test.js';
import { fencing, local } from '../activity-options.js';
import { attempt, failureOf, type OperationInput, runOperation } from '../operations/operation.js';

/**
 * Turns a host off and on by each method that needs nobody, and sees by its answers that it goes and comes back. Whatever happens once its power
 * may have been cut, it is turned on again: by the run that comes after this one where this one is lost.
 */
export async function testFencing({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginFencingTest, async ({ host, methods, cut }) => {
    if (cut !== null) {
      setCurrentDetails('the host is turned on again, where it was left off');
      const stays = await restored({ op, host, at: cut });
      if (stays !== null) throw ApplicationFailure.nonRetryable(stays, 'not_fenced');
    }
    for (const { at, name } of methods) {
      setCurrentDetails(`the host is turned off and on: ${name}`);
      await tried({ op, host, at });
    }
  });
}

async function tried(method: TestedMethod): Promise<void> {
  await fencing.checkPower.executeWithOptions({ summary: 'see whether the host has power' }, [method]);
  let failed: { error: unknown } | null = null;
  try {
    await fencing.cutPower.executeWithOptions({ summary: 'turn the host off' }, [method]);
  } catch (error) {
    failed = { error };
  }
  const stays = await restored(method);
  if (stays !== null) {
    const before = failed === null ? '' : `${failureOf(failed.error).detail}; then: `;
    throw ApplicationFailure.nonRetryable(`${before}${stays}`, 'not_fenced');
  }
  if (failed !== null) throw failed.error;
}

/** Why it stays off; null: it answers. A cancel does not reach this. */
const restored = (method: TestedMethod): Promise<string | null> =>
  CancellationScope.nonCancellable(() =>
    attempt(() => fencing.restorePower.executeWithOptions({ summary: 'turn the host on, and wait for it' }, [method])),
  );
