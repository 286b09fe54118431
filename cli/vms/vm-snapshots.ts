import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { json } from '../../client/message.js';
import { VmResource } from '../../schemas/vms/vm.js';
import { startOperation } from '../operations/start-operation.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation } from '../shell/follow.js';
import { type Resource, resolve } from '../shell/resource.js';

const wait = ['--wait', 'wait until the operation has ended'] as const;

/** What VMs were at moments that are kept. */
export const snapshotLeaves = (vms: Resource<typeof VmResource, typeof VmResource>): readonly Leaf[] => [
  leaf({
    usage: 'snapshot-create <vm> [name]',
    summary: 'Keep what a VM is at this moment, with its memory, as long as it runs where it is',
    examples: ['arcus vm snapshot-create 3 before-upgrade --wait'],
    options: [wait],
    schema: z.object({ wait: z.boolean().optional() }),
    run: async (context, [wish, name], { wait: waits }) =>
      snapshot(context, await resolve(context.client(), vms, wish), { action: 'snapshot-create', name }, waits),
  }),
  ...(['revert', 'delete'] as const).map((verb) =>
    leaf({
      usage: `snapshot-${verb} <vm> <snapshot>`,
      summary: verb === 'revert' ? 'Have a VM go on from a snapshot of it' : 'Keep a snapshot no more',
      examples: [
        `arcus vm snapshot-${verb} 3 0 --wait`,
        ...(verb === 'revert' ? ['arcus vm snapshot-revert test before-upgrade'] : []),
      ],
      options: [wait],
      schema: z.object({ wait: z.boolean().optional() }),
      run: async (context, [wish, which = ''], { wait: waits }) => {
        const id = await resolve(context.client(), vms, wish);
        const number = await snapshotIn(context.client(), id, which);
        await snapshot(context, id, { action: `snapshot-${verb}`, snapshot: number }, waits);
      },
    }),
  ),
];

async function snapshot(
  context: Context,
  id: number,
  body: { action: string; name?: string | undefined; snapshot?: number },
  waits: boolean | undefined,
): Promise<void> {
  await reportOperation(context, await startOperation(context, 'POST', `/vms/${id}/actions`, json(body)), {
    wait: waits,
  });
}

/** The number of a snapshot, by that or by its name. */
export async function snapshotIn(client: Client, id: number, which: string): Promise<number> {
  if (/^\d{1,9}$/.test(which)) return Number(which);
  const { snapshots } = (await client.get(`/vms/${id}`, VmResource)).value;
  const [found, another] = snapshots.filter(({ name }) => name === which);
  if (found && !another) return found.id;
  throw new Complaint(
    found ? 'conflict' : 'not_found',
    `VM ${id} has ${found ? 'several snapshots' : 'no snapshot'} called ${JSON.stringify(which)}.`,
    {
      next: `See what it has with: arcus vm show ${id}`,
    },
  );
}
