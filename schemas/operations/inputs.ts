import { z } from 'zod';
import type { OperationKind } from '../operations.js';
import { DebugStep } from './debug-step.js';
import { HaAction } from './ha-action.js';
import { ActionArgs, SnapshotArgs, VmAction, VmSwitch } from './vm-action.js';
import { DeviceChange } from './vm-devices.js';

export const DeployServiceInput = z.object({
  roles: z
    .array(z.string())
    .optional()
    .describe('Those that a recovery or release takes; others may be scaled meanwhile. Absent: all'),
});
export const UndeployServiceInput = z.object({
  hard: z.boolean().nullable().describe('null: as each role says'),
  remove: z.boolean().describe('true: delete the service document at the end'),
});
export const RepairServiceInput = z.object({
  roles: z.array(z.string()).describe('Those that it takes; others may be scaled, or repaired, meanwhile'),
});
/** Which policy of a role has decided something: one of its elasticity or scheduled policies, by its place, or its min_vms. */
export const DecidedBy = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['elasticity', 'schedule']), policy: z.int().describe('Its place in the list, from 0') }),
  z.object({ kind: z.literal('min_vms') }),
]);
export type DecidedBy = z.infer<typeof DecidedBy>;

export const ScaleRoleInput = z.object({
  from: z.int().describe('How many VMs the role was to have before'),
  cardinality: z.int().describe('How many it is to have'),
  force: z.boolean().describe('true: beyond min_vms or max_vms, or during a cooldown'),
  vms: z.array(z.int()).optional().describe('VMs that go before others when there are too many'),
  over: z.string().optional().describe('The scaling of this role that waited, and whose place this one takes'),
  rest: z
    .int()
    .min(0)
    .optional()
    .describe('Seconds for which the role rests afterwards; absent: as role and configuration say; 0 ends a cooldown'),
  give_up: z
    .literal(true)
    .optional()
    .describe('true: an earlier scaling is given up, and what runs is what the role is to have, READY or not'),
  added: z.literal(true).optional().describe('true: the role is new'),
  removes: z
    .array(z.int())
    .optional()
    .describe('The role is removed once it has no VMs; these are protected, and go all the same'),
  policy: z
    .object({ from: z.int(), because: z.string(), by: DecidedBy.optional().describe('Absent: nobody wrote it down') })
    .optional()
    .describe('What decided it, when nobody has asked for it'),
});
export const PerformOnRoleInput = z.object({
  action: VmAction,
  ...ActionArgs.shape,
  vms: z.array(z.int()).describe('Those that there were when it was asked for, in the order in which it comes to them'),
  number: z.int().min(1).nullable().describe('How many at a time; null: all at once'),
  period: z.int().min(0).describe('Seconds between one slice and the next'),
  policy: z.object({ by: DecidedBy }).optional().describe('What decided it, when nobody has asked for it'),
});
export const DeployVmInput = z.object({
  recreate: z.boolean().optional().describe('true: what there is of it is ended first'),
  host: z.int().optional().describe('Where it is to be deployed; absent: where it fits'),
  hold: z.boolean().optional().describe('true: it is made on hold, and not deployed'),
});
export const RecoverVmInput = z.object({ claim: z.enum(['success', 'failure']) });
export const PerformOnVmInput = z.object({ action: VmSwitch, ...SnapshotArgs.shape });
export const MigrateVmInput = z.object({
  from: z.int().describe('The host that it was on'),
  host: z.int().nullable().describe('Where it is to go; null: where it fits'),
  live: z.boolean(),
});
export const FlushHostInput = z.object({});
export const FailoverHostInput = z.object({
  action: HaAction.describe('What becomes of its VMs'),
  stopped: z.boolean().describe('true: those that are powered off are taken from it, too'),
  because: z.string().describe('What it was begun for'),
});
export const TestFencingInput = z.object({
  methods: z.string().describe('Which those of its policy were then: others have another name'),
});
export const ImportVmInput = z.object({
  host: z.int().describe('The host that the domain is on'),
  wild: z.string().describe('Its deploy id'),
});
export const ChangeDevicesInput = z.object({ change: DeviceChange });
const SavedDisk = z.object({ disk: z.int(), image: z.int().describe('The image that is made of it') });
export const SaveDiskInput = SavedDisk.extend({
  snapshot: z.int().optional().describe('The snapshot of it that is saved; absent: what it is then'),
  also: z.array(SavedDisk).optional().describe('Other disks of the VM, which are saved after it, while the VM is held'),
  backup: z
    .object({
      schedule: z.int().describe('The scheduled action of the VM that it is done for'),
      keep: z.int().nullable().describe('How many images of each disk stay of it; null: all'),
    })
    .optional(),
});
export type SavedDisk = z.infer<typeof SavedDisk>;
export const RestoreDiskInput = z.object({
  disk: z.int(),
  image: z.int().describe('The image that the disk is to be as'),
});
export const DebugVmInput = DebugStep;
export const TerminateVmInput = z.object({ hard: z.boolean() });
export const CreateImageInput = z.object({});
export const CloneImageInput = z.object({ of: z.int().describe('The image that it is made of') });
export const ResizeImageInput = z.object({ size_mb: z.int().describe('MB that a guest is to see') });
export const SnapshotImageInput = z.object({
  action: z.enum(['snapshot-revert', 'snapshot-delete', 'snapshot-flatten']),
  snapshot: z.int(),
});
export const DeleteImageInput = z.object({});
export const ExportAppInput = z.object({
  app: z.int().describe('The app of a marketplace'),
  images: z.array(z.int()).describe('The images that are made of it, in the order of its parts'),
  vm_templates: z.array(z.int()).describe('The VM templates that are made with them'),
  service_template: z.int().nullable().describe('The service template that is made with them; null: none'),
});
export const PublishAppInput = z.object({
  images: z.array(z.int()).describe('The images that it is made of, in the order of its parts'),
});
export const DeleteAppInput = z.object({});
export const CheckConsistencyInput = z.object({ repair: z.boolean() });

