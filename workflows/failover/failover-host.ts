import { ApplicationFailure, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { FailoverRound, GivenUp } from '../../activities/failover/failing-over.js';
import { batchesOf } from '../../domain/vms/vm-batches.js';
import { compute, fencing, local } from '../activity-options.js';
import { attempt, type OperationInput, Parked, runOperation, settle } from '../operations/operation.js';
import { renewing, roomForMore } from '../signals.js';
import { booted } from '../vms/booted.js';

/**
 * Recovers the VMs of a host that has failed: a second look, then its power is cut, or a person says that it is off; then all its VMs at once,
 * those first that others of their service stand on. Nothing that may still run is started elsewhere before.
 */
export async function failoverHost(input: OperationInput): Promise<void> {
  const { op } = input;
  await runOperation({ op }, local.beginFailover, ({ host, fenced }) =>
    renewing(input, async () => {
      if (!fenced && !(await turnedOff(op, host))) {
        setCurrentDetails('the host answers again: nothing was taken from it');
        return;
      }
      let failed: GivenUp[] = [];
      for (;;) {
        await roomForMore();
        const round = await local.recoverLost.executeWithOptions(
          { summary: 'take its VMs, and find places for them' },
          [{ op, ...(failed.length > 0 && { failed }) }],
        );
        if (round === null) return;
        setCurrentDetails(`${round.done} of ${round.all} VMs recovered`);
        if (round.open === 0) break;
        failed = await carriedOut(op, round);
        if (round.clear.length + round.end.length + round.boot.length === 0) await sleep('2s');
      }
      const stayed = await local.judgeFailover({ op });
      if (stayed !== null) throw ApplicationFailure.nonRetryable(stayed, 'vm_failed');
    }),
  );
}

/** Whether it is off now; false: it answers, and there is nothing to do. */
async function turnedOff(op: string, host: number): Promise<boolean> {
  setCurrentDetails('a second look at the host');
  if (!(await compute.confirmFailure.executeWithOptions({ summary: 'look at the host once more' }, [{ host }])))
    return false;
  // What ran before its power is cut is told apart from what was off.
  await local.recoverLost.executeWithOptions({ summary: 'see which VMs are on it' }, [{ op }]);
  setCurrentDetails('the host is turned off');
  const outcome = await fencing.fenceHost.executeWithOptions({ summary: 'turn the host off' }, [{ op, host }]);
  if (outcome.is !== 'ask') return outcome.is === 'off';
  await local.parkFailover({ op, host, run: workflowInfo().firstExecutionRunId, why: outcome.why });
  throw new Parked();
}

/** What a round has left to do at hosts, all at once; returns what failed as a whole. */
async function carriedOut(op: string, { clear, end, boot }: FailoverRound): Promise<GivenUp[]> {
  const failed: GivenUp[] = [];
  const each = (all: readonly number[], step: (vms: number[]) => Promise<unknown>) =>
    batchesOf(all).map(async (vms) => {
      const why = await attempt(() => step(vms));
      if (why !== null) failed.push({ vms, why });
    });
  const summary = (verb: string, vms: readonly number[]) => ({ summary: `${verb} ${vms.length} VMs` });
  await settle([
    ...each(clear, (vms) => compute.clearVms.executeWithOptions(summary('end what there is of', vms), [{ op, vms }])),
    ...each(end, (vms) => compute.destroyVms.executeWithOptions(summary('end', vms), [{ op, vms, hard: true }])),
    ...each(boot, (vms) => booted({ op, vms }, `${vms.length} VMs`)),
  ]);
  return failed;
}
