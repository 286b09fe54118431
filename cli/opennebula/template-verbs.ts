import { z } from 'zod';
import { json } from '../../client/message.js';
import { VmTemplateResource } from '../../schemas/vms/vm-template.js';
import { startOperation } from '../operations/start-operation.js';
import { Complaint } from '../shell/complaint.js';
import { inFile, objectIn, readInput } from '../shell/files/input.js';
import { vmTemplates } from '../vms/vm-template.js';
import { fact, momentText, row, templateText } from './columns.js';
import { renameVerb } from './edit-verbs.js';
import { ownershipVerbs, permissionsOf, showVerb, toEach, type Verb } from './one-program.js';
import { listVerbs } from './top-verb.js';

// `onetemplate` of OpenNebula 5.0.

const Instantiate = z.object({
  name: z.string().optional(),
  hold: z.boolean().optional(),
  multiple: z.coerce.number().int().min(1).max(100).default(1),
});

const list = (all: readonly VmTemplateResource[]): string =>
  [
    row(['ID', -4], ['USER', 15], ['GROUP', 15], ['NAME', 27], ['REGTIME', -15]),
    ...all.map(({ id, uname, gname, name, created_at }) =>
      row([String(id), -4], [uname, 15], [gname, 15], [name, 27], [momentText(new Date(created_at)), -15]),
    ),
  ].join('\n');

const text = (template: VmTemplateResource): string =>
  [
    `TEMPLATE ${template.id} INFORMATION`,
    ...fact('ID', template.id, 15),
    ...fact('NAME', template.name, 15),
    ...fact('USER', template.uname, 15),
    ...fact('GROUP', template.gname, 15),
    ...fact('REGISTER TIME', momentText(new Date(template.created_at)), 15),
    '',
    ...permissionsOf(template.permissions),
    '',
    'TEMPLATE CONTENTS',
    ...templateText(template.template),
  ].join('\n');

/** With `%i` for the number of the VM, from 0, as OpenNebula has it. */
const called = (name: string | undefined, nth: number): string | undefined => name?.replaceAll('%i', String(nth));

export const templateVerbs: readonly Verb[] = [
  ...listVerbs(vmTemplates, list),
  showVerb(vmTemplates, text),
  {
    usage: 'create <file>',
    summary: 'Add one from a file, or from standard input (-)',
    run: async ({ client, out }, [file = '-']) => {
      const document = readInput(file, { templateText: true });
      const made = client.send('POST', '/vm-templates', VmTemplateResource, json(document.content));
      out(`ID: ${(await made.catch(inFile(document))).value.id}`);
    },
  },
  {
    usage: 'update <id> <file>',
    summary: 'Replace its contents by a file, or standard input (-)',
    run: toEach(vmTemplates, async ({ client }, id, [file = '-']) => {
      const document = readInput(file, { templateText: true });
      const content = objectIn(document, { next: 'Give template text.' });
      const path = `/vm-templates/${id}`;
      const { value, tag } = await client.get(path, VmTemplateResource);
      const sent = json('name' in content ? content : { name: value.name, ...content });
      await client.send('PUT', path, VmTemplateResource, sent, { unchanged: tag }).catch(inFile(document));
    }),
  },
  {
    usage: 'instantiate <ids>',
    summary: 'Make VMs of it',
    options: [
      ['--name <name>', 'of the VM; %i is its number'],
      ['-m, --multiple <n>', 'so many VMs'],
      ['--hold', 'on hold, until it is released'],
    ],
    run: toEach(vmTemplates, async ({ client, out, err }, template_id, _args, given) => {
      const wish = Instantiate.safeParse(given);
      if (!wish.success)
        throw new Complaint('usage', '--multiple must be a number from 1 to 100.', { next: 'Nothing was made.' });
      const { name, multiple, hold } = wish.data;
      for (let nth = 0; nth < multiple; nth++) {
        const body = json({ template_id, name: called(name, nth), hold });
        const { value } = await startOperation({ client: () => client, err }, 'POST', '/vms', body);
        out(`VM ID: ${value.resource.id}`);
      }
    }),
  },
  {
    usage: 'clone <id> <name>',
    summary: 'Make another one of the same contents',
    run: toEach(vmTemplates, async ({ client, out }, id, [name]) => {
      const { template } = (await client.get(`/vm-templates/${id}`, VmTemplateResource)).value;
      out(`ID: ${(await client.send('POST', '/vm-templates', VmTemplateResource, json({ name, template }))).value.id}`);
    }),
  },
  renameVerb(vmTemplates),
  {
    usage: 'delete <ids>',
    summary: 'Remove it',
    run: toEach(vmTemplates, ({ client }, id) => client.send('DELETE', `/vm-templates/${id}`, z.undefined())),
  },
  ...ownershipVerbs(vmTemplates),
];
