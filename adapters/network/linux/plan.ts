import { Problem } from '../../../domain/problems.js';
import type { NicTarget, PluggedNic, Wire } from '../port.js';
import type { Link } from './links.js';
import { deviceOf, hostEndMac, isLeaving, leavingName, ownMac, type Tag, tagOf, vlanOf, vxlanOf } from './names.js';

/** A line of `ip -batch`. Words have no blanks: names are checked, the rest is made here. */
export type Command = string;

export type Planning = {
  installation: string;
  /** 0 to 1. */
  chance: () => number;
  /** Letters that stand for a name. */
  digest: (text: string) => string;
};

const named = (links: readonly Link[], name: string): Link | undefined => links.find((link) => link.name === name);

const refused = (detail: string): Problem => new Problem('network_refused', detail);

/** What networks of a driver have beside their bridge: the name of the device, and what it is; null: nothing. */
function linkOf({ vn_mad, phydev, vlan_id }: Wire, digest: Planning['digest']): WireLink | null {
  if (vn_mad === 'dummy' || vn_mad === 'bridge') return null;
  if (phydev === null || vlan_id === null) throw refused(`The network is ${vn_mad}, and has no card or no number.`);
  if (vn_mad === '802.1Q') {
    const name = vlanOf(phydev, vlan_id, digest);
    return { name, kind: 'vlan', phydev, number: vlan_id, made: `link ${phydev}`, type: `type vlan id ${vlan_id}` };
  }
  const made = { name: vxlanOf(vlan_id), kind: 'vxlan', phydev, number: vlan_id, made: '' };
  return { ...made, type: `type vxlan id ${vlan_id} group ${groupOf(vlan_id)} ttl 16 dev ${phydev} dstport 4789` };
}

type WireLink = { name: string; kind: string; phydev: string; number: number; made: string; type: string };

/** Where hosts tell each other of a VXLAN: 239.0.0.0 and its number, as in OpenNebula. */
const groupOf = (vlan: number): string => `239.${[16, 8, 0].map((bits) => (vlan >> bits) & 255).join('.')}`;

/** Bridges that are told so have what passes them go by `inet` chains, where connections are known. */
const filtering = 'nf_call_iptables 1 nf_call_ip6tables 1';

/**
 * What is still to be done until the host has what the network needs; nothing: it has. Again after each change: others may have changed something, too.
 * Throws what trying again cannot mend.
 */
export function planWire(links: readonly Link[], wire: Wire, { chance, digest }: Planning): Command[] {
  const bridge = named(links, wire.bridge);
  if (bridge && bridge.kind !== 'bridge') throw refused(`${wire.bridge} is there, and is no bridge.`);
  if (!bridge && wire.vn_mad === 'dummy')
    throw refused(
      `There is no bridge ${wire.bridge}: networks that are dummy are on one that is made by somebody else.`,
    );
  const link = linkOf(wire, digest);
  return [
    ...(bridge
      ? []
      : [`link add name ${wire.bridge} address ${ownMac(chance)} type bridge forward_delay 0 ${filtering}`]),
    ...(bridge && !bridge.filtered ? [`link set dev ${wire.bridge} type bridge ${filtering}`] : []),
    ...(link ? linkCommands(links, wire, link, chance) : []),
    ...prepared(bridge, wire.bridge, wire.mtu),
    ...stays(bridge),
  ];
}

function linkCommands(links: readonly Link[], { bridge, mtu }: Wire, wish: WireLink, chance: () => number): Command[] {
  const { name, kind, phydev, number, made, type } = wish;
  const link = named(links, name);
  if (!named(links, phydev)) throw refused(`There is no card ${phydev} that the network could go over.`);
  if (!link)
    return [
      `link add ${made} name ${name} address ${ownMac(chance)} ${type}`.replace('  ', ' '),
      ...prepared(link, name, mtu),
      `link set dev ${name} master ${bridge}`,
    ];
  if (link.kind !== kind || link.number !== number || link.under !== phydev)
    throw refused(`${name} is there, and is not what it is to be: ${kind} ${number} over ${phydev}.`);
  if (link.master !== null && link.master !== bridge)
    throw refused(`${name} is in bridge ${link.master}, and is to be in ${bridge}.`);
  return [
    ...prepared(link, name, mtu),
    ...(link.master === null ? [`link set dev ${name} master ${bridge}`] : []),
    ...stays(link),
  ];
}

/** Up, and as large as is wished where it was made here. The host itself has no address in it. */
const prepared = (link: Link | undefined, name: string, mtu: number | null): Command[] => [
  ...(link ? [] : [`link set dev ${name} addrgenmode none`]),
  ...(mtu !== null && (link?.own ?? true) && link?.mtu !== mtu ? [`link set dev ${name} mtu ${mtu}`] : []),
  ...(link?.up ? [] : [`link set dev ${name} up`]),
];

