import { z } from 'zod';
import { ObjectId } from '../common/common.js';
import { HaAction } from '../operations/ha-action.js';
import { HostState } from './host.js';

const Named = z.object({ id: ObjectId, name: z.string() });

/** What is asked of a failure that has not happened; absent: as the policy of the host says, or recreate. */
export const WhatIfQuery = z.strictObject({
  action: HaAction.optional().describe('What is done with its VMs'),
  stopped: z.stringbool().optional().describe('true: VMs that are powered off are taken from it, too'),
});
export type WhatIfQuery = z.output<typeof WhatIfQuery>;

const counts = {
  starts: z.int().describe('VMs that would be started on other hosts'),
  waits: z.int().describe('VMs that would wait: for room, or for what is at work on them'),
  ends: z.int().describe('VMs that would be ended'),
  undeployed: z.int().describe('VMs that would leave the host and stay off'),
  stays: z.int().describe('VMs that would stay as they are'),
};

/** What a failover of a host would come to, were it to fail now. */
export const HostWhatIf = z
  .object({
    host: Named,
    action: HaAction,
    stopped: z.boolean(),
    text: z.string().describe('The same in a sentence'),
    ...counts,
    vms: z
      .array(
        z.object({
          ...Named.shape,
          outcome: z.enum(['starts', 'waits', 'ends', 'undeployed', 'stays']),
          host: Named.nullable().describe('Where it would be started'),
          why: z.string().nullable().describe('Why it would wait, or stay'),
        }),
      )
      .describe('In the order in which they would be started; those of later roles wait for those of earlier ones'),
  })
  .meta({ id: 'HostWhatIf' });
export type HostWhatIf = z.infer<typeof HostWhatIf>;

/** Whether a cluster can do without any one of its hosts (N−1). */
export const ClusterWhatIf = z
  .object({
    cluster: Named,
    text: z.string().describe('The same in a sentence'),
    survives: z.boolean().describe('Whatever host fails, none of its VMs waits'),
    hosts: z
      .array(
        z.object({
          ...Named.shape,
          state: HostState,
          missed: z.int().describe('Polls in a row that it has not answered'),
          policy: HaAction.nullable().describe('What is done by itself when it fails; null: nothing'),
          armed: z.boolean().nullable().describe('Whether that begins by itself; null: it has no policy'),
          expected_recovery: z
            .int()
            .nullable()
            .describe('Seconds from its failure until its VMs are started elsewhere, at most; null: nobody knows'),
          operation: z.string().nullable().describe('What is at work on it'),
          ...counts,
        }),
      )
      .describe('Of each host, what its failure would come to'),
  })
  .meta({ id: 'ClusterWhatIf' });
export type ClusterWhatIf = z.infer<typeof ClusterWhatIf>;
