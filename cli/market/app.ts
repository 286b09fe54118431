import { z } from 'zod';
import { type Body, json } from '../../client/message.js';
import { AppResource, AppState } from '../../schemas/market/app.js';
import { permissionsText } from '../identity/ownership.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { operationsLeaf } from '../operations/operation-list.js';
import { startOperation } from '../operations/start-operation.js';
import { whyLeaf } from '../operations/why.js';
import { serviceTemplates } from '../services/service-template.js';
import { AttributeOption, attributesOf } from '../shell/attribute.js';
import { changesIn } from '../shell/changes.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { reportOperation } from '../shell/follow.js';
import { nounOf } from '../shell/noun-of.js';
import { pairs, sizeOf } from '../shell/output.js';
import { listAndShow, type Resource, report, resolve, resolveToEnd } from '../shell/resource.js';
import { stateText } from '../shell/state-colour.js';
import { waitLeaf } from '../shell/wait-for.js';
import { datastores } from '../storage/datastore.js';
import { images } from '../storage/image.js';
import { vmTemplates } from '../vms/vm-template.js';
import { markets } from './market.js';

export const apps: Resource<typeof AppResource, typeof AppResource> = {
  ...nounOf('app'),
  item: AppResource,
  whole: AppResource,
  states: AppState.options,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'USER', text: ({ uname }) => uname },
    { title: 'GROUP', text: ({ gname }) => gname, wide: true },
    { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
    { title: 'VERSION', text: ({ version }) => version },
    { title: 'MARKET', text: ({ market_id }) => String(market_id), right: true },
    { title: 'SIZE', text: ({ size_mb }) => (size_mb === null ? '-' : sizeOf(size_mb)), right: true },
    { title: 'TYPE', text: ({ type }) => type },
    { title: 'STATE', text: ({ state }) => state, colour: stateText, kept: true },
    { title: 'PUBLISHER', text: ({ publisher }) => publisher || '-', wide: true },
    { title: 'REASON', text: ({ reason }) => reason ?? '-', wide: true },
  ],
  text: (app) =>
    [
      `APP ${app.id} INFORMATION`,
      pairs([
        ['ID', String(app.id)],
        ['NAME', app.name],
        ['USER', app.uname],
        ['GROUP', app.gname],
        ['TYPE', app.type],
        ['MARKET', String(app.market_id)],
        ['STATE', app.state],
        ['REASON', app.reason],
        ['VERSION', app.version],
        ['PUBLISHER', app.publisher || null],
        ['TAGS', app.tags.join(', ') || null],
        ['DESCRIPTION', app.description || null],
        ['ORIGIN', app.origin_id < 0 ? 'a catalogue of others' : `${origins[app.type]} ${app.origin_id}`],
        ['IMAGES', app.parts.length > 1 ? app.parts.map((part) => part.name).join(', ') : null],
        ['VM TEMPLATES', app.templates.join(', ') || null],
        ['SOURCE', app.source],
        ['BYTES', app.bytes === null ? null : String(app.bytes)],
        ['VIRTUAL SIZE', app.virtual_size === null ? null : String(app.virtual_size)],
        ['FORMAT', app.format],
        ['MD5', app.md5],
        ['SHA256', app.sha256],
        ['EXPORTS', app.exports.join(', ') || null],
        ['OPERATION', app.operation],
        ['REGISTERED', app.created_at],
      ]),
      '',
      permissionsText(app),
      ...importTemplate(app),
    ].join('\n'),
};

const origins = { IMAGE: 'image', VMTEMPLATE: 'VM template', SERVICE_TEMPLATE: 'service template' } as const;

/** What comes with an export: the attributes of the image, and the VM template. */
function importTemplate({ app_template, vm_template }: AppResource): string[] {
  const attributes = Object.entries(app_template).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [
    ...(attributes.length === 0 ? [] : ['', 'IMPORT TEMPLATE', ...attributes]),
    ...(vm_template === null ? [] : ['', 'VM TEMPLATE', JSON.stringify(vm_template, null, 2)]),
  ];
}

const wait = ['--wait', 'wait until the operation has ended'] as const;
const Wait = z.object({ wait: z.boolean().optional() });
const attribute = ['--attribute <name=value...>', 'what images of it have beside; NAME= takes one away'] as const;
const example = 'arcus app update debian --attribute DEV_PREFIX=vd';

const Told = z.object({
  description: z.string().optional(),
  version: z.string().optional(),
  publisher: z.string().optional(),
  tag: z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat())
    .optional(),
  attribute: AttributeOption,
});
const toldOptions = [
  ['--description <text>', 'what it is'],
  ['--version <version>', 'of the app; default: 0.0'],
  ['--publisher <name>', 'who publishes it; default: your name'],
  ['--tag <tag...>', 'words by which it is found'],
  attribute,
] as const;

/** What is told of an app, in the words of the API. */
function toldOf({ tag: tags, attribute: given, ...rest }: z.output<typeof Told>) {
  return { ...rest, tags, app_template: given && attributesOf(given, example) };
}