/** Whoever wants to remove it does so by a name that it has no more. */
const stays = (link: Link | undefined): Command[] =>
  (link?.names ?? []).filter(isLeaving).map((name) => unnamed(link?.name ?? '', name));

const unnamed = (device: string, name: string): Command => `link property del dev ${device} altname ${name}`;
const alsoNamed = (device: string, name: string): Command => `link property add dev ${device} altname ${name}`;

/** The newest who has tagged the device of a NIC. Throws where it is none of ours, or somebody newer has it. */
export function holderOf(
  links: readonly Link[],
  { vm, nic, epoch }: Pick<NicTarget, 'vm' | 'nic' | 'epoch'>,
  installation: string,
): { link: Link | undefined; tags: Tag[] } {
  const link = named(links, deviceOf(vm, nic));
  const tags = link?.tags ?? [];
  if (tags.some((tag) => tag.installation !== installation || tag.vm !== vm || tag.nic !== nic))
    throw refused(`${link?.name} is a NIC of another installation of Arcus.`);
  const newest = Math.max(-1, ...tags.map((tag) => tag.epoch));
  if (newest > epoch)
    throw new Problem(
      'stale_epoch',
      `NIC ${nic} of VM ${vm} has been plugged under epoch ${newest}; ${epoch} is older.`,
    );
  return { link, tags };
}

/** What is still to be done until the device of a NIC is in its bridge; nothing: it is. */
export function planDevice(links: readonly Link[], nic: PluggedNic, { installation }: Planning): Command[] {
  const device = deviceOf(nic.vm, nic.nic);
  const { link, tags } = holderOf(links, nic, installation);
  const own = tagOf(installation, nic.vm, nic.nic, nic.epoch);
  const { bridge, mtu } = nic.wire;
  const isTap = !link || link.kind === 'tun';
  return [
    ...(link ? [] : [`tuntap add dev ${device} mode tap`]),
    // It says whose it is before anything can go by it.
    ...(tags.some(({ name }) => name === own) ? [] : [alsoNamed(device, own)]),
    ...tags.filter(({ name }) => name !== own).map(({ name }) => unnamed(device, name)),
    ...(isTap && link?.mac !== hostEndMac(nic.mac) ? [`link set dev ${device} address ${hostEndMac(nic.mac)}`] : []),
    ...(link?.master === bridge ? [] : [`link set dev ${device} addrgenmode none`]),
    ...(mtu !== null && link?.mtu !== mtu ? [`link set dev ${device} mtu ${mtu}`] : []),
    ...(link?.master === bridge ? [] : [`link set dev ${device} master ${bridge}`]),
    ...(link?.up ? [] : [`link set dev ${device} up`]),
  ];
}

/**
 * What is to be done until the device of a NIC is gone. It is removed by the name that says under which epoch it was plugged, which it has no more when
 * somebody newer has plugged it: that cannot come in between.
 */
export function planUnplug(links: readonly Link[], nic: NicTarget, { installation }: Planning): Command[] {
  const { link, tags } = holderOf(links, nic, installation);
  if (!link) return [];
  const [tag] = tags;
  if (tag) return [`link del dev ${tag.name}`];
  return [alsoNamed(link.name, tagOf(installation, nic.vm, nic.nic, nic.epoch))];
}

/**
 * What is to be done until nothing is left of a network that nobody on the host is on. What goes is given a name first, and is removed by it when,
 * seen after that, it is in no use. Who plugs a NIC takes such names away after its device is in the bridge: whichever is first, no bridge goes from
 * under a device.
 */
export function planTidy(
  links: readonly Link[],
  wire: Wire,
  token: string,
  { digest }: Pick<Planning, 'digest'>,
): Command[] {
  const wish = linkOf(wire, digest);
  const bridge = named(links, wire.bridge);
  const link = wish ? named(links, wish.name) : undefined;
  const members = links.filter(({ master }) => master === wire.bridge);
  const inUse = members.some(({ name }) => name !== wish?.name);
  if (wire.vn_mad === 'dummy' || inUse) return [];
  // A link of somebody else keeps the bridge that it is in.
  const leaving = [link, members.some(({ own }) => !own) ? undefined : bridge].filter((one) => one?.own);
  const name = (one: Link): string => `${leavingName(token)}-${one === link ? 'link' : 'bridge'}`;
  return leaving.flatMap((one) => {
    if (!one) return [];
    return one.names.includes(name(one)) ? [`link del dev ${name(one)}`] : [alsoNamed(one.name, name(one))];
  });
}
