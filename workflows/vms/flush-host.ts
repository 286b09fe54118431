import { ApplicationFailure, setCurrentDetails } from '@temporalio/workflow';
import { asking, local } from '../activity-options.js';
import { type OperationInput, runOperation } from '../operations/operation.js';
import { renewing, roomForMore } from '../signals.js';

/** Has the VMs of a host moved to others, each by an operation of its own. A cancel asks for no more; those under way go on. */
export async function flushHost(input: OperationInput): Promise<void> {
  const { op } = input;
  await runOperation({ op }, local.beginFlush, () =>
    renewing(input, async () => {
      for (;;) {
        const { open, done, all } = await asking.flushVms.executeWithOptions(
          { summary: 'have its VMs migrated, and wait for them' },
          [{ op }],
        );
        setCurrentDetails(`${done} of ${all} VMs moved`);
        if (open === 0) break;
        await roomForMore();
      }
      const stayed = await local.judgeFlush({ op });
      if (stayed !== null) throw ApplicationFailure.nonRetryable(stayed, 'vm_failed');
    }),
  );
}
