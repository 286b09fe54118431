import { z } from 'zod';
import type { Answer } from '../../client/client.js';
import { json } from '../../client/message.js';
import { isDocument, laterNames, placeOfBody } from '../../domain/services/later-names.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import {
  ServiceTemplateBody,
  ServiceTemplateResource,
  ServiceTemplateRevision,
  ServiceTemplateRevisions,
} from '../../schemas/services/service-template.js';
import { type TemplateInput, TemplateInputs } from '../../schemas/services/template-inputs.js';
import { type DocumentKind, isObject } from '../apply/document-kind.js';
import { permissionsText } from '../identity/ownership.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { startOperation } from '../operations/start-operation.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import type { Document } from '../shell/files/document.js';
import { inFile, objectIn, readInput } from '../shell/files/input.js';
import { reportOperation } from '../shell/follow.js';
import { nounOf } from '../shell/noun-of.js';
import { type Column, pairs, rawText, tableOf } from '../shell/output.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { listAndShow, type Resource, report, resolve, shown } from '../shell/resource.js';
import { askFor, inputOptions, inputsBody } from './given-inputs.js';

export const serviceTemplates: Resource<typeof ServiceTemplateResource, typeof ServiceTemplateResource> = {
  ...nounOf('service_template'),
  item: ServiceTemplateResource,
  whole: ServiceTemplateResource,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'USER', text: ({ uname }) => uname },
    { title: 'GROUP', text: ({ gname }) => gname },
    { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
    { title: 'STRATEGY', text: ({ body }) => body.deployment },
    { title: 'CREATED', text: ({ created_at }) => created_at, wide: true },
    {
      title: 'ROLES',
      text: ({ body }) => body.roles.map((role) => `${role.name}:${role.cardinality}`).join(' '),
      cut: true,
    },
  ],
  text: (template) =>
    [
      `SERVICE TEMPLATE ${template.id} INFORMATION`,
      pairs([
        ['ID', String(template.id)],
        ['NAME', template.name],
        ['USER', template.uname],
        ['GROUP', template.gname],
        ['REVISION', String(template.revision)],
        ['CREATED', template.created_at],
      ]),
      '',
      permissionsText(template),
      '',
      'TEMPLATE CONTENTS',
      JSON.stringify(template.body, null, 2),
    ].join('\n'),
  contents: ({ body }) => ({ value: body, text: rawText('json', body) }),
};

function warn({ err }: Context, { warnings }: ServiceTemplateResource): void {
  for (const warning of warnings) err(warning);
}

const FromFile = z.object({ file: z.string({ error: 'is needed: a file, or - for standard input' }) });
const fileOption = [
  '-f, --file <file>',
  'JSON (comments allowed) or YAML, or what oneflow-template show -j prints; - for standard input',
] as const;

/** What is wrong with a body is told where that stands in the file, also in one that OpenNebula printed. */
const bodyOf = (document: Document): Document =>
  isDocument(document.content)
    ? { ...document, place: (pointer) => document.place(`${placeOfBody}${pointer}`) }
    : document;

const severalError = 'must be a whole number from 1 to 100';

/** What `instantiate` and `service create` share. */
export const instantiateOptions = {
  options: [
    ['--name <name>', 'name of the service'],
    ['-f, --file <file>', 'JSON or YAML merged over the template; - for standard input'],
    [
      '--deep',
      'with --file: its roles go over those of the same name; absent: each member replaces that of the template',
    ],
    ...inputOptions.options,
    ['--multiple <n>', 'so many services of it, 100 at most'],
    ['--wait', 'wait until the service runs'],
  ],
  schema: z.object({
    name: z.string().optional(),
    file: z.string().optional(),
    deep: z.boolean().optional(),
    ...inputOptions.shape,
    multiple: z.coerce.number(severalError).int(severalError).min(1, severalError).max(100, severalError).default(1),
    wait: z.boolean().optional(),
  }),
} as const;

/** Those that a file over the template says nothing of: which values it gives is for the server to see. */
const withoutFile = (items: readonly TemplateInput[], merge: object): TemplateInput[] =>
  items.filter(({ role, given_in }) => {
    if (role !== null) return !('roles' in merge);
    const says = given_in === 'networks' ? ['networks', 'networks_values'] : ['custom_attrs', 'user_inputs'];
    return ![...says, 'custom_attrs_values', 'user_inputs_values'].some((name) => name in merge);
  });

const mergeHelp = 'Give attributes of a service template, such as {"deployment": "none"}.';

