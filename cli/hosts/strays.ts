import { z } from 'zod';
import { json } from '../../client/message.js';
import { counted } from '../../schemas/common/counted.js';
import { HostResource } from '../../schemas/hosts/host.js';
import { startOperation } from '../operations/start-operation.js';
import { type Leaf, leaf } from '../shell/command.js';
import { reportOperation } from '../shell/follow.js';
import { sizeOf, tableOf } from '../shell/output.js';
import { type Resource, report, resolve } from '../shell/resource.js';

/** What a hypervisor has on a host. */
const domain = { one: 'domain', several: 'domains' };

type Zombie = HostResource['zombies']['items'][number];

const reasons = {
  done: 'its VM is DONE',
  elsewhere: 'its VM runs on another host',
  last_copy: 'its VM is not here, and runs nowhere else',
  newer: 'its VM is DONE, under an earlier epoch',
  unknown: 'there is no such VM',
  not_imported: 'its import was given up',
} as const satisfies Record<Zombie['reason'], string>;

const fates = {
  removed: 'removed by the next look',
  asked: 'arcus host clean',
  kept: 'kept',
  returned: 'it becomes wild again by the next look',
} as const satisfies Record<Zombie['fate'], string>;

/** Lines that show domains which should not be on a host, if there are any. */
export function straysSection({ zombies, wilds }: HostResource): string[] {
  const rest = ({ count, items }: { count: number; items: readonly unknown[] }): string[] =>
    count > items.length ? [`… and ${count - items.length} more`] : [];
  const size = [
    { title: 'CPU', text: ({ cpu }: { cpu: number }) => String(cpu), right: true },
    { title: 'MEMORY', text: ({ memory }: { memory: number }) => sizeOf(memory), right: true },
  ];
  return [
    ...(zombies.count === 0
      ? []
      : [
          '',
          'ZOMBIES: domains of this Arcus that should not be here',
          tableOf<Zombie>(
            [
              { title: 'VM', text: ({ vm }) => String(vm), right: true },
              { title: 'STATE', text: ({ state }) => state },
              ...size,
              { title: 'EPOCH', text: ({ epoch }) => String(epoch), right: true },
              { title: 'DEPLOY ID', text: ({ deploy_id }) => deploy_id },
              { title: 'WHY', text: ({ reason }) => reasons[reason] },
              {
                title: 'WHAT BECOMES OF IT',
                text: ({ fate, error }) => (error ? `not removed: ${error}` : fates[fate]),
              },
            ],
            zombies.items,
          ),
          ...rest(zombies),
        ]),
    ...(wilds.count === 0
      ? []
      : [
          '',
          'WILDS: domains of others, which nothing touches before somebody imports them (arcus host import)',
          tableOf<HostResource['wilds']['items'][number]>(
            [
              { title: 'NAME', text: ({ name }) => name },
              { title: 'STATE', text: ({ state }) => state },
              ...size,
              { title: 'ARCUS', text: ({ installation }) => installation?.slice(0, 8) ?? '-' },
              { title: 'DEPLOY ID', text: ({ deploy_id }) => deploy_id },
            ],
            wilds.items,
          ),
          ...rest(wilds),
        ]),
  ];
}

/** `host clean`: zombies go that nobody dares to remove unasked. */
export const cleanLeaf = (hosts: Resource<typeof HostResource, typeof HostResource>): Leaf =>
  leaf({
    usage: 'clean <host>',
    summary: 'Remove domains of this Arcus that should not be on a host: its zombies, as host show lists them',
    examples: ['arcus host clean host-1', 'arcus host clean host-1 --vm 812 813'],
    options: [['--vm <id...>', 'only those of these VMs']],
    schema: z.object({ vm: z.array(z.coerce.number().int().min(0, 'must be ids of VMs')).optional() }),
    run: async (context, [wish], { vm }) => {
      const client = context.client();
      const id = await resolve(client, hosts, wish);
      await context.confirm(async () => {
        const { value } = await client.get(`/hosts/${id}`, HostResource);
        const those = value.zombies.items.filter(
          (zombie) => zombie.fate !== 'kept' && (vm === undefined || vm.includes(zombie.vm)),
        );
        const named = those.map((zombie) => `${zombie.vm} (${zombie.state})`).join(', ');
        return `Cut the power of ${counted(those.length, domain)} on host ${id} (${value.name}), of VMs ${named || '-'}?`;
      });
      const { value, raw } = await client.send('POST', `/hosts/${id}/clean`, HostResource, json({ vms: vm }));
      const going = value.zombies.items.filter(({ fate }) => fate === 'removed').length;
      report(
        context,
        going === 0
          ? `host ${id} (${value.name}): there is nothing to remove.`
          : `host ${id} (${value.name}): ${counted(going, domain)} will be removed by the next looks.`,
        raw,
      );
    },
  });

/** `host import`: a wild becomes a VM. */
export const importLeaf = (hosts: Resource<typeof HostResource, typeof HostResource>): Leaf =>
  leaf({
    usage: 'import <host> <wild>',
    summary: 'Make a domain that is not of this Arcus a VM: a wild, by deploy id or name, as host show lists them',
    examples: ['arcus host import host-1 legacy-db --wait', 'arcus host import host-1 one-12 --name mail'],
    options: [
      ['--name <name>', 'name of the VM; else that of the domain'],
      ['--wait', 'wait until the operation has ended'],
    ],
    schema: z.object({ name: z.string().optional(), wait: z.boolean().optional() }),
    run: async (context, [host, wild], { name, wait: waits }) => {
      const id = await resolve(context.client(), hosts, host);
      const body = json({ wild, name });
      await reportOperation(context, await startOperation(context, 'POST', `/hosts/${id}/import`, body), {
        wait: waits,
      });
    },
  });
