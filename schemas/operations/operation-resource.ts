import { z } from 'zod';
import { ObjectId, Timestamp } from '../common/common.js';
import type { ListFields } from '../common/list.js';
import { NextAction } from './next-action.js';
import { OperationError, OperationKind, OperationState, ResourceRef } from './operation.js';
import { Answer } from './question.js';
import { StepResource } from './step.js';
import { VmAction } from './vm-action.js';
import { DeviceAction } from './vm-devices.js';

/** What lists of operations can be filtered and sorted by. */
export const operationFields = {
  id: { kind: 'ulid', path: '_id', sorts: true },
  type: { kind: OperationKind.options, path: 'kind' },
  state: { kind: OperationState.options, path: 'state' },
  resource_type: { kind: ResourceRef.shape.type.options, path: 'resource.type' },
  resource_id: { kind: 'integer', path: 'resource.id' },
  resource_name: { kind: 'text', path: 'resource_name' },
  requester_id: { kind: 'integer', path: 'requester.id' },
  requester_name: { kind: 'text', path: 'requester.name' },
  created_at: { kind: 'time', path: 'created_at', sorts: true },
  ended_at: { kind: 'time', path: 'ended_at', nullable: true },
} as const satisfies ListFields;

export const OperationResource = z
  .object({
    id: z.string().describe('ULID'),
    type: OperationKind,
    action: z
      .enum([...VmAction.options, ...DeviceAction.options])
      .nullable()
      .describe('Of an action on VMs, or on devices of one: what is done; null: it is something else'),
    state: OperationState,
    resource: ResourceRef.extend({ name: z.string(), href: z.string() }),
    role: z.string().nullable().describe('Of a service, the role that it is about alone; null: it is about all of it'),
    requester: z.object({ id: ObjectId, name: z.string() }),
    decided_by: z
      .string()
      .nullable()
      .describe(
        'The policy of the role that has decided it in the name of `requester`, such as `policy 0`; null: that one has asked',
      ),
    waiting_for: z.string().nullable(),
    image_id: ObjectId.optional().describe('The image that it makes of a disk of a VM; absent: it makes none of one'),
    vm_template_id: ObjectId.optional().describe(
      'The VM template that comes with images of an app; absent: none does, or several do',
    ),
    service_template_id: ObjectId.optional().describe('The service template that an app becomes; absent: none'),
    warnings: z
      .array(z.string())
      .optional()
      .describe('What comes of it that whoever asks may not expect; absent: nothing was known of that kind'),
    error: OperationError.nullable(),
    question: z
      .object({ text: z.string(), roles: z.array(z.string()), answers: z.array(Answer), asked_at: Timestamp })
      .nullable()
      .describe('What it asks you while it is waiting_for_you'),
    cancel_requested: z
      .object({ by: z.object({ id: ObjectId, name: z.string() }), at: Timestamp })
      .nullable()
      .describe('It was asked to stop and does so at the next safe point'),
    retry_of: z.string().nullable().describe('The operation that this one tries again'),
    workflow: z.object({
      id: z.string(),
      run_id: z.string().nullable(),
      url: z.string().nullable().describe('The run in the Temporal UI'),
    }),
    created_at: Timestamp,
    started_at: Timestamp.nullable(),
    ended_at: Timestamp.nullable(),
  })
  .meta({ id: 'Operation' });
export type OperationResource = z.infer<typeof OperationResource>;

