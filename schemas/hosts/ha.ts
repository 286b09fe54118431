import { z } from 'zod';
import { Timestamp } from '../common/common.js';
import { HaAction } from '../operations/ha-action.js';
import { ClusterMethods, FencingMethods, ShownMethods, type StoredMethod } from './fencing.js';

/** When a host has failed, and what is done then (guide, 2.3.1). Waits are polls: their length is ARCUS_MONITORING_INTERVAL. */
const members = {
  action: HaAction.describe(
    'recreate: VMs are made anew on other hosts, with disks as their images are; migrate: they are started there with the disks that they had; delete: they are ended',
  ),
  polls: z.int().min(2).max(1_000).describe('Polls in a row that it has to miss before it is taken for failed'),
  stopped: z.boolean().describe('true: VMs that are powered off are taken from it, too, and stay off'),
  restarts: z
    .int()
    .min(0)
    .max(100)
    .describe('How often within an hour a VM whose guest has crashed is started again there, the host being well'),
  alive: z
    .enum(['ask', 'fence'])
    .describe(
      'What is done where its hypervisor does not answer and guests of it are seen to run all the same: ask, a person is asked; fence, it is turned off',
    ),
  fencing: FencingMethods.describe(
    'How it is turned off, one after the other until one succeeds. Nothing is started elsewhere before',
  ),
};
const HostAction = z
  .enum([...HaAction.options, 'none'])
  .describe(`${members.action.description}; none: nothing is done by itself, whatever its cluster says`);
const defaults = {
  polls: members.polls.default(3),
  stopped: members.stopped.default(false),
  restarts: members.restarts.default(3),
  alive: members.alive.default('ask'),
};
export const HaPolicy = z.strictObject({
  ...members,
  ...defaults,
  fencing: members.fencing.default([{ kind: 'manual' }]),
});
export type HaPolicy = z.infer<typeof HaPolicy>;

/** The same of a host, which may be to have none although its cluster has. */
export const HostPolicy = HaPolicy.extend({ action: HostAction });
export type HostPolicy = z.infer<typeof HostPolicy>;

/** A merge patch of that. */
export const UpdatePolicy = z.strictObject({ ...members, action: HostAction }).partial();

const ofCluster = { ...members, fencing: ClusterMethods.describe(members.fencing.description ?? '') };
/** That of a cluster: what is done when one of its hosts fails that has none of its own. */
export const ClusterPolicy = z.strictObject({
  ...ofCluster,
  ...defaults,
  fencing: ofCluster.fencing.default([{ kind: 'manual' }]),
});
export type ClusterPolicy = z.infer<typeof ClusterPolicy>;
/** A merge patch of that. */
export const UpdateClusterPolicy = z.strictObject(ofCluster).partial();

/** The same as it is shown. */
export const ShownPolicy = z.object({
  ...members,
  fencing: ShownMethods.describe(members.fencing.description ?? ''),
});
export type ShownPolicy = z.infer<typeof ShownPolicy>;

/**
 * The same as it is stored. `by`: who has said so last: it is done in his name. `methods`: another one as soon as its methods are others; absent: of a
 * policy of an earlier version.
 */
export type StoredPolicy = Omit<HaPolicy, 'fencing'> & { fencing: StoredMethod[]; by: number; methods?: string };

/** How the last test of its methods that has come to an end ended. `methods`: those of that policy. */
export type FenceTest = { at: Date; op: string; methods: string; failed: string | null };
export const FenceTestResource = z.object({
  at: Timestamp,
  operation: z.string(),
  passed: z.boolean(),
  failed: z.string().nullable().describe('Why it has failed; null: it has not'),
});

/** What is done with the VMs of a host that somebody has failed over; absent: as its policy says, or recreate. */
export const FailoverHost = z.strictObject({
  action: HaAction.optional(),
  stopped: z.boolean().optional().describe('true: VMs that are powered off are taken from it, too, and stay off'),
});

/** That a host is off: who has turned it off, or said so. */
export type Fenced = { at: Date; by: string };
export const FencedResource = z.object({
  at: Timestamp,
  by: z.string().describe('What has turned it off, or who has said so'),
});
