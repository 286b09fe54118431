import { z } from 'zod';

/** What switches a VM, by OpenNebula's names: it is there before and after. `-hard`: its guest is not asked. */
export const VmSwitch = z.enum([
  'poweroff',
  'poweroff-hard',
  'reboot',
  'reboot-hard',
  'suspend',
  'undeploy',
  'undeploy-hard',
]);
export type VmSwitch = z.infer<typeof VmSwitch>;

/** What can be done to all VMs of a role, by OpenNebula's names: each is what can be asked of one VM, too. */
export const VmAction = z.enum(['terminate', 'terminate-hard', 'resume', 'recreate', ...VmSwitch.options]);
export type VmAction = z.infer<typeof VmAction>;

/**
 * What an action has come to at one VM. asked: an operation of the VM's own does it; refused: `why` says what forbids it; gone:
 * it was not there any more.
 */
export type Performed = { at: Date; outcome: 'asked' | 'refused' | 'gone'; op: string | null; why: string | null };
