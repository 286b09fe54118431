import type { FailingTask } from '../../domain/operations/failing-task.js';
import type { PendingStep } from '../../domain/operations/steps.js';
import type { SettledRoles } from '../../domain/services/settled-roles.js';
import type { Operation } from '../../schemas/operations/operation.js';

/** The newest run under a workflow ID. `op` is the operation in its memo. */
export type Run = {
  op: string | null;
  runId: string;
  /** First run of its chain: what a cancel names, so that it never hits the next operation's run. */
  firstRunId: string;
  status: 'open' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';
  /** Of one that is open: its tasks fail. null: they do not. */
  failing: FailingTask | null;
};

/** What the newest run under a workflow ID is at. */
export type Pending = {
  op: string | null;
  isOpen: boolean;
  /** Since when the run itself waits for a worker; null: it does not. */
  queuedSince: Date | null;
  failing: FailingTask | null;
  steps: PendingStep[];
};

/** Facts that a run may wait for. */
export type RunSignal = 'capacityAppeared' | 'vmReported' | 'uploadChanged';

/**
 * What Arcus asks of the workflow engine. What cannot be reached throws `backend_unavailable`. Every method may be
 * called again with the same arguments.
 */
export interface Engine {
  /** Starts the run of an operation under the ID of its resource. `occupied`: the run of another operation is open there. */
  start(operation: Operation): Promise<'started' | 'occupied'>;
  /**
   * Starts the next run of an operation whose last one has parked it and may be about to close: waits for that, two
   * seconds at most. What is not started then is started by reconciliation.
   */
  startNext(operation: Operation): Promise<void>;
  latestRun(workflowId: string): Promise<Run | null>;
  /**
   * Some of the runs that are open for operations, and where to go on: null at the end, and to begin. It lags, and may
   * name some that have closed or leave some out: nothing is decided from it without `latestRun`.
   */
  openRuns(page: string | null): Promise<{ runs: { workflowId: string; op: string | null }[]; next: string | null }>;
  /** For whoever asks why: bounded to a second. null: there is no run. */
  pendingSteps(workflowId: string): Promise<Pending | null>;
  /** Why a run failed or was terminated, in its own words or in those of whoever did. */
  failureOf(workflowId: string, runId: string): Promise<{ type: string; message: string }>;
  /** Asks a run to stop at its next safe point; one that has ended is left alone. */
  cancel(workflowId: string, run: Pick<Run, 'firstRunId'>): Promise<void>;
  terminate(workflowId: string, run: Pick<Run, 'firstRunId'>, reason: string): Promise<void>;
  /**
   * Tells the open run under an ID; nobody there is no error. `vms`: of `capacityAppeared`, those that have their turn;
   * absent: all that wait may try. What is told again within half a second goes as one, and then resolves before it is sent.
   */
  signal(workflowId: string, signal: RunSignal, vms?: readonly number[]): Promise<void>;
  /** Tells the open run under an ID how far one of its batches is; what is lost only delays. */
  signalSettled(workflowId: string, settled: SettledRoles): Promise<void>;
  /** Capacity has appeared: the one `placement` workflow looks who waits for it. Paced as `signal`. */
  signalPlacement(): Promise<void>;
  /** Makes way for a pre-empting operation: a short durable run that outlives whoever asked. */
  handOver(op: string): Promise<void>;
  /** Has hosts monitored now, not at the next tick. */
  monitorNow(): Promise<void>;
  /** When hosts are monitored next, bounded to a second; null: not planned. */
  nextMonitoring(): Promise<Date | null>;
}
