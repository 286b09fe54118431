import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { json } from '../../client/message.js';
import { VmResource } from '../../schemas/vms/vm.js';
import { type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { inFile, objectIn, readInput } from '../shell/files/input.js';
import { type Resource, report, resolve } from '../shell/resource.js';

const cores = z.coerce.number({ error: 'must be a number of cores' }).optional();
const Size = z.object({
  cpu: cores,
  vcpu: cores,
  memory: z.coerce.number({ error: 'must be a number of MB' }).optional(),
});

export const sizeOptions = [
  ['--cpu <cores>', 'cores that are reserved'],
  ['--vcpu <cores>', 'cores that its guest sees'],
  ['--memory <MB>', 'memory in MB'],
] as const;

/** What a VM is to have; options as they were given. */
export function resize(client: Client, id: number, given: unknown) {
  const size = Size.parse(given);
  if (Object.values(size).every((one) => one === undefined))
    throw new Complaint('usage', 'Say what it is to have: --cpu, --vcpu or --memory, one of them or several.', {
      next: `Such as: arcus vm resize ${id} --cpu 2 --memory 2048`,
    });
  return client.send('POST', `/vms/${id}/resize`, VmResource, json(size));
}

/** What a VM is made of, from a file; `-`: from standard input. */
export async function configure(client: Client, id: number, file: string, append: boolean) {
  const document = readInput(file, { templateText: true });
  const content = objectIn(document, { next: 'Give template text.' });
  const body = json({ template: 'template' in content ? content.template : content, append });
  return client.send('POST', `/vms/${id}/updateconf`, VmResource, body).catch(inFile(document));
}

/** What VMs are to have, and to be made of, from their next start on. */
export const shapingLeaves = (vms: Resource<typeof VmResource, typeof VmResource>): readonly Leaf[] => [
  leaf({
    usage: 'resize <vm>',
    summary: 'Give a VM that does not run another size',
    examples: ['arcus vm resize 3 --cpu 2 --memory 2048'],
    options: sizeOptions,
    schema: Size,
    run: async (context, [wish], size) => {
      const id = await resolve(context.client(), vms, wish);
      const { value, raw } = await resize(context.client(), id, size);
      report(
        context,
        `vm ${id} (${value.name}) has ${value.cpu} CPU and ${value.memory} MB from its next start on.`,
        raw,
      );
    },
  }),
  leaf({
    usage: 'updateconf <vm>',
    summary: 'Change what a VM is made of: OS, FEATURES, INPUT, GRAPHICS, RAW and CONTEXT',
    examples: ['arcus vm updateconf 3 -f boot.tmpl --append'],
    options: [
      ['-f, --file <file>', 'template text, YAML or JSON; - reads standard input'],
      ['--append', 'over what there is; else sections that are not named are taken away'],
    ],
    schema: z.object({ file: z.string(), append: z.boolean().optional() }),
    run: async (context, [wish], { file, append = false }) => {
      const id = await resolve(context.client(), vms, wish);
      const { value, raw } = await configure(context.client(), id, file, append);
      report(context, `vm ${id} (${value.name}) is made so from its next start on.`, raw);
    },
  }),
];
