import type { Caller } from '../../domain/identity/caller.js';
import { allowed } from '../../domain/identity/permissions.js';
import { Problem } from '../../domain/problems.js';
import { kinds } from '../../schemas/kinds.js';
import type { VmTemplate } from '../../schemas/vms/vm-template.js';
import { seenUser } from '../../store/identity/seen-user.js';
import type { StepPorts } from '../ports.js';

type Asker = Pick<Caller, 'id' | 'groups' | 'rules'>;

/**
 * VM templates that are not for whoever has asked for an operation, with why. VMs are made of templates as these are now, and
 * their owner may have taken them back, or written into them what is nobody else's business. Most belong to whoever asks:
 * only of others is it looked up what groups and rules let that one do.
 */
export async function notForAsker(
  { store, directory }: Pick<StepPorts, 'store' | 'directory'>,
  op: string,
  templates: readonly VmTemplate[],
): Promise<Map<number, Problem>> {
  const requester = (await store.operations.asker(op))?.requester;
  const id = requester?.id ?? nobody;
  const alone: Asker = { id, groups: [], rules: [] };
  const others = templates.filter((template) => !mayUse(alone, template));
  if (others.length === 0) return new Map();
  const asker: Asker = (await seenUser(directory, id))?.caller ?? alone;
  return new Map(
    others.flatMap((template) =>
      mayUse(asker, template)
        ? []
        : [
            [
              template._id,
              new Problem(
                'not_authorized',
                `${requester?.name ?? 'Nobody'} needs the USE right on VM template ${template._id}, of which its VMs are made.`,
              ),
            ],
          ],
    ),
  );
}

const nobody = -1;

const mayUse = (asker: Asker, { _id: id, uid, gid, permissions }: VmTemplate): boolean =>
  allowed(asker, { type: kinds.vm_template.acl, id, uid, gid, permissions }, 'use');