/** An operation whose input is forgotten is named here, beside the many places that then do not know what theirs is. */
type OfEach<T extends Record<OperationKind, object>> = T;
export type OperationInputs = OfEach<{
  deployService: z.infer<typeof DeployServiceInput>;
  undeployService: z.infer<typeof UndeployServiceInput>;
  repairService: z.infer<typeof RepairServiceInput>;
  scaleRole: z.infer<typeof ScaleRoleInput>;
  performOnRole: z.infer<typeof PerformOnRoleInput>;
  deployVm: z.infer<typeof DeployVmInput>;
  terminateVm: z.infer<typeof TerminateVmInput>;
  recoverVm: z.infer<typeof RecoverVmInput>;
  performOnVm: z.infer<typeof PerformOnVmInput>;
  migrateVm: z.infer<typeof MigrateVmInput>;
  flushHost: z.infer<typeof FlushHostInput>;
  failoverHost: z.infer<typeof FailoverHostInput>;
  testFencing: z.infer<typeof TestFencingInput>;
  importVm: z.infer<typeof ImportVmInput>;
  changeDevices: z.infer<typeof ChangeDevicesInput>;
  saveDisk: z.infer<typeof SaveDiskInput>;
  restoreDisk: z.infer<typeof RestoreDiskInput>;
  debugVm: z.infer<typeof DebugVmInput>;
  createImage: z.infer<typeof CreateImageInput>;
  cloneImage: z.infer<typeof CloneImageInput>;
  resizeImage: z.infer<typeof ResizeImageInput>;
  snapshotImage: z.infer<typeof SnapshotImageInput>;
  deleteImage: z.infer<typeof DeleteImageInput>;
  exportApp: z.infer<typeof ExportAppInput>;
  publishApp: z.infer<typeof PublishAppInput>;
  deleteApp: z.infer<typeof DeleteAppInput>;
  checkConsistency: z.infer<typeof CheckConsistencyInput>;
}>;
