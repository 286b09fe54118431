import { z } from 'zod';
import type { Capacity } from '../common/capacity.js';
import { ObjectId, ObjectName, Timestamp } from '../common/common.js';
import { DomainState } from './domain-state.js';

// Domains on a host that should not be there.

/** How many of each kind are written down of a host. */
export const shownStrays = 100;

/**
 * `done`: its VM is DONE; `elsewhere`: its VM runs on another host under a later epoch; `last_copy`: its VM is not here, and
 * runs nowhere else; `newer`: its VM is DONE, and it is of a later epoch than that; `unknown`: there is no such VM;
 * `not_imported`: its import was given up, and it was adopted all the same.
 */
export const ZombieReason = z.enum(['done', 'elsewhere', 'last_copy', 'newer', 'unknown', 'not_imported']);
export type ZombieReason = z.infer<typeof ZombieReason>;

/** As stored. `since`: of the first look that found it; `error`: why it could not be removed. */
export type StoredZombie = {
  vm: number;
  epoch: number;
  deploy_id: string;
  state: DomainState;
  capacity: Capacity;
  reason: ZombieReason;
  since: Date;
  error: string | null;
};
/** `installation`: the Arcus whose id it carries; absent: none. */
export type StoredWild = {
  name: string;
  deploy_id: string;
  state: DomainState;
  capacity: Capacity;
  installation?: string;
};

/** What the last look at a host found: the first of each, and how many there are. */
export type Strays = { zombies: StoredZombie[]; wilds: StoredWild[]; zombie_count: number; wild_count: number };

/** A zombie that somebody wants removed. */
export type Condemned = { vm: number; deploy_id: string };

const size = {
  cpu: z.number().describe('Cores'),
  memory: z.int().describe('MB'),
};

export const ZombieResource = z.object({
  vm: ObjectId.describe('The VM that it says it is'),
  state: DomainState,
  ...size,
  epoch: z.int(),
  deploy_id: z.string(),
  reason: ZombieReason.describe(
    'done: its VM is DONE; elsewhere: its VM runs on another host under a later epoch; last_copy: its VM is not here and runs nowhere else; newer: its VM is DONE, under an earlier epoch; unknown: there is no such VM; not_imported: its import was given up',
  ),
  fate: z
    .enum(['removed', 'asked', 'kept', 'returned'])
    .describe(
      'removed: by the next look; asked: when somebody says so (cleanHost); kept: never, for it may be the last copy of its VM; returned: the next look makes it again whose it was',
    ),
  error: z.string().nullable().describe('Why it could not be removed'),
  since: Timestamp.describe('When it was first seen'),
});

export const WildResource = z.object({
  ...{ name: z.string(), state: DomainState },
  ...size,
  deploy_id: z.string(),
  installation: z.string().optional().describe('The id of the Arcus that has it, or had it; absent: none'),
});

export const CleanHost = z.strictObject({
  vms: z
    .array(ObjectId)
    .min(1)
    .max(shownStrays)
    .optional()
    .describe('Only zombies of these VMs; absent: all that may be removed'),
});
export const ImportWild = z.strictObject({
  wild: z.string().min(1).max(256).describe('Deploy id or name of a domain among the `wilds` of the host'),
  name: ObjectName.optional().describe('Name of the VM; absent: that of the domain'),
});
export type ImportWild = z.infer<typeof ImportWild>;

export type CleanHost = z.infer<typeof CleanHost>;