/** One operation in full: what a list leaves out. */
export const OperationDetail = OperationResource.extend({
  steps: z.array(StepResource).describe('Of all its runs, oldest first; the last 200'),
  progress: z
    .object({
      done: z.int(),
      total: z.int(),
      unit: z.string().describe('What is counted: VMs, or MB'),
      roles: z.array(z.object({ name: z.string(), state: z.string(), done: z.int(), total: z.int() })),
    })
    .nullable(),
  eta: z
    .object({
      at: Timestamp.describe('When it should end'),
      typical_seconds: z.number().describe('Median of the earlier runs'),
      runs: z.int().describe('How many earlier runs of the same template that is taken from, 20 at most'),
    })
    .nullable()
    .describe('null: ended, waiting, overdue, or no earlier run of the same template'),
  moved: z
    .object({
      phase: z.enum(['fetch', 'check', 'unpack', 'copy']).describe('What is being done with the bytes'),
      bytes: z.int().describe('Bytes of this phase that are done'),
      total: z.int().nullable().describe('Bytes of this phase in all; null: nobody knows yet'),
      rate: z.int().nullable().describe('Bytes a second since it began; null: it has just begun'),
      seconds_left: z.int().nullable().describe('At that rate; null: it cannot be said'),
      at: Timestamp.describe('When it was so'),
    })
    .nullable()
    .describe('Of one that moves bytes: how far it is; null: it moves none, or has moved none yet'),
  performed: z
    .object({
      action: VmAction,
      number: z.int().nullable().describe('How many VMs at a time; null: all at once'),
      period: z.int().describe('Seconds between one slice and the next'),
      asked: z.int().describe('VMs of which an operation of their own does it'),
      refused: z.int().describe('VMs whose state, or what is at work on them, forbids it'),
      gone: z.int().describe('VMs that were there no more when their turn came'),
      left: z.int().describe('VMs whose turn has not come'),
      vms: z
        .array(
          z.object({
            vm: ObjectId,
            outcome: z.enum(['asked', 'refused', 'gone']),
            operation: z.string().nullable().describe('What does it'),
            why: z.string().nullable().describe('What forbids it'),
            at: Timestamp,
          }),
        )
        .describe('Those whose turn has come; refused and gone ones first, 200 at most'),
    })
    .nullable()
    .describe('Of an action on VMs: what it has come to so far; null: it is something else'),
  flushed: z
    .object({
      moved: z.int().describe('VMs that are on other hosts now'),
      gone: z.int().describe('VMs that ended meanwhile, or have no host any more'),
      moving: z.int().describe('VMs whose migration is under way'),
      waits: z.int().describe('VMs that wait for their turn, or for what is at work on them'),
      stays: z.int().describe('VMs that cannot be moved'),
      vms: z
        .array(
          z.object({
            vm: ObjectId,
            outcome: z.enum(['moved', 'gone', 'moving', 'waits', 'stays']),
            live: z.boolean().nullable().describe('Whether it is migrated live; null: no migration was asked for'),
            operation: z.string().nullable().describe('Its migration'),
            why: z
              .string()
              .nullable()
              .describe('What it waits for, or what keeps it; of one that was not moved live although it ran: why not'),
            at: Timestamp,
          }),
        )
        .describe('Those first that stay, then those that wait; 200 at most'),
    })
    .nullable()
    .describe('Of the flush of a host: what it has come to so far; null: it is something else'),
  failed_over: z
    .object({
      recovered: z.int().describe('VMs that run elsewhere, or again; or that were off, and have left the host'),
      gone: z.int().describe('VMs that have ended'),
      pending: z.int().describe('VMs that fit nowhere now, and wait for room'),
      under_way: z.int().describe('VMs that are started elsewhere, or ended'),
      waits: z.int().describe('VMs that wait for their turn, or for what is at work on them'),
      stays: z.int().describe('VMs that cannot be recovered, or that were off and stay'),
      vms: z
        .array(
          z.object({
            vm: ObjectId,
            outcome: z.enum(['recovered', 'gone', 'pending', 'under_way', 'waits', 'stays']),
            was: z.enum(['running', 'off']).describe('What it was when the failover saw it first'),
            operation: z.string().nullable().describe('Of one that waits for room, what deploys it'),
            why: z.string().nullable().describe('What it waits for, or what keeps it'),
            at: Timestamp,
          }),
        )
        .describe('Those first that stay, then those that wait; 200 at most'),
    })
    .nullable()
    .describe('Of the failover of a host: what it has come to so far; null: it is something else'),
  actions: z.array(NextAction).describe('What you may do now'),
  asked_engine: z.boolean().describe('false: Temporal did not answer within a second; retries are then not shown'),
}).meta({ id: 'OperationDetail' });
export type OperationDetail = z.infer<typeof OperationDetail>;
