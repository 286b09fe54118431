import { z } from 'zod';
import { ObjectId, Timestamp } from '../common/common.js';
import { VmLcmState, VmState } from './vm.js';

const Phase = z
  .object({ from: Timestamp, until: Timestamp.nullable().describe('null: it goes on') })
  .nullable()
  .describe('null: it was in none, or nobody knows any more');

export const VmLogResource = z
  .object({
    vm: ObjectId,
    log: z
      .array(
        z.object({
          time: Timestamp,
          state: VmState,
          lcm_state: VmLcmState,
          operation: z.string().nullable().describe('The operation that had it; null: none, it was found so'),
          action: z.string().nullable().describe('What that operation is'),
          requester: z.string().nullable().describe('Who has asked for that'),
          reason: z.string().nullable(),
        }),
      )
      .describe('Its changes of state, the oldest first; of more than there may be, the last'),
    history: z
      .array(
        z.object({
          seq: z.int(),
          host_id: ObjectId,
          hostname: z.string(),
          started_at: Timestamp,
          ended_at: Timestamp.nullable(),
          reason: z.enum(['none', 'error', 'user']).describe('Why it left: none: it is there'),
          action: z.string().nullable().describe('What was done to it last there'),
          placed_by: z.string().nullable().describe('The operation that has put it there'),
          prolog: Phase,
          running: Phase,
          epilog: Phase,
        }),
      )
      .describe('Where it has been, with when it was prepared, ran and was cleared away there last'),
  })
  .meta({ id: 'VmLog' });
export type VmLogResource = z.infer<typeof VmLogResource>;
