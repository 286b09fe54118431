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

/** What is done to a disk and its snapshots, by OpenNebula's names. */
export const DiskSnapshotAction = z.enum(['disk-snapshot-create', 'disk-snapshot-revert', 'disk-snapshot-delete']);
export type DiskSnapshotAction = z.infer<typeof DiskSnapshotAction>;

/** What actions are told beside their names. */
export const ActionArgs = z.strictObject({
  name: ObjectName.optional().describe(
    'Of snapshot-create: its name; absent: snapshot- and its number. Of disk-snapshot-create, which needs it',
  ),
  snapshot: ObjectId.optional().describe(
    'Of those that revert to a snapshot or delete one, which need it: the number of the snapshot',
  ),
  disk: ObjectId.optional().describe(
    'Of those that are about snapshots of disks, which need it: the number of the disk',
  ),
});
export type ActionArgs = z.output<typeof ActionArgs>;

/** What is wrong with what an action is told, by its place. */
export function checkActionArgs(
  { action, ...args }: { action: string } & ActionArgs,
  report: (issue: { code: 'custom'; message: string; path: string[]; input: unknown }) => void,
): void {
  const ofDisk = DiskSnapshotAction.safeParse(action).success;
  const creates = action === 'snapshot-create' || action === 'disk-snapshot-create';
  const ofOneThatIs = action === 'snapshot-revert' || action === 'snapshot-delete' || (ofDisk && !creates);
  const rules = {
    snapshot: { takes: ofOneThatIs, needs: ofOneThatIs },
    name: { takes: creates, needs: creates && ofDisk },
    disk: { takes: ofDisk, needs: ofDisk },
  };
  for (const path of ['snapshot', 'name', 'disk'] as const) {
    const { [path]: input } = args;
    const { takes, needs } = rules[path];
    const message = input === undefined ? needs && `is required by ${action}` : !takes && `is not for ${action}`;
    if (message !== false) report({ code: 'custom', message, path: [path], input });
  }
}

/** What can be done to all VMs of a role, by OpenNebula's names: each is what can be asked of one VM, too. */
export const VmAction = z.enum([
  ...(['terminate', 'terminate-hard', 'resume', 'recreate', 'hold', 'release'] as const),
  ...VmSwitch.options,
  ...DiskSnapshotAction.options,
]);
export type VmAction = z.infer<typeof VmAction>;

/** Those of which nothing more needs to be said than their names. */
export const PlainVmAction = VmAction.exclude(['snapshot-revert', 'snapshot-delete', ...DiskSnapshotAction.options]);

/**
 * What an action has come to at one VM. asked: an operation of the VM's own does it, or it was so (null); refused: `why` says what forbids it; gone:
 * it was not there any more.
 */
export type Performed = { at: Date; outcome: 'asked' | 'refused' | 'gone'; op: string | null; why: string | null };
