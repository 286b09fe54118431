import { z } from 'zod';
import { ObjectId, ObjectName } from '../common/common.js';

/** What switches a VM, by OpenNebula's names: it is there before and after. `-hard`: its guest is not asked. */
export const VmSwitch = z.enum([
  'poweroff',
  'poweroff-hard',
  'reboot',
  'reboot-hard',
  'suspend',
  'stop',
  'undeploy',
  'undeploy-hard',
  'snapshot-create',
  'snapshot-revert',
  'snapshot-delete',
]);
export type VmSwitch = z.infer<typeof VmSwitch>;

/** Which of them are about a snapshot, and what those are told of it. */
export const SnapshotArgs = z.strictObject({
  name: ObjectName.optional().describe('Of snapshot-create: its name; absent: snapshot- and its number'),
  snapshot: ObjectId.optional().describe(
    'Of snapshot-revert and snapshot-delete, which need it: the number of the snapshot',
  ),
});
export type SnapshotArgs = z.output<typeof SnapshotArgs>;

/** What is wrong with what an action is told of a snapshot, by its place. */
export function checkSnapshotArgs(
  { action, name, snapshot }: { action: string } & SnapshotArgs,
  report: (issue: { code: 'custom'; message: string; path: string[]; input: unknown }) => void,
): void {
  const say = (path: string, message: string, input: unknown) =>
    report({ code: 'custom', message, path: [path], input });
  const needs = action === 'snapshot-revert' || action === 'snapshot-delete';
  if (needs && snapshot === undefined) say('snapshot', `is required by ${action}`, snapshot);
  if (!needs && snapshot !== undefined) say('snapshot', `is not for ${action}`, snapshot);
  if (name !== undefined && action !== 'snapshot-create') say('name', `is not for ${action}`, name);
}

/** What can be done to all VMs of a role, by OpenNebula's names: each is what can be asked of one VM, too. */
export const VmAction = z.enum(['terminate', 'terminate-hard', 'resume', 'recreate', ...VmSwitch.options]);
export type VmAction = z.infer<typeof VmAction>;

/**
 * What an action has come to at one VM. asked: an operation of the VM's own does it; refused: `why` says what forbids it; gone:
 * it was not there any more.
 */
export type Performed = { at: Date; outcome: 'asked' | 'refused' | 'gone'; op: string | null; why: string | null };
