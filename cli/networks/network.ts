import { z } from 'zod';
import { json } from '../../client/message.js';
import { LeaseResource } from '../../schemas/networks/lease.js';
import { NetworkResource } from '../../schemas/networks/network.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { whyLeaf } from '../operations/why.js';
import { changesIn } from '../shell/changes.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { inFile, readInput } from '../shell/files/input.js';
import { nounOf } from '../shell/noun-of.js';
import { tableOf } from '../shell/output.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { listAndShow, report, resolve } from '../shell/resource.js';
import { attributeOptions, connectionOptions, networkAttributes, rangeBody, rangeOptions } from './network-options.js';
import { networks } from './network-resource.js';

const idOf = ({ client }: Context, wish: string | undefined) => resolve(client(), networks, wish);

/** The number of a range, as `show` tells it. */
export function rangeId(word = ''): number {
  if (/^\d{1,4}$/.test(word)) return Number(word);
  throw new Complaint('usage', `${JSON.stringify(word)} is no id of an address range.`, {
    next: 'Which there are: arcus network show <network>',
  });
}

/** An address in the words of the API: a MAC, or an IPv4 address. */
export const addressBody = (word = ''): object => (word.includes(':') ? { mac: word } : { ip: word });

/** Who has an address, in a word or two. */
export const holderText = ({ type, id, nic_id }: LeaseResource['holder']): string =>
  type === 'vm' ? `VM ${id}, NIC ${nic_id}` : type === 'network' ? `network ${id}` : 'held';

async function send(
  context: Context,
  ...[method, path, body]: ['POST' | 'PATCH' | 'PUT', string, object]
): Promise<{ value: NetworkResource; raw: unknown }> {
  return context.client().send(method, path, NetworkResource, json(body));
}

