import { z } from 'zod';
import { json } from '../../client/message.js';
import { startOperation } from '../operations/start-operation.js';
import { services } from '../services/service.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { inFile, readInput } from '../shell/files/input.js';
import { reportOperation } from '../shell/follow.js';
import { resolve } from '../shell/resource.js';

const Options = z.object({ file: z.string().optional(), force: z.boolean().optional(), wait: z.boolean().optional() });
type Asked = { id: number; role: string | undefined; options: z.infer<typeof Options> };

const deeds: Record<string, (context: Context, asked: Asked) => Promise<void>> = {
  async add(context, { id, options: { file, wait } }) {
    if (file === undefined)
      throw new Complaint('usage', '--file: is needed: a file, or - for standard input.', {
        next: 'Such as: arcus service role add my_service -f cache.json',
      });
    const document = readInput(file);
    const started = startOperation(context, 'POST', `/services/${id}/roles`, json(document.content));
    await reportOperation(context, await started.catch(inFile(document)), { wait });
  },

  async remove(context, { id, role, options: { force, wait } }) {
    if (role === undefined)
      throw new Complaint('usage', 'Say which role is to go.', {
        next: 'Such as: arcus service role remove my_service cache',
      });
    await context.confirm(async () => `End every VM of role ${role} of service ${id} and remove it?`);
    const path = `/services/${id}/roles/${encodeURIComponent(role)}/remove`;
    const body = json(force ? { force } : {});
    await reportOperation(context, await startOperation(context, 'POST', path, body), { wait });
  },
};

/** `arcus service role`. */
export const roleLeaf: Leaf = leaf({
  usage: 'role <deed> <service> [role]',
  summary: 'Add a role to a service that was deployed, or remove one with its VMs',
  examples: [
    'arcus service role add my_service -f cache.json --wait',
    'arcus service role remove my_service cache --wait',
    'arcus service role remove my_service cache --force',
  ],
  options: [
    ['-f, --file <file>', 'with add: JSON or YAML of the role, as in a service template; - for standard input'],
    ['--force', 'with remove: protected VMs go, too'],
    ['--wait', 'wait until the operation has ended'],
  ],
  schema: Options,
  run: async (context, [deed = '', wish, role], options) => {
    const act = Object.hasOwn(deeds, deed) ? deeds[deed] : undefined;
    if (!act)
      throw new Complaint('usage', `${JSON.stringify(deed)} is none of ${Object.keys(deeds).join(', ')}.`, {
        next: 'Such as: arcus service role remove my_service cache',
      });
    await act(context, { id: await resolve(context.client(), services, wish), role, options });
  },
});