async function update(context: Context, wish: string | undefined, body: Body, told?: string): Promise<void> {
  const id = await resolve(context.client(), apps, wish);
  const { value, raw } = await context.client().send('PATCH', `${apps.path}/${id}`, AppResource, body);
  report(context, `app ${id} (${value.name}) ${told ?? `is ${value.state}`}.`, raw);
}

const setState = (verb: string, state: string, summary: string): Leaf =>
  leaf({
    usage: `${verb} <app>`,
    summary,
    examples: [`arcus app ${verb} debian`],
    schema: z.object({}),
    run: (context, [wish]) => update(context, wish, json({ state })),
  });

export const appCommands: readonly Leaf[] = [
  ...listAndShow(apps),
  whyLeaf({
    ...nounOf('app'),
    examples: ['arcus app why debian'],
    schema: z.object({}),
    idOf: ({ client }, wish) => resolve(client(), apps, wish),
  }),
  waitLeaf(apps, {
    known: ['READY', ...AppState.options.filter((state) => state !== 'READY')],
    statesOf: ({ state }) => [state],
    stuck: ({ state }) => (state === 'ERROR' ? 'it is in ERROR' : null),
    hasEnded: () => false,
  }),
  leaf({
    usage: 'create <name>',
    summary: 'Publish an image, or a template with its images, in a marketplace',
    examples: [
      'arcus app create debian --image debian --market corporate --version 12.1 --wait',
      'arcus app create shop --service-template shop --market corporate',
    ],
    options: [
      ['--image <image>', 'what it is made of, by id or name'],
      ['--vm-template <template>', 'or the VM template, with its images'],
      ['--service-template <template>', 'or the service template, with its VM templates and their images'],
      ['--market <market>', 'where it is published, by id or name'],
      ...toldOptions,
      wait,
    ],
    schema: Told.extend(Wait.shape).extend({
      image: z.string().optional(),
      vmTemplate: z.string().optional(),
      serviceTemplate: z.string().optional(),
      market: z.string().optional(),
    }),
    run: async (context, [name], { image, vmTemplate, serviceTemplate, market, wait: waits, ...told }) => {
      const client = context.client();
      const of =
        vmTemplate !== undefined
          ? { vm_template_id: await resolve(client, vmTemplates, vmTemplate) }
          : serviceTemplate !== undefined
            ? { service_template_id: await resolve(client, serviceTemplates, serviceTemplate) }
            : { image_id: await resolve(client, images, image) };
      const market_id = await resolve(client, markets, market);
      const body = json({ name, market_id, ...of, ...toldOf(told) });
      await reportOperation(context, await startOperation(context, 'POST', apps.path, body), { wait: waits });
    },
  }),
  leaf({
    usage: 'export <app> <name>',
    summary: 'Make an image of an app, and the VM template that comes with it',
    examples: ['arcus app export debian debian --datastore fast --wait', 'arcus app export 7 base --no-vm-template'],
    options: [
      ['--datastore <datastore>', 'where the image is kept, by id or name'],
      ['--vm-template <name>', 'name of the VM template; default: that of the image'],
      ['--no-vm-template', 'make the image alone'],
      wait,
    ],
    schema: Wait.extend({
      datastore: z.string().optional(),
      vmTemplate: z.union([z.string(), z.boolean()]).optional(),
    }),
    run: async (context, [wish, name], { datastore, vmTemplate, wait: waits }) => {
      const client = context.client();
      const id = await resolve(client, apps, wish);
      const into = datastore === undefined ? {} : { datastore_id: await resolve(client, datastores, datastore) };
      const vm_template_name = typeof vmTemplate === 'string' ? vmTemplate : vmTemplate === false ? null : undefined;
      const body = json({ name, ...into, vm_template_name });
      const accepted = await startOperation(context, 'POST', `${apps.path}/${id}/export`, body);
      const { vm_template_id, service_template_id } = accepted.value;
      if (vm_template_id !== undefined) context.err(`VM template ${vm_template_id} comes with it.`);
      if (service_template_id !== undefined) context.err(`It becomes service template ${service_template_id}.`);
      await reportOperation(context, accepted, { wait: waits });
    },
  }),
  leaf({
    usage: 'update <app>',
    summary: 'Rename or describe an app, or change what comes with it',
    examples: ['arcus app update debian --version 12.2', example],
    options: [['--name <name>', 'another name'], ...toldOptions],
    schema: Told.extend({ name: z.string().optional() }),
    run: (context, [wish], { name, ...told }) => {
      const body = changesIn({ name, ...toldOf(told) }, '--name, --version, --description or --attribute');
      return update(context, wish, json(body), 'updated');
    },
  }),
  setState('enable', 'enabled', 'Let an app be exported again'),
  setState('disable', 'disabled', 'Let nobody export an app'),
  operationsLeaf(apps),
  ...ownershipLeaves(apps, { called: 'debian' }),
  leaf({
    usage: 'delete <app>',
    summary: 'Remove an app that nothing is made of',
    examples: ['arcus app delete debian'],
    options: [wait],
    schema: Wait,
    run: async (context, [wish], { wait: waits }) => {
      const { id } = await resolveToEnd(context, apps, wish, (object) => `Remove ${object}?`);
      await reportOperation(context, await startOperation(context, 'DELETE', `${apps.path}/${id}`), { wait: waits });
    },
  }),
];
