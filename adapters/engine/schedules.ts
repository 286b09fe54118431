import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { scheduleIds, taskQueues } from './names.js';

/** A periodic work: its tick is short, so one that is late is dropped and one that hangs ends before the third after it. */
type Tick = { id: string; workflowType: string; every: number; summary: string };

/** Seconds between looks at policies, and between polls of hosts. */
export type TickSettings = { elasticity: number; monitoring: number };

const ticks = ({ elasticity, monitoring }: TickSettings): readonly Tick[] => [
  {
    id: scheduleIds.reconcile,
    workflowType: 'reconcile',
    every: 10,
    summary: 'look at every operation that has not ended',
  },
  { id: scheduleIds.monitorHosts, workflowType: 'monitorHosts', every: monitoring, summary: 'probe the hosts' },
  {
    id: scheduleIds.monitorDatastores,
    workflowType: 'monitorDatastores',
    every: 60,
    summary: 'ask datastores how much room they have',
  },
  {
    id: scheduleIds.monitorMarketplaces,
    workflowType: 'monitorMarketplaces',
    every: 60,
    summary: 'ask marketplaces how much room they have, and which apps',
  },
  {
    id: scheduleIds.elasticity,
    workflowType: 'evaluatePolicies',
    every: elasticity,
    summary: 'look at every role that is scaled by policies',
  },
];

/** Makes the Schedules, or brings those of an earlier version up to date. `client`: of the ticks namespace. */
export async function prepareSchedules(client: Client, settings: TickSettings): Promise<void> {
  for (const { id, workflowType, every, summary } of ticks(settings)) {
    const action = {
      type: 'startWorkflow',
      workflowType,
      workflowId: id,
      taskQueue: taskQueues.ticks,
      // One that comes every second has to be given time all the same.
      workflowRunTimeout: `${Math.max(29, every * 3 - 1)}s`,
      staticSummary: summary,
    } as const;
    const spec = { intervals: [{ every: `${every}s` as const }] };
    const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: `${every}s` as const };
    try {
      await client.schedule.create({ scheduleId: id, action, spec, policies });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await client.schedule.getHandle(id).update((present) => ({ ...present, action, spec, policies }));
    }
  }
}
