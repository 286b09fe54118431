import type { Operation, OperationError } from '../../schemas/operation.js';

/** The newest run under a workflow ID. `op` is the operation in its memo. */
export type Run = {
  op: string | null;
  runId: string;
  /** First run of its chain: what a cancel names, so that it never hits the next operation's run. */
  firstRunId: string;
  status: 'open' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';
};

/** A step whose end the engine has not seen: at work, or between two tries. Local steps are not among them. */
export type PendingStep = {
  /** `{run}/{activity}`: with the operation before it, the id of the step's document. */
  id: string;
  name: string;
  /** Tries that have begun. */
  tried: number;
  /** Of the last try that failed. */
  error: OperationError | null;
  /** null: a try is at work, or waits for a worker. */
  nextTryAt: Date | null;
  /** Since when a try waits for a worker to take it. */
  queuedSince: Date | null;
  /** When no further try is begun. */
  givesUpAt: Date | null;
};

/** What the newest run under a workflow ID is at. */
export type Pending = {
  op: string | null;
  isOpen: boolean;
  /** Since when the run itself waits for a worker; null: it does not. */
  queuedSince: Date | null;
  steps: PendingStep[];
};

/** Facts that a run may wait for. */
export type RunSignal = 'capacityAppeared' | 'vmReported';

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
  /** For whoever asks why: bounded to a second. null: there is no run. */
  pendingSteps(workflowId: string): Promise<Pending | null>;
  /** Why a run failed, in its own words. */
  failureOf(workflowId: string, runId: string): Promise<{ type: string; message: string }>;
  /** Asks a run to stop at its next safe point; one that has ended is left alone. */
  cancel(workflowId: string, run: Pick<Run, 'firstRunId'>): Promise<void>;
  terminate(workflowId: string, run: Pick<Run, 'firstRunId'>, reason: string): Promise<void>;
  /** Tells the open run under an ID; nobody there is no error. */
  signal(workflowId: string, signal: RunSignal): Promise<void>;
  /** Capacity has appeared: the one `placement` workflow looks who waits for it. */
  signalPlacement(): Promise<void>;
  /** Makes way for a pre-empting operation: a short durable run that outlives whoever asked. */
  handOver(op: string): Promise<void>;
  /** Has hosts monitored now, not at the next tick. */
  monitorNow(): Promise<void>;
  /** When hosts are monitored next, bounded to a second; null: not planned. */
  nextMonitoring(): Promise<Date | null>;
}
