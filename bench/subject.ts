import type { Client } from '@temporalio/client';

/** A role as both Arcus and its floor are asked for it. */
export type Role = {
  name: string;
  cardinality?: number;
  parents?: string[];
  cooldown?: number;
  min_vms?: number;
  max_vms?: number;
  elasticity_policies?: { type: 'CHANGE'; adjust: number; expression: string; cooldown?: number }[];
};

/** Number of steps in a run's history, and its bytes. */
export type RunInfo = { localActivities: number; activities: number; events: number; bytes: number };

/** What can be measured: Arcus, or its floor. Both are watched in the same way, by asking MongoDB every few milliseconds. */
export type Subject = {
  /** Asks for a service; returns its id. */
  deploy(roles: readonly Role[]): Promise<number>;
  undeploy(id: number): Promise<void>;
  /** Resolves when all of them are in this state. */
  reach(ids: readonly number[], state: 'RUNNING' | 'DONE'): Promise<void>;
  /** Of the newest run of a service's ID. */
  lastRun(id: number): Promise<RunInfo>;
};

/** What the newest run under an ID has in its history. */
export async function runInfo(client: Client, workflowId: string): Promise<RunInfo> {
  const handle = client.workflow.getHandle(workflowId);
  const [description, { events }] = await Promise.all([handle.describe(), handle.fetchHistory()]);
  const all = events ?? [];
  return {
    localActivities: all.filter((event) => event.markerRecordedEventAttributes?.markerName === 'core_local_activity')
      .length,
    activities: all.filter((event) => event.activityTaskScheduledEventAttributes).length,
    events: all.length,
    bytes: description.historySize ?? 0,
  };
}

/** Milliseconds that a deployment of so many services at once takes, and the undeployment of them all. */
export async function onceThrough(
  subject: Subject,
  roles: readonly Role[],
  services = 1,
): Promise<{ deployed: number; undeployed: number; ids: number[] }> {
  const begin = performance.now();
  const ids = await Promise.all(Array.from({ length: services }, () => subject.deploy(roles)));
  await subject.reach(ids, 'RUNNING');
  const middle = performance.now();
  await Promise.all(ids.map((id) => subject.undeploy(id)));
  await subject.reach(ids, 'DONE');
  return { deployed: middle - begin, undeployed: performance.now() - middle, ids };
}
