import { z } from 'zod';
import { json } from '../../client/message.js';
import { VmAction } from '../../schemas/operations/vm-action.js';
import { startOperation } from '../operations/start-operation.js';
import { services } from '../services/service.js';
import { type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation } from '../shell/follow.js';
import { resolve } from '../shell/resource.js';

const count = z.string().regex(/^\d{1,9}$/, 'must be a whole number');

/** `arcus service action`. */
export const actionLeaf: Leaf = leaf({
  usage: 'action <service> <role-and-action...>',
  summary: 'Do something to every VM of a role, some at a time: resume, recreate, poweroff, reboot, suspend and others',
  examples: [
    'arcus service action my_service worker recreate --number 1 --period 60',
    'arcus service action 12 web resume --wait',
    'arcus service action 12 resume --all-roles',
    'arcus service action my_service db disk-snapshot-create --disk 0 --args before',
  ],
  options: [
    ['--all-roles', 'every VM of the service, whatever its role: then no role is named'],
    ['--number <n>', 'how many VMs at a time; absent: as the configuration says where there is a period, else all'],
    ['--period <seconds>', 'seconds between those and the next ones; absent: as the configuration says'],
    ['--args <text>', 'of snapshot-create: its name; of snapshot-revert and snapshot-delete: its number'],
    ['--disk <n>', 'of disk-snapshot-create, -revert and -delete: which disk of each VM; --args as of those above'],
    ['--wait', 'wait until the operation has ended: all VMs have been asked'],
  ],
  schema: z.object({
    allRoles: z.boolean().optional(),
    number: count.optional(),
    period: count.optional(),
    args: z.string().optional(),
    disk: count.optional(),
    wait: z.boolean().optional(),
  }),
  run: async (context, [wish, ...words], { allRoles = false, number, period, args, disk, wait }) => {
    const [action = '', role, ...more] = words.toReversed();
    if (more.length > 0 || allRoles === (role !== undefined))
      throw new Complaint(
        'usage',
        allRoles ? 'With --all-roles no role is named.' : 'One role and one action, please.',
        {
          next: 'Say for instance: arcus service action my_service worker resume, or resume --all-roles',
        },
      );
    const known = VmAction.safeParse(action);
    if (!known.success)
      throw new Complaint('usage', `${JSON.stringify(action)} is nothing that can be done to VMs of a role.`, {
        next: `Say one of ${VmAction.options.join(', ')}: arcus service action my_service worker resume`,
      });
    const id = await resolve(context.client(), services, wish);
    const body = json({
      action: known.data,
      ...(args !== undefined && (known.data.endsWith('snapshot-create') ? { name: args } : { snapshot: Number(args) })),
      ...(disk !== undefined && { disk: Number(disk) }),
      ...(number !== undefined && { number: Number(number) }),
      ...(period !== undefined && { period: Number(period) }),
    });
    const path = `/services/${id}${role === undefined ? '' : `/roles/${encodeURIComponent(role)}`}/actions`;
    await reportOperation(context, await startOperation(context, 'POST', path, body), { wait });
  },
});