/** Deploys a service from a template. */
export async function instantiate(
  context: Context,
  wish: string | undefined,
  { name, file, deep, multiple, wait, ...given }: z.output<typeof instantiateOptions.schema>,
): Promise<void> {
  if (deep && file === undefined)
    throw new Complaint('usage', '--deep: says how a file goes over the template, and none is named.', {
      next: 'Name one with --file, such as: -f changes.json --deep; or leave --deep out.',
    });
  const document = file === undefined ? undefined : readInput(file);
  const merge = document === undefined ? {} : objectIn(document, { next: mergeHelp });
  const merged = { ...merge, ...(name === undefined ? {} : { name }) };
  const way = deep ? { merge: 'deep' } : {};
  const id = await resolve(context.client(), serviceTemplates, wish);
  const filled = await inputsBody(context, given);
  if (context.ask !== null) {
    const { value } = await context.client().get(`/service-templates/${id}/inputs`, TemplateInputs);
    await askFor(context, withoutFile(value.items, merge), filled);
  }
  const body = json({
    ...(Object.keys(merged).length > 0 && { merge_template: merged, ...way }),
    ...(Object.keys(filled.networks).length > 0 && { networks: filled.networks }),
    ...(Object.keys(filled.inputs).length > 0 && { inputs: filled.inputs }),
  });
  const path = `/service-templates/${id}/instantiate`;
  const answers: Answer<OperationResource>[] = [];
  for (let nth = 0; nth < multiple; nth++) {
    const started = startOperation(context, 'POST', path, body);
    answers.push(
      await (document === undefined ? started : started.catch(inFile(document, '/merge_template'))).catch(
        async (error: unknown) => {
          // Whoever asks for several again has to know of those that there are already.
          for (const answer of answers) await reportOperation(context, answer, {});
          if (nth > 0) context.err(`${nth} of ${multiple} services were begun; the next one was refused.`);
          throw error;
        },
      ),
    );
  }
  for (const answer of answers) await reportOperation(context, answer, { wait });
}

