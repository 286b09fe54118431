import { z } from 'zod';
import type { VmResource } from '../../schemas/vms/vm.js';
import { VmContextResource } from '../../schemas/vms/vm-context.js';
import { type Leaf, leaf } from '../shell/command.js';
import { type Resource, resolve, shown } from '../shell/resource.js';

export const vmContextLeaf = (vms: Resource<typeof VmResource, typeof VmResource>): Leaf =>
  leaf({
    usage: 'context <vm>',
    summary: 'Show what the guest of a VM is told when it starts, as the file context.sh',
    examples: ['arcus vm context 34', 'arcus vm context 34 > context.sh'],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const id = await resolve(context.client(), vms, wish);
      const { value, raw } = await context.client().get(`/vms/${id}/context`, VmContextResource);
      shown(context, () => value.script.trimEnd(), raw);
    },
  });