export const networkCommands: readonly Leaf[] = [
  ...listAndShow(networks),
  whyLeaf({
    ...nounOf('network'),
    examples: ['arcus network why office'],
    schema: z.object({}),
    idOf,
  }),
  leaf({
    usage: 'leases <network>',
    summary: 'Show who has which of its addresses',
    examples: ['arcus network leases office'],
    schema: z.object({}),
    run: async (context, [wish]) => {
      const found = await context.client().list(`${networks.path}/${await idOf(context, wish)}/leases`, LeaseResource);
      if (context.format !== 'table')
        return context.out(
          JSON.stringify(
            found.map(({ raw }) => raw),
            null,
            2,
          ),
        );
      context.out(
        tableOf(
          [
            { title: 'AR', text: ({ ar_id }) => String(ar_id), right: true },
            {
              title: 'IP',
              text: ({ ip, ip6_global, ip6_ula, ip6_link }) => ip ?? ip6_global ?? ip6_ula ?? ip6_link ?? '-',
            },
            { title: 'MAC', text: ({ mac }) => mac },
            { title: 'HELD BY', text: ({ holder }) => holderText(holder) },
          ],
          found.map(({ value }) => value),
        ),
      );
    },
  }),
  leaf({
    usage: 'create [name]',
    summary: 'Add a virtual network, from options or from a file',
    examples: [
      'arcus network create office --ip 192.168.0.10 --size 100 --attribute GATEWAY=192.168.0.1',
      'arcus network create public --vn-mad 802.1Q --phydev eth0 --ip 10.0.0.1 --size 50',
      'arcus network create -f office.yaml',
    ],
    options: [
      ...connectionOptions.options,
      ...rangeOptions.options,
      attributeOptions.option,
      ['-f, --file <file>', 'JSON or YAML instead; - for standard input'],
    ],
    schema: z.object({
      ...{ ...connectionOptions.shape, ...rangeOptions.shape, ...attributeOptions.shape },
      file: z.string().optional(),
    }),
    run: async (context, [name], { file, attribute, vnMad: vn_mad, bridge, phydev, vlan, ...range }) => {
      if (file === undefined && name === undefined)
        throw new Complaint('usage', 'Give the name of the network, or -f.', {
          next: 'Add --help to see how it is used.',
        });
      const isOfRange = Object.values(range).some((value) => value !== undefined);
      if (isOfRange && range.size === undefined)
        throw new Complaint('usage', 'A range of addresses has a size.', {
          next: 'Such as: arcus network create office --ip 192.168.0.10 --size 100',
        });
      const document = file === undefined ? undefined : readInput(file);
      const ranges = range.size === undefined ? {} : { address_ranges: [rangeBody(range)] };
      const made = { name, vn_mad, bridge, phydev, vlan_id: vlan, ...networkAttributes(attribute), ...ranges };
      const sent = context
        .client()
        .send('POST', networks.path, NetworkResource, json(document ? document.content : made));
      const { value, raw } = await (document ? sent.catch(inFile(document)) : sent);
      report(context, `network ${value.id} (${value.name}) created.`, raw);
    },
  }),
  leaf({
    usage: 'update <network>',
    summary: 'Rename a virtual network, or set what guests on it are told',
    examples: ['arcus network update office --attribute DNS=9.9.9.9', 'arcus network update 0 --name backoffice'],
    options: [['--name <name>', 'another name'], attributeOptions.option],
    schema: z.object({ name: z.string().optional(), ...attributeOptions.shape }),
    run: async (context, [wish], { name, attribute }) => {
      const id = await idOf(context, wish);
      const changes = changesIn({ name, ...networkAttributes(attribute) }, '--name or --attribute');
      const { value, raw } = await send(context, 'PATCH', `${networks.path}/${id}`, changes);
      report(context, `network ${id} (${value.name}) updated.`, raw);
    },
  }),
  leaf({
    usage: 'addar <network>',
    summary: 'Add an address range to a virtual network',
    examples: [
      'arcus network addar office --ip 10.0.1.1 --size 50',
      'arcus network addar office --size 16 --prefix 2001:db8::',
    ],
    options: rangeOptions.options,
    schema: z.object(rangeOptions.shape),
    run: async (context, [wish], options) => {
      const id = await idOf(context, wish);
      const { value, raw } = await send(context, 'POST', `${networks.path}/${id}/address-ranges`, rangeBody(options));
      report(context, `network ${id} (${value.name}) has range ${value.address_ranges.at(-1)?.ar_id}.`, raw);
    },
  }),
  leaf({
    usage: 'updatear <network> <range>',
    summary: 'Make an address range larger or smaller',
    examples: ['arcus network updatear office 0 --size 200'],
    options: [['--size <count>', 'how many addresses']],
    schema: z.object({ size: z.coerce.number({ error: 'is needed: how many addresses' }) }),
    run: async (context, [wish, range], body) => {
      const id = await idOf(context, wish);
      const { raw } = await send(context, 'PUT', `${networks.path}/${id}/address-ranges/${rangeId(range)}`, body);
      report(context, `range ${range} of network ${id} has ${body.size} addresses.`, raw);
    },
  }),
  leaf({
    usage: 'rmar <network> <range>',
    summary: 'Remove an address range of which nobody has an address',
    examples: ['arcus network rmar office 1'],
    schema: z.object({}),
    run: async (context, [wish, range]) => {
      const id = await idOf(context, wish);
      await context.client().send('DELETE', `${networks.path}/${id}/address-ranges/${rangeId(range)}`, z.unknown());
      report(context, `range ${range} of network ${id} removed.`, null);
    },
  }),
  ...(['hold', 'release'] as const).map((verb) =>
    leaf({
      usage: `${verb} <network> <address>`,
      summary: verb === 'hold' ? 'Keep an address back' : 'Let an address that was kept back be given to somebody',
      examples: [`arcus network ${verb} office 192.168.0.20`],
      schema: z.object({}),
      run: async (context, [wish, address]) => {
        const id = await idOf(context, wish);
        const { raw } = await send(context, 'POST', `${networks.path}/${id}/${verb}`, addressBody(address));
        report(context, `${address} of network ${id} is ${verb === 'hold' ? 'held' : 'released'}.`, raw);
      },
    }),
  ),
  leaf({
    usage: 'reserve <network> [name]',
    summary: 'Make a virtual network of addresses of one, or add some to one that was made so',
    examples: ['arcus network reserve office "my office" --size 10', 'arcus network reserve office --into 1 --size 5'],
    options: [
      ['--size <count>', 'how many addresses, one after the other'],
      ['--range <id>', 'of this range (default: the first that has so many)'],
      ['--into <network>', 'add them to this reservation'],
    ],
    schema: z.object({
      size: z.coerce.number({ error: 'is needed: how many addresses' }),
      range: z.string().transform(rangeId).optional(),
      into: z.string().optional(),
    }),
    run: async (context, [wish, name], { size, range: ar_id, into }) => {
      const id = await idOf(context, wish);
      if ((name === undefined) === (into === undefined))
        throw new Complaint('usage', 'Give the name of the network that is made, or --into.', {
          next: 'Add --help to see how it is used.',
        });
      const where = into === undefined ? { name } : { network_id: await idOf(context, into) };
      const { value, raw } = await send(context, 'POST', `${networks.path}/${id}/reserve`, { ...where, size, ar_id });
      report(context, `network ${value.id} (${value.name}) has ${size} addresses of network ${id}.`, raw);
    },
  }),
  ...ownershipLeaves(networks, { called: 'office' }),
  removeLeaf(networks, { called: 'office', summary: 'Remove a virtual network of which nobody has an address' }),
];
