import { z } from 'zod';
import { json } from '../../client/message.js';
import { CreateVmTemplate, VmTemplateResource } from '../../schemas/vms/vm-template.js';
import type { DocumentKind } from '../apply/document-kind.js';
import { permissionsText } from '../identity/ownership.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { inFile, objectIn, readInput, vmTemplateText } from '../shell/files/input.js';
import { nounOf } from '../shell/noun-of.js';
import { pairs } from '../shell/output.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { listAndShow, type Resource, report, resolve } from '../shell/resource.js';

export const vmTemplates: Resource<typeof VmTemplateResource, typeof VmTemplateResource> = {
  ...nounOf('vm_template'),
  item: VmTemplateResource,
  whole: VmTemplateResource,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'USER', text: ({ uname }) => uname },
    { title: 'GROUP', text: ({ gname }) => gname },
    { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
    { title: 'CPU', text: ({ template }) => String(template.CPU), right: true },
    { title: 'MEMORY', text: ({ template }) => `${template.MEMORY}M`, right: true },
    { title: 'ATTRIBUTES', text: ({ template }) => Object.keys(template).join(' '), wide: true },
    { title: 'CREATED', text: ({ created_at }) => created_at },
  ],
  text: (template) =>
    [
      `VM TEMPLATE ${template.id} INFORMATION`,
      pairs([
        ['ID', String(template.id)],
        ['NAME', template.name],
        ['USER', template.uname],
        ['GROUP', template.gname],
        ['CREATED', template.created_at],
      ]),
      '',
      permissionsText(template),
      '',
      'TEMPLATE CONTENTS',
      attributesText(template.template),
    ].join('\n'),
  contents: ({ name, template }) => ({ value: { name, template }, text: vmTemplateText(name, template) }),
};

/** Attributes as OpenNebula prints them: what is a list has a line an item. */
export const attributesText = (attributes: Readonly<Record<string, unknown>>): string =>
  Object.entries(attributes)
    .flatMap(([name, value]) => [value].flat().map((item) => `${name}=${JSON.stringify(item)}`))
    .join('\n');

function warn({ err }: Context, { warnings }: z.infer<typeof VmTemplateResource>): void {
  for (const warning of warnings) err(warning);
}

const FromFile = z.object({ file: z.string({ error: 'is needed: a file, or - for standard input' }) });
const fileOption = [
  '-f, --file <file>',
  'KEY=VALUE text with a NAME, or JSON (comments allowed) or YAML with name and template; - for standard input',
] as const;

export const vmTemplateCommands: readonly Leaf[] = [
  ...listAndShow(vmTemplates),
  leaf({
    usage: 'create',
    summary: 'Add a VM template from a file',
    examples: [
      'arcus vm-template create -f small.tmpl',
      `printf 'NAME=small\\nCPU=1\\nMEMORY=512\\n' | arcus vm-template create -f -`,
      `printf 'name: large\\ntemplate: { CPU: 4, MEMORY: 8192 }\\n' | arcus vm-template create -f -`,
    ],
    options: [fileOption],
    schema: FromFile,
    run: async (context, _args, { file }) => {
      const document = readInput(file, { templateText: true });
      const { value, raw } = await context
        .client()
        .send('POST', '/vm-templates', VmTemplateResource, json(document.content))
        .catch(inFile(document));
      report(context, `vm-template ${value.id} (${value.name}) created.`, raw);
      warn(context, value);
    },
  }),
  leaf({
    usage: 'update <vm-template>',
    summary: 'Replace the contents of a VM template; a file without a name leaves its name',
    examples: ['arcus vm-template update small -f small.tmpl'],
    options: [fileOption],
    schema: FromFile,
    run: async (context, [wish], { file }) => {
      const client = context.client();
      const document = readInput(file, { templateText: true });
      const content = objectIn(document, { next: 'Give a name, which may be left out, and a template.' });
      const path = `/vm-templates/${await resolve(client, vmTemplates, wish)}`;
      // What is edited and sent again need not have a name, which `show` does not count among the contents.
      const present = 'name' in content ? null : await client.get(path, VmTemplateResource);
      const sent = json(present ? { name: present.value.name, ...content } : content);
      const { value, raw } = await client
        .send('PUT', path, VmTemplateResource, sent, { unchanged: present?.tag })
        .catch(inFile(document));
      report(context, `vm-template ${value.id} (${value.name}) updated.`, raw);
      warn(context, value);
    },
  }),
  ...ownershipLeaves(vmTemplates, { called: 'small' }),
  removeLeaf(vmTemplates, { called: 'small', summary: 'Remove a VM template' }),
];

/** A VM template in a document of `apply`. */
export const vmTemplateDocuments: DocumentKind = {
  ...nounOf('vm_template'),
  wish: CreateVmTemplate,
  answer: VmTemplateResource,
  asDocument: (object) => {
    const { name, template } = VmTemplateResource.parse(object);
    return { name, template };
  },
  update: 'PUT',
};
