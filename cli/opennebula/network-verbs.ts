import { z } from 'zod';
import { json } from '../../client/message.js';
import { LeaseResource } from '../../schemas/networks/lease.js';
import { NetworkResource } from '../../schemas/networks/network.js';
import { addressBody, rangeId } from '../networks/network.js';
import { networks } from '../networks/network-resource.js';
import { Complaint } from '../shell/complaint.js';
import { resolve } from '../shell/resource.js';
import { renameVerb, updateVerb } from './edit-verbs.js';
import { networkList, networkText } from './network-text.js';
import { listVerb, type One, ownershipVerbs, showVerb, toEach, type Verb } from './one-program.js';
import { attributesIn } from './template-file.js';

/** What of template text makes a network; texts and numbers, names in upper case. */
const Text = z.union([z.string(), z.number()]).transform(String).optional();
const RangeText = z.looseObject({
  ...{ TYPE: Text, IP: Text, MAC: Text, SIZE: Text, GLOBAL_PREFIX: Text, ULA_PREFIX: Text },
});
export const NetworkText = z.looseObject({
  ...{ NAME: Text, VN_MAD: Text, BRIDGE: Text, PHYDEV: Text, VLAN_ID: Text },
  AR: z.union([RangeText, z.array(RangeText)]).optional(),
});
const ofNetwork: ReadonlySet<string> = new Set([...Object.keys(NetworkText.shape), 'VLAN', 'AUTOMATIC_VLAN_ID']);

const rangeOptions = [
  ['-i, --ip <address>', 'the first IPv4 address'],
  ['-s, --size <count>', 'how many addresses'],
  ['-m, --mac <address>', 'the first MAC'],
  ['-g, --global <prefix>', 'of global IPv6 addresses'],
  ['-u, --ula <prefix>', 'of unique local IPv6 addresses'],
] as const;
const RangeGiven = z.object({
  ...{ ip: z.string().optional(), size: z.string().optional(), mac: z.string().optional() },
  ...{ global: z.string().optional(), ula: z.string().optional() },
});

/** A range of template text and of options, which win. What it is of is said by its TYPE, or by what it has. */
function rangeBody(text: z.output<typeof RangeText>, given: z.output<typeof RangeGiven> = {}): object {
  const [ip, mac, size] = [given.ip ?? text.IP, given.mac ?? text.MAC, given.size ?? text.SIZE];
  const [global_prefix, ula_prefix] = [given.global ?? text.GLOBAL_PREFIX, given.ula ?? text.ULA_PREFIX];
  const isSix = global_prefix !== undefined || ula_prefix !== undefined;
  const type = ip === undefined ? (isSix ? 'IP6' : 'ETHER') : isSix ? 'IP4_6' : 'IP4';
  if (size === undefined)
    throw new Complaint('usage', 'A range of addresses has a size.', { next: 'Give SIZE, or --size.' });
  return { type: text.TYPE?.toUpperCase() ?? type, size: Number(size), ip, mac, global_prefix, ula_prefix };
}

/** What guests are told, and whatever else is said of a network. */
const attributesOf = (text: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(text).flatMap(([name, value]) =>
      ofNetwork.has(name) || !['string', 'number'].includes(typeof value) ? [] : [[name, String(value)]],
    ),
  );

