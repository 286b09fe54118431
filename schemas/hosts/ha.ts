import { z } from 'zod';
import { Timestamp } from '../common/common.js';
import { HaAction } from '../operations/ha-action.js';

/** A program of the directory for fencing: a plain name, so that nobody names anything else on a worker by it. */
const ProgramName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    'is the name of a program of ARCUS_FENCING_DIRECTORY: letters, digits, - and _',
  );
const Argument = z
  .string()
  .max(256)
  .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters');

/** A way in which a host is turned off, or known to be off. */
export const FencingMethod = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('command'),
      program: ProgramName,
      arguments: z.array(Argument).max(16).default([]).describe('After them come off and the name of the host'),
      timeout: z.int().min(1).max(600).default(60).describe('Seconds after which it has failed'),
    })
    .describe(
      'A program on the workers. It ends with 0 only when the host is off, and is asked again when it does not',
    ),
  z.strictObject({ kind: z.literal('manual') }).describe('A person turns it off, and says so: POST /hosts/{id}/fenced'),
]);
export type FencingMethod = z.infer<typeof FencingMethod>;

/** When a host has failed, and what is done then (guide, 2.3.1). Waits are polls: their length is ARCUS_MONITORING_INTERVAL. */
export const HaPolicy = z.strictObject({
  action: HaAction.describe(
    'recreate: VMs are made anew on other hosts, with disks as their images are; migrate: they are started there with the disks that they had; delete: they are ended',
  ),
  polls: z
    .int()
    .min(2)
    .max(1_000)
    .default(3)
    .describe('Polls in a row that it has to miss before it is taken for failed'),
  stopped: z.boolean().default(false).describe('true: VMs that are powered off are taken from it, too, and stay off'),
  restarts: z
    .int()
    .min(0)
    .max(100)
    .default(3)
    .describe('How often within an hour a VM whose guest has crashed is started again there, the host being well'),
  alive: z
    .enum(['ask', 'fence'])
    .default('ask')
    .describe(
      'What is done where its hypervisor does not answer and guests of it are seen to run all the same: ask, a person is asked; fence, it is turned off',
    ),
  fencing: z
    .array(FencingMethod)
    .min(1)
    .max(4)
    .default([{ kind: 'manual' }])
    .describe('How it is turned off, one after the other until one succeeds. Nothing is started elsewhere before'),
});
export type HaPolicy = z.infer<typeof HaPolicy>;

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
