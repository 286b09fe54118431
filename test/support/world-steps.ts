import { ApplicationFailure, type Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';

/**
 * One call of a step by an operation's run; `n` counts from 1 since the steps were last watched. `cancelled` rejects when
 * a cancel has reached it.
 */
export type Step = {
  n: number;
  id: string;
  name: string;
  workflowId: string;
  attempt: number;
  cancelled: Promise<never>;
};

/** What is done around a step in its place: `run` does its work. */
export type Around = (step: Step, run: () => Promise<unknown>) => Promise<unknown>;

const straight: Around = (_, run) => run();
const operations = [
  'deployService',
  'undeployService',
  'repairService',
  'scaleRole',
  'performOnRole',
  'deployVm',
  'terminateVm',
  'recoverVm',
  'performOnVm',
  'migrateVm',
  'flushHost',
  'failoverHost',
  'testFencing',
  'importVm',
  'changeDevices',
  'saveDisk',
  'restoreDisk',
  'debugVm',
  'createImage',
  'cloneImage',
  'resizeImage',
  'snapshotImage',
  'deleteImage',
  'exportApp',
  'publishApp',
  'deleteApp',
  'checkConsistency',
];

/** The layer between a worker and its steps: counts the calls of operations' runs, and does to them what a test asks for. */
export class Steps {
  /** Every step begun since the steps were last watched. */
  seen: Step[] = [];
  #done: string[] = [];
  #around: Around = straight;
  #of: RegExp = /^/;

  /** From now on, of workflows with such IDs; forgets what was seen. */
  watch(around: Around = straight, of = /^/): void {
    this.#of = of;
    this.seen = [];
    this.#done = [];
    this.#around = around;
  }

  /** The names in the order in which steps began; one that began anew, as its workflow task was late, is there once. */
  names(): string[] {
    const began = new Map(this.seen.map((step) => [`${step.id} ${step.attempt}`, step.name]));
    return [...began.values()];
  }

  /** The names of those that have come to an end, well or badly, in that order. */
  done(): readonly string[] {
    return this.#done;
  }

  /** For a worker's options: innermost, so that failures pass through what the product puts around every step. */
  readonly interceptor = (context: Context): { inbound: ActivityInboundCallsInterceptor } => ({
    inbound: {
      execute: (input, next) => {
        const { activityId, activityType, workflowType, workflowExecution, attempt } = context.info;
        if (!workflowType || !operations.includes(workflowType)) return next(input);
        const workflowId = workflowExecution?.workflowId ?? '';
        if (!this.#of.test(workflowId)) return next(input);
        const { cancelled } = context;
        const id = `${workflowId} ${workflowExecution?.runId} ${activityId}`;
        const step = { n: this.seen.length + 1, id, name: activityType, workflowId, attempt, cancelled };
        this.seen.push(step);
        return this.#around(step, () => next(input)).finally(() => this.#done.push(activityType));
      },
    },
  });
}

/** The nth step fails for good, once: before it has done anything, or when only its answer is lost. */
export const failingAt =
  (nth: number, when: 'before' | 'after'): Around =>
  async (step, run) => {
    if (step.n !== nth) return run();
    if (when === 'after') await run();
    throw ApplicationFailure.nonRetryable(`an injected failure ${when} ${step.name}`, 'injected');
  };

/** Every step does its work two times in a row. */
export const twice: Around = async (_, run) => {
  await run();
  return run();
};

/** Each step does its work, and nobody hears of it: it is done again, as after the death of its worker. */
export function diesOnce(): Around {
  const died = new Set<string>();
  return async ({ name }, run) => {
    const result = await run();
    if (died.has(name)) return result;
    died.add(name);
    throw new Error('the worker was killed');
  };
}

/** Steps of one name wait, before they do anything, until they are released. */
export function holding(name: string): { around: Around; reached: Promise<void>; release: () => void } {
  let release = () => {};
  let reach = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const around: Around = async (step, run) => {
    if (step.name === name) {
      reach();
      await released;
    }
    return run();
  };
  return { around, reached, release };
}
