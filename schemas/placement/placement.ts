import { z } from 'zod';
import { ObjectId, Timestamp } from '../common/common.js';

/** Which host is best where a VM does not say: OpenNebula's policies 1, 0, 2, 3 and 4. */
export const PlacementPolicy = z.enum(['stripe', 'pack', 'load_aware', 'custom', 'fixed']);
export type PlacementPolicy = z.infer<typeof PlacementPolicy>;

export const RefusedHosts = z.object({
  reason: z.string().describe('Such as “CLUSTER_ID = 100 is false (it is 0)”'),
  hosts: z.array(ObjectId).describe('The first of them'),
  more: z.int().describe('How many hosts more'),
});
export type RefusedHosts = z.infer<typeof RefusedHosts>;

/** Why a VM was given its host, as it was when the pass that placed it began. */
export const PlacementRecord = z.object({
  rank_by: z.string().describe('The policy, or the SCHED_RANK of the VM'),
  rank: z
    .number()
    .nullable()
    .describe('Of the host that was chosen; the highest is best; null: it tells what you may not know of that host'),
  candidates: z.int().describe('Hosts that could take it'),
  hosts: z.int().describe('Hosts that there were'),
  others: z
    .array(z.object({ host: ObjectId, rank: z.number() }))
    .describe('The best of the other candidates, of which you may know it'),
  refused: z.array(RefusedHosts),
});
export type PlacementRecord = z.infer<typeof PlacementRecord>;

/** How the VMs of a role go with each other and with those of other roles, as its VMs carry it. */
export type RoleTies = {
  hosts?: 'spread' | 'pack';
  /** Roles, this one included, whose VMs are all on one host. */
  together: string[];
  /** Roles, perhaps this one, whose VMs are on other hosts than each of these. */
  apart: string[];
};

export const VmPlacement = z
  .object({
    vm: ObjectId,
    text: z.string().describe('Why it is where it is, or why it is nowhere, in one paragraph'),
    host: z.object({ id: ObjectId, name: z.string() }).nullable(),
    placed_at: Timestamp.nullable(),
    requirements: z.string().nullable().describe('Its SCHED_REQUIREMENTS'),
    rank: z.string().nullable().describe('Its SCHED_RANK'),
    record: PlacementRecord.nullable().describe('Why this host; null: it has none, or nothing was recorded'),
    candidates: z.int().describe('Hosts that could take it now, while it waits'),
    refused: z.array(RefusedHosts).describe('Why hosts cannot take it now, while it waits'),
  })
  .meta({ id: 'VmPlacement' });
export type VmPlacement = z.infer<typeof VmPlacement>;
