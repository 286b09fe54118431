import { z } from 'zod';
import { json } from '../../client/message.js';
import { NetworkResource } from '../../schemas/networks/network.js';
import { CreateNetworkTemplate, NetworkTemplateResource } from '../../schemas/networks/network-template.js';
import type { DocumentKind } from '../apply/document-kind.js';
import { permissionsText } from '../identity/ownership.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { changesIn } from '../shell/changes.js';
import { type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { inFile, readInput } from '../shell/files/input.js';
import { nounOf } from '../shell/noun-of.js';
import { pairs, tableOf } from '../shell/output.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { listAndShow, type Resource, report, resolve } from '../shell/resource.js';
import { attributeOptions, connectionOptions, networkAttributes, rangeBody, rangeOptions } from './network-options.js';

type Range = NetworkTemplateResource['address_ranges'][number];

export const networkTemplates: Resource<typeof NetworkTemplateResource, typeof NetworkTemplateResource> = {
  ...nounOf('network_template'),
  item: NetworkTemplateResource,
  whole: NetworkTemplateResource,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'USER', text: ({ uname }) => uname },
    { title: 'GROUP', text: ({ gname }) => gname },
    { title: 'NAME', text: ({ name }) => name, cut: true },
    { title: 'DRIVER', text: ({ vn_mad }) => vn_mad },
  ],
  text: (template) =>
    [
      `NETWORK TEMPLATE ${template.id} INFORMATION`,
      pairs([
        ['ID', String(template.id)],
        ['NAME', template.name],
        ['USER', template.uname],
        ['GROUP', template.gname],
        ['DRIVER', template.vn_mad],
        ['BRIDGE', template.bridge ?? 'one of each network'],
        ['PHYSICAL DEVICE', template.phydev ?? '-'],
        ['VLAN', template.vlan_id === null ? '-' : String(template.vlan_id)],
        ['CREATED', template.created_at],
      ]),
      '',
      permissionsText(template),
      ...(Object.keys(template.attributes).length === 0
        ? []
        : ['', 'ATTRIBUTES', pairs(Object.entries(template.attributes))]),
      ...(template.address_ranges.length === 0 ? [] : ['', 'ADDRESS RANGES', rangesText(template.address_ranges)]),
    ].join('\n'),
};

const rangesText = (ranges: readonly Range[]): string =>
  tableOf(
    [
      { title: 'TYPE', text: ({ type }) => type },
      { title: 'SIZE', text: ({ size }) => String(size), right: true },
      { title: 'FIRST', text: (range) => ('ip' in range ? range.ip : (range.mac ?? '-')) },
    ],
    ranges,
  );

const rangesBody = (range: Parameters<typeof rangeBody>[0]): object => {
  if (range.size !== undefined) return { address_ranges: [rangeBody(range)] };
  if (Object.values(range).some((value) => value !== undefined))
    throw new Complaint('usage', 'A range of addresses has a size.', {
      next: 'Such as: --ip 10.0.0.1 --size 100',
    });
  return {};
};

const contents = {
  shape: { ...connectionOptions.shape, ...rangeOptions.shape, ...attributeOptions.shape },
  options: [...connectionOptions.options, ...rangeOptions.options, attributeOptions.option],
} as const;
const flags = contents.options.map(([flag]) => flag.split(' ')[0]).join(', ');

const contentsBody = ({
  vnMad: vn_mad,
  bridge,
  phydev,
  vlan: vlan_id,
  attribute,
  ...range
}: z.output<z.ZodObject<typeof contents.shape>>): object => ({
  ...{ vn_mad, bridge, phydev, vlan_id },
  ...networkAttributes(attribute),
  ...rangesBody(range),
});

export const networkTemplateCommands: readonly Leaf[] = [
  ...listAndShow(networkTemplates),
  leaf({
    usage: 'create [name]',
    summary: 'Add a template of virtual networks, from options or from a file',
    examples: [
      'arcus network-template create isolated --vn-mad vxlan --phydev eth0 --ip 10.0.0.1 --size 100',
      'arcus network-template create -f isolated.yaml',
    ],
    options: [...contents.options, ['-f, --file <file>', 'JSON or YAML instead; - for standard input']],
    schema: z.object({ ...contents.shape, file: z.string().optional() }),
    run: async (context, [name], { file, ...given }) => {
      if (file === undefined && name === undefined)
        throw new Complaint('usage', 'Give the name of the network template, or -f.', {
          next: 'Add --help to see how it is used.',
        });
      const document = file === undefined ? undefined : readInput(file);
      const body = json(document ? document.content : { name, ...contentsBody(given) });
      const sent = context.client().send('POST', networkTemplates.path, NetworkTemplateResource, body);
      const { value, raw } = await (document ? sent.catch(inFile(document)) : sent);
      report(context, `network template ${value.id} (${value.name}) created.`, raw);
    },
  }),
  leaf({
    usage: 'update <network-template>',
    summary: 'Change a template of virtual networks; a range takes the place of all that it has',
    examples: ['arcus network-template update isolated --attribute DNS=9.9.9.9'],
    options: [['--name <name>', 'another name'], ...contents.options],
    schema: z.object({ name: z.string().optional(), ...contents.shape }),
    run: async (context, [wish], { name, ...given }) => {
      const id = await resolve(context.client(), networkTemplates, wish);
      const body = json(changesIn({ name, ...contentsBody(given) }, `--name, ${flags}`));
      const path = `${networkTemplates.path}/${id}`;
      const { value, raw } = await context.client().send('PATCH', path, NetworkTemplateResource, body);
      report(context, `network template ${id} (${value.name}) updated.`, raw);
    },
  }),
  leaf({
    usage: 'instantiate <network-template> [name]',
    summary: 'Make a virtual network of a template',
    examples: [
      'arcus network-template instantiate isolated lab',
      'arcus network-template instantiate isolated lab --ip 10.0.1.1 --size 50 --attribute GATEWAY=10.0.1.254',
    ],
    options: [...rangeOptions.options, attributeOptions.option],
    schema: z.object({ ...rangeOptions.shape, ...attributeOptions.shape }),
    run: async (context, [wish, name], { attribute, ...range }) => {
      const id = await resolve(context.client(), networkTemplates, wish);
      const body = json({ name, ...networkAttributes(attribute), ...rangesBody(range) });
      const path = `${networkTemplates.path}/${id}/instantiate`;
      const { value, raw } = await context.client().send('POST', path, NetworkResource, body);
      report(context, `network ${value.id} (${value.name}) created.`, raw);
    },
  }),
  ...ownershipLeaves(networkTemplates, { called: 'isolated' }),
  removeLeaf(networkTemplates, { called: 'isolated', summary: 'Remove a template of virtual networks' }),
];

/** A template of networks in a document of `apply`. */
export const networkTemplateDocuments: DocumentKind = {
  ...nounOf('network_template'),
  wish: CreateNetworkTemplate,
  answer: NetworkTemplateResource,
  asDocument: (object) => NetworkTemplateResource.parse(object),
  update: 'PATCH',
  merges: ['attributes'],
  anyCase: ['attributes'],
};