/** A network of template text in the words of the API. */
export function networkBody(text: z.output<typeof NetworkText>): object {
  const { NAME: name, VN_MAD: vn_mad, BRIDGE: bridge, PHYDEV: phydev, VLAN_ID: vlan, AR = [] } = text;
  const attributes = attributesOf(text);
  return {
    ...{ name, vn_mad, bridge, phydev },
    ...(vlan !== undefined && { vlan_id: Number(vlan) }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
    address_ranges: [AR].flat().map((range) => rangeBody(range)),
  };
}

const send = ({ client }: One, method: 'POST' | 'PATCH' | 'PUT', path: string, body: object) =>
  client.send(method, `${networks.path}${path}`, NetworkResource, json(body));

const Anything = z.unknown();
const Reserve = z.object({
  ...{ name: z.string().optional(), size: z.string().optional(), ar_id: z.string().optional() },
  network: z.string().optional(),
});

/** OpenNebula’s marks of what its options name with an underscore. */
const reserveOptions = [
  ['-n, --name <name>', 'of the network that is made'],
  ['-s, --size <count>', 'how many addresses'],
  ['-a, --ar_id <id>', 'of this range'],
  ['--network <network>', 'a reservation, to add them to'],
] as const;

const ofAddress = (verb: 'hold' | 'release', summary: string): Verb => ({
  usage: `${verb} <id> <address>`,
  summary,
  run: toEach(networks, (one, id, [address]) => send(one, 'POST', `/${id}/${verb}`, addressBody(address))),
});

export const networkVerbs: readonly Verb[] = [
  listVerb(networks, (all) => networkList(all)),
  showVerb(networks, async (network, { client }) => {
    const leases = await client.list(`${networks.path}/${network.id}/leases`, LeaseResource);
    return networkText(
      network,
      leases.map(({ value }) => value),
    );
  }),
  {
    usage: 'create <file>',
    summary: 'Add one of template text: NAME, VN_MAD, BRIDGE, PHYDEV, VLAN_ID, AR, and what guests are told',
    run: async (one, [file = '-']) => {
      const body = networkBody(NetworkText.parse(attributesIn(file)));
      one.out(`ID: ${(await send(one, 'POST', '', body)).value.id}`);
    },
  },
  {
    usage: 'delete <ids>',
    summary: 'Remove it',
    run: toEach(networks, ({ client }, id) => client.send('DELETE', `${networks.path}/${id}`, Anything)),
  },
  {
    usage: 'addar <id> [file]',
    summary: 'Add an address range, of template text (AR) and of options',
    options: rangeOptions,
    run: async (one, [wish, file], options) => {
      const id = await resolve(one.client, networks, wish, { whole: true });
      const { AR = {} } = NetworkText.parse(file === undefined ? {} : attributesIn(file));
      for (const range of [AR].flat())
        await send(one, 'POST', `/${id}/address-ranges`, rangeBody(range, RangeGiven.parse(options)));
    },
  },
  {
    usage: 'rmar <id> <range>',
    summary: 'Remove an address range',
    run: toEach(networks, ({ client }, id, [range]) =>
      client.send('DELETE', `${networks.path}/${id}/address-ranges/${rangeId(range)}`, Anything),
    ),
  },
  {
    usage: 'updatear <id> <range> [file]',
    summary: 'Give an address range another size, of template text (AR) or of an option',
    options: [['-s, --size <count>', 'how many addresses']],
    run: async (one, [wish, range, file], options) => {
      const id = await resolve(one.client, networks, wish, { whole: true });
      const text = NetworkText.parse(file === undefined ? {} : attributesIn(file));
      const [first] = [text.AR ?? RangeText.parse(text)].flat();
      const size = RangeGiven.parse(options).size ?? first?.SIZE;
      if (size === undefined) throw new Complaint('usage', 'How large is it to be?', { next: 'Give SIZE, or --size.' });
      await send(one, 'PUT', `/${id}/address-ranges/${rangeId(range)}`, { size: Number(size) });
    },
  },
  ofAddress('hold', 'Keep an address back'),
  ofAddress('release', 'Let an address that was kept back be given to somebody'),
  {
    usage: 'reserve <id> [reservation]',
    summary: 'Make a network of addresses of one, or add some to one that was made so',
    options: reserveOptions,
    run: async (one, [wish, reservation], options) => {
      const { name, size, ar_id, network = reservation } = Reserve.parse(options);
      const id = await resolve(one.client, networks, wish, { whole: true });
      if (size === undefined || (name === undefined) === (network === undefined))
        throw new Complaint('usage', 'What is to be reserved?', {
          next: 'Give --size, and --name of a new reservation, or behind the network the one that they are added to.',
        });
      const into =
        network === undefined
          ? { name }
          : { network_id: await resolve(one.client, networks, network, { whole: true }) };
      const range = ar_id === undefined ? {} : { ar_id: rangeId(ar_id) };
      const { value } = await send(one, 'POST', `/${id}/reserve`, { ...into, ...range, size: Number(size) });
      one.out(`Reservation ID: ${value.id}`);
    },
  },
  updateVerb(networks, 'attributes', attributesOf),
  renameVerb(networks),
  ...ownershipVerbs(networks),
];
