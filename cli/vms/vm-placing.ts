import { z } from 'zod';
import { json } from '../../client/message.js';
import { VmResource } from '../../schemas/vms/vm.js';
import { hosts } from '../hosts/host.js';
import { startOperation } from '../operations/start-operation.js';
import { type Leaf, leaf } from '../shell/command.js';
import { reportOperation } from '../shell/follow.js';
import { type Resource, report, resolve } from '../shell/resource.js';

const wait = ['--wait', 'wait until the operation has ended'] as const;

/** Where a VM is to be, and whether a host is looked for. */
export const placingLeaves = (vms: Resource<typeof VmResource, typeof VmResource>): readonly Leaf[] => [
  leaf({
    usage: 'hold <vm>',
    summary: 'Look for no host for a VM until it is released',
    examples: ['arcus vm hold 3'],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const id = await resolve(context.client(), vms, wish);
      const { value, raw } = await context.client().send('POST', `/vms/${id}/hold`, VmResource);
      report(context, `vm ${id} (${value.name}) is on hold.`, raw);
    },
  }),
  leaf({
    usage: 'release <vm>',
    summary: 'Deploy a VM that is on hold',
    examples: ['arcus vm release 3 --wait'],
    options: [wait],
    schema: z.object({ wait: z.boolean().optional() }),
    run: async (context, [wish], { wait: waits }) => {
      const id = await resolve(context.client(), vms, wish);
      await reportOperation(context, await startOperation(context, 'POST', `/vms/${id}/release`), { wait: waits });
    },
  }),
  leaf({
    usage: 'deploy <vm> <host>',
    summary: 'Deploy a VM to this host, whatever it requires of one',
    examples: ['arcus vm deploy 3 node-2 --wait'],
    options: [wait],
    schema: z.object({ wait: z.boolean().optional() }),
    run: async (context, [wish, to], { wait: waits }) => {
      const id = await resolve(context.client(), vms, wish);
      const body = json({ host: await resolve(context.client(), hosts, to) });
      await reportOperation(context, await startOperation(context, 'POST', `/vms/${id}/deploy`, body), { wait: waits });
    },
  }),
  ...(['resched', 'unresched'] as const).map((verb) =>
    leaf({
      usage: `${verb} <vm>`,
      summary: verb === 'resched' ? 'Have a VM go to another host as soon as one takes it' : 'Have it stay where it is',
      examples: [`arcus vm ${verb} 3`],
      schema: z.object({}),
      run: async (context, [wish]) => {
        const id = await resolve(context.client(), vms, wish);
        const { value, raw } = await context.client().send('POST', `/vms/${id}/${verb}`, VmResource);
        const told = value.resched ? 'goes to another host as soon as one takes it' : 'stays where it is';
        report(context, `vm ${id} (${value.name}) ${told}.`, raw);
      },
    }),
  ),
  leaf({
    usage: 'migrate <vm> [host]',
    summary: 'Take a VM to another host; none named: where it fits',
    examples: ['arcus vm migrate 3 --wait', 'arcus vm migrate test node-2 --live'],
    options: [['--live', 'without a break, where it runs'], wait],
    schema: z.object({ live: z.boolean().optional(), wait: z.boolean().optional() }),
    run: async (context, [wish, to], { live, wait: waits }) => {
      const id = await resolve(context.client(), vms, wish);
      const host = to === undefined ? undefined : await resolve(context.client(), hosts, to);
      const body = json({ host, live: live ?? false });
      if (live) {
        const { value } = await context.client().get(`/vms/${id}`, VmResource);
        if (value.state === 'POWEROFF' || value.state === 'SUSPENDED')
          context.err(`vm ${id} (${value.name}) is ${value.state}: it is moved as it is, and --live changes nothing.`);
      }
      await reportOperation(context, await startOperation(context, 'POST', `/vms/${id}/migrate`, body), {
        wait: waits,
      });
    },
  }),
];
