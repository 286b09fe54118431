import { z } from 'zod';
import type { VmResource } from '../../schemas/vms/vm.js';
import { VmScreenResource } from '../../schemas/vms/vm-screen.js';
import { type Leaf, leaf } from '../shell/command.js';
import { type Resource, resolve, shown } from '../shell/resource.js';

export const vmScreenLeaf = (vms: Resource<typeof VmResource, typeof VmResource>): Leaf =>
  leaf({
    usage: 'vnc <vm>',
    summary: 'Ask for the screen of a VM: the URL of a WebSocket that speaks RFB, good once and for a minute',
    examples: ['arcus vm vnc 34'],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const client = context.client();
      const id = await resolve(client, vms, wish);
      const { value, raw } = await client.send('POST', `/vms/${id}/vnc`, VmScreenResource);
      const url = new URL(value.path, client.endpoint);
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
      shown(
        context,
        () => [url.href, ...(value.password === null ? [] : [`Password  ${value.password}`])].join('\n'),
        raw,
      );
    },
  });