export const serviceTemplateCommands: readonly Leaf[] = [
  ...listAndShow(serviceTemplates),
  leaf({
    usage: 'create',
    summary: 'Add a service template from a file',
    examples: ['arcus service-template create -f my_service.json'],
    options: [fileOption],
    schema: FromFile,
    run: async (context, _args, { file }) => {
      const document = readInput(file);
      const { value, raw } = await context
        .client()
        .send('POST', '/service-templates', ServiceTemplateResource, json(document.content))
        .catch(inFile(bodyOf(document)));
      report(context, `service-template ${value.id} (${value.name}) created.`, raw);
      warn(context, value);
    },
  }),
  leaf({
    usage: 'update <service-template>',
    summary: 'Replace a service template',
    examples: ['arcus service-template update my_service -f my_service.json'],
    options: [fileOption],
    schema: FromFile,
    run: async (context, [wish], { file }) => {
      const document = readInput(file);
      const id = await resolve(context.client(), serviceTemplates, wish);
      const path = `/service-templates/${id}`;
      const { value, raw } = await context
        .client()
        .send('PUT', path, ServiceTemplateResource, json(document.content))
        .catch(inFile(bodyOf(document)));
      report(context, `service-template ${id} (${value.name}) updated.`, raw);
      warn(context, value);
    },
  }),
  leaf({
    usage: 'rename <service-template> <name>',
    summary: 'Give a service template another name',
    examples: ['arcus service-template rename my_service other'],
    schema: z.object({}),
    run: async (context, [wish, name = '']) => {
      const id = await resolve(context.client(), serviceTemplates, wish);
      const { raw } = await context
        .client()
        .send('PATCH', `/service-templates/${id}`, ServiceTemplateResource, json({ name }));
      report(context, `service-template ${id} is called ${name} now.`, raw);
    },
  }),
  leaf({
    usage: 'revisions <service-template> [revision]',
    summary: 'List what a service template has been, or print one revision of it',
    examples: [
      'arcus service-template revisions my_service',
      'arcus service-template revisions my_service 2 > before.json',
    ],
    schema: z.object({}),
    run: async (context, [wish, revision]) => {
      const client = context.client();
      const path = `/service-templates/${await resolve(client, serviceTemplates, wish)}/revisions`;
      if (revision !== undefined) {
        const { value, raw } = await client.get(`${path}/${encodeURIComponent(revision)}`, ServiceTemplateRevision);
        return shown(context, () => rawText('json', value.body), raw);
      }
      const { value, raw } = await client.get(path, ServiceTemplateRevisions);
      const columns: Column<(typeof value.items)[number]>[] = [
        { title: 'REVISION', text: (one) => String(one.revision), right: true },
        { title: 'SINCE', text: (one) => one.created_at },
        { title: 'ROLES', text: (one) => String(one.roles), right: true },
      ];
      shown(context, () => tableOf(columns, value.items), raw);
    },
  }),
  leaf({
    usage: 'inputs <service-template>',
    summary: 'Show what a service template asks for when it is instantiated',
    examples: ['arcus service-template inputs hadoop'],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const client = context.client();
      const path = `/service-templates/${await resolve(client, serviceTemplates, wish)}/inputs`;
      const { value, raw } = await client.get(path, TemplateInputs);
      const columns: Column<TemplateInput>[] = [
        { title: 'NAME', text: ({ name }) => name },
        { title: 'TYPE', text: ({ type }) => type },
        { title: 'MUST BE GIVEN', text: ({ mandatory }) => (mandatory ? 'yes' : 'no') },
        { title: 'DEFAULT', text: (one) => one.default ?? '-' },
        { title: 'QUESTION', text: ({ question, among }) => [question, among?.join(', ')].filter(Boolean).join(' ') },
      ];
      shown(context, () => tableOf(columns, value.items), raw);
    },
  }),
  leaf({
    usage: 'export <service-template>',
    summary: 'Print the JSON of a service template, as OneFlow takes it',
    examples: [
      'arcus service-template export my_service > my_service.json',
      'arcus service-template export my_service --names 7 | oneflow-template create',
    ],
    options: [['--names <release>', 'of which OneFlow its members are called: 5 or 7 (default: 5)']],
    schema: z.object({ names: z.enum(['5', '7'], 'must be 5 or 7').default('5') }),
    run: async (context, [wish], { names }) => {
      const client = context.client();
      const id = await resolve(client, serviceTemplates, wish);
      const { value } = await client.get(`/service-templates/${id}`, ServiceTemplateResource);
      context.out(rawText('json', names === '7' ? laterNames(value.body) : value.body));
    },
  }),
  leaf({
    usage: 'clone <service-template> <name>',
    summary: 'Make another service template of one',
    examples: [
      'arcus service-template clone my_service other',
      'arcus service-template clone my_service other --vm-templates',
      'arcus service-template clone my_service other --images',
    ],
    options: [
      ['--vm-templates', 'clone the VM templates of its roles, too: the new roles name the clones'],
      ['--images', 'clone these, and the images that their disks are made of'],
    ],
    schema: z.object({ vmTemplates: z.boolean().optional(), images: z.boolean().optional() }),
    run: async (context, [wish, name = ''], { vmTemplates, images }) => {
      const id = await resolve(context.client(), serviceTemplates, wish);
      const { value, raw } = await context
        .client()
        .send(
          'POST',
          `/service-templates/${id}/clone`,
          ServiceTemplateResource,
          json({ name, ...(vmTemplates && { vm_templates: true }), ...(images && { images: true }) }),
        );
      report(context, `service-template ${value.id} (${value.name}) created.`, raw);
    },
  }),
  ...ownershipLeaves(serviceTemplates, { called: 'my_service' }),
  removeLeaf(serviceTemplates, { called: 'my_service', summary: 'Remove a service template' }),
  leaf({
    usage: 'instantiate <service-template>',
    summary: 'Deploy a service from a service template',
    examples: [
      'arcus service-template instantiate my_service --wait',
      'arcus service-template instantiate my_service --name other -f changes.json',
      'arcus service-template instantiate hadoop --network Public=office --network Private=reserve:backbone:20 --input SIZE=large',
    ],
    ...instantiateOptions,
    run: (context, [wish], options) => instantiate(context, wish, options),
  }),
];

/** A service template in a document of `apply`. */
export const serviceTemplateDocuments: DocumentKind = {
  ...nounOf('service_template'),
  wish: ServiceTemplateBody,
  answer: ServiceTemplateResource,
  asDocument: (object) => ServiceTemplateResource.parse(object).body,
  update: 'PUT',
  references: ({ roles }) =>
    (Array.isArray(roles) ? roles : []).flatMap((role: unknown, at) =>
      isObject(role)
        ? [
            {
              pointer: `/roles/${at}/vm_template`,
              kind: 'vm_template',
              value: role.vm_template,
              put: (id: number) => {
                role.vm_template = id;
              },
            },
          ]
        : [],
    ),
};
