import { z } from 'zod';
import { Timestamp } from '../common/common.js';
import { NextAction } from './next-action.js';
import { OperationState } from './operation.js';

/** Why a resource is as it is: what goes on, what failed, how often it was tried, when next, and what can be done. */
export const Why = z
  .object({
    text: z.string().describe('The answer in one paragraph'),
    resource: z.object({ type: z.string(), id: z.int(), name: z.string(), state: z.string() }),
    operation: z.string().nullable().describe('The operation that is at work, or the last one'),
    operation_state: OperationState.nullable(),
    waiting_for: z.string().nullable(),
    failures: z.array(
      z.object({
        what: z.string().describe('What failed, such as “VM 34 (db_0_(service_12))” or “boot 5 VMs of role web”'),
        detail: z.string().describe('Its own error'),
        attempts: z.int().nullable(),
        next_retry_at: Timestamp.nullable(),
      }),
    ),
    actions: z.array(NextAction),
    asked_engine: z.boolean().describe('false: Temporal did not answer within a second'),
  })
  .meta({ id: 'Why' });
export type Why = z.infer<typeof Why>;
