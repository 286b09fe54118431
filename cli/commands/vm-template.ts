import { z } from 'zod';
import { VmTemplateResource } from '../../schemas/vm-template.js';
import { type Body, json } from '../api-client.js';
import { type Context, type Leaf, leaf } from '../command.js';
import { readInput } from '../input.js';
import { pairs } from '../output.js';
import { permissionsText } from '../ownership.js';
import { ownershipLeaves } from '../ownership-leaves.js';
import { removeLeaf } from '../remove-leaf.js';
import { listAndShow, type Resource, report, resolve } from '../resource.js';

export const vmTemplates: Resource<typeof VmTemplateResource, typeof VmTemplateResource> = {
  noun: 'vm-template',
  path: '/vm-templates',
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
  'KEY=VALUE text, JSON (comments allowed) or YAML; - for standard input',
] as const;

const Content = z.record(z.string(), z.unknown());

/** With the name that it has now: what is edited and sent again need not have one, which `show` does not count among the contents. */
function named(body: Body, name: string): Body {
  // At the end: messages name the lines of the file.
  if (body.type === 'text/plain') return { ...body, text: `${body.text}\nNAME=${JSON.stringify(name)}\n` };
  const content = Content.safeParse(parsedJson(body.text));
  return content.success ? json({ name, ...content.data }) : body;
}

function hasName(body: Body): boolean {
  if (body.type === 'text/plain') return /^[ \t]*NAME[ \t]*=/im.test(body.text);
  const content = Content.safeParse(parsedJson(body.text));
  return !content.success || 'name' in content.data;
}

/** Undefined where it is none: the server tells what is wrong, or takes its comments. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const vmTemplateCommands: readonly Leaf[] = [
  ...listAndShow(vmTemplates),
  leaf({
    usage: 'create',
    summary: 'Add a VM template from a file',
    examples: [
      'arcus vm-template create -f small.tmpl',
      `printf 'NAME=small\\nCPU=1\\nMEMORY=512\\n' | arcus vm-template create -f -`,
    ],
    options: [fileOption],
    schema: FromFile,
    run: async (context, _args, { file }) => {
      const body = readInput(file, { templateText: true });
      const { value, raw } = await context.client().send('POST', '/vm-templates', VmTemplateResource, body);
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
      const body = readInput(file, { templateText: true });
      const path = `/vm-templates/${await resolve(client, vmTemplates, wish)}`;
      const present = hasName(body) ? null : await client.get(path, VmTemplateResource);
      const sent = present ? named(body, present.value.name) : body;
      const { value, raw } = await client.send('PUT', path, VmTemplateResource, sent, { unchanged: present?.tag });
      report(context, `vm-template ${value.id} (${value.name}) updated.`, raw);
      warn(context, value);
    },
  }),
  ...ownershipLeaves(vmTemplates, { called: 'small' }),
  removeLeaf(vmTemplates, { called: 'small', summary: 'Remove a VM template' }),
];
