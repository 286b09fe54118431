import { kinds } from '../../schemas/kinds.js';
import type { VmTemplate } from '../../schemas/vms/vm-template.js';
import type { Caller } from '../identity/caller.js';
import { allowed } from '../identity/permissions.js';
import { Problem } from '../problems.js';

/** Whoever has VMs made. */
export type Maker = Pick<Caller, 'id' | 'groups' | 'rules'>;
type Used = Pick<VmTemplate, '_id' | 'uid' | 'gid' | 'permissions'>;

/**
 * New VMs of a service are made of VM templates as these are then, and their owner may have taken them back, or written into
 * them what is nobody else's business: whoever has them made may USE them. It is asked when it is asked for, and again when they
 * are made, which may be later.
 */
export const mayMakeVmsOf = (maker: Maker, { _id: id, uid, gid, permissions }: Used): boolean =>
  allowed(maker, { type: kinds.vm_template.acl, id, uid, gid, permissions }, 'use');

/** What is said then; `name`: of whoever has asked, undefined: nobody knows. */
export const noneIsMadeOf = (template: number, name: string | undefined): Problem =>
  new Problem(
    'not_authorized',
    `${name ?? 'Whoever has asked'} needs the USE right on VM template ${template}, of which its VMs are made.`,
  );
