import { z } from 'zod';
import { Timestamp } from '../common/common.js';
import { OperationError } from './operation.js';

/** One step of a run, as stored. Written beside the work, for those who look: the truth is in the documents it changes. */
export type Step = {
  /** `{op}/{run}/{activity}` */
  _id: string;
  op: string;
  /** Temporal's run id. */
  run: string;
  /** Name of the activity. */
  name: string;
  role: string | null;
  /** Of one that is about several roles: the first few, and how many more. */
  among?: { roles: string[]; more: number };
  /** VMs of its batch. */
  vms: number | null;
  /** It ran in its run's own worker, and the engine does not list it among what is pending. */
  local: boolean;
  attempts: number;
  /** running: also between two tries. */
  state: 'running' | 'done' | 'failed';
  started_at: Date;
  ended_at: Date | null;
  error: OperationError | null;
  /** The try that the error is of. */
  failed?: number;
};

export const StepResource = z
  .object({
    name: z.string().describe('Name of the activity'),
    title: z.string().describe('The same in words, such as “boot 5 VMs of role web”'),
    role: z.string().nullable(),
    vms: z.int().nullable().describe('VMs of its batch'),
    attempts: z.int().describe('Tries so far; 1: the first'),
    state: z.enum(['running', 'done', 'failed']),
    started_at: Timestamp,
    ended_at: Timestamp.nullable(),
    error: OperationError.nullable().describe('Of the last try that failed'),
    failed_attempt: z.int().nullable().describe('Which try that was; null: none has failed'),
    next_retry_at: Timestamp.nullable().describe('When a step whose last try failed is tried again'),
  })
  .meta({ id: 'Step' });
export type StepResource = z.infer<typeof StepResource>;
