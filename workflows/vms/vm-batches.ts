import { setHandler, workflowInfo } from '@temporalio/workflow';
import type { VmBatch } from '../../activities/vms/vms.js';
import { amongOf, amongText } from '../../domain/among.js';
import { batchesOf, packed } from '../../domain/vms/vm-batches.js';
import { moment } from '../operations/moment.js';
import { settle } from '../operations/operation.js';
import { rolesSettled } from '../signals.js';

/** VMs of one role that go into one batch. */
type Portion = {
  role: string;
  vms: number[];
  alone: boolean;
  settled: () => void;
  failed: (error: unknown) => void;
};

/** What a step at hypervisors is told, and how operators read of it: `2 VMs of role front`, `9 VMs of roles a, b, c and 4 more`. */
export type Batch = { input: Omit<VmBatch, 'op'>; what: string };

/**
 * Resolves when these VMs of a role are settled; fails when a batch that they are in does. `alone`: they share no batch, and its
 * step is over when they are settled.
 */
export type BatchStep = (role: string, vms: readonly number[], how?: { alone: true }) => Promise<void>;

/**
 * Steps at hypervisors: VMs of whatever roles ask at a moment go together in batches. Where one is of several roles, each
 * hears of its own VMs as soon as they are settled: what the slow ones of another do is no matter of its children.
 */
export function vmBatches(): (step: (batch: Batch) => Promise<unknown>) => BatchStep {
  const open = new Map<number, Portion[]>();
  let batches = 0;
  setHandler(rolesSettled, ({ run, batch, roles }) => {
    // What a batch of an earlier run says is about other VMs.
    if (run !== workflowInfo().runId) return;
    for (const { role, settled } of open.get(batch) ?? []) if (roles.includes(role)) settled();
  });

  return (step) => {
    let waiting: Portion[] = [];

    return async (role, vms, how) => {
      if (vms.length > 0 && waiting.length === 0) void moment().then(begin);
      const portions = batchesOf(vms).map(
        (some) =>
          new Promise<void>((settled, failed) => {
            waiting.push({ role, vms: some, alone: how?.alone === true, settled, failed });
          }),
      );
      await settle(portions);
    };

    function begin(): void {
      const portions = waiting;
      waiting = [];
      for (const batch of packed(portions)) void run(batch);
    }

    async function run(portions: Portion[]): Promise<void> {
      const vms = portions.flatMap((portion) => portion.vms);
      const [first, ...others] = portions;
      if (!first) return;
      batches += 1;
      const batch = batches;
      open.set(batch, portions);
      const among = amongOf(portions.map(({ role }) => role));
      try {
        await step(
          others.length === 0
            ? { input: { role: first.role, vms }, what: `${vms.length} VMs of role ${first.role}` }
            : { input: { batch, vms, among }, what: `${vms.length} VMs of ${amongText(among)}` },
        );
        for (const { settled } of portions) settled();
      } catch (error) {
        for (const { failed } of portions) failed(error);
      } finally {
        open.delete(batch);
      }
    }
  };
}
