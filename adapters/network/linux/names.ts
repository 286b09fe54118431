/** Linux's bound for the name of a device. */
const longest = 15;

/**
 * The device of a NIC: OpenNebula's name of it where it fits, else one of as much. No two NICs have the same: the
 * one form has two dashes, the other one.
 */
export function deviceOf(vm: number, nic: number): string {
  const plain = `one-${vm}-${nic}`;
  return plain.length <= longest ? plain : `o${vm.toString(36)}-${nic.toString(36)}`;
}

/** The VXLAN of a number: a host has one of each, whatever it goes over. */
export const vxlanOf = (vlan: number): string => `one-vx${vlan}`;

/** The VLAN of a card, as everybody calls it where that fits. `digest`: eight letters that stand for the card's name. */
export function vlanOf(phydev: string, vlan: number, digest: (text: string) => string): string {
  const plain = `${phydev}.${vlan}`;
  return plain.length <= longest ? plain : `v${digest(phydev).slice(0, 8)}.${vlan}`;
}

/** An installation in the names of devices: letters and digits. */
export const plainInstallation = (installation: string): string => installation.toLowerCase().replace(/[^a-z0-9]/g, '');

/** A second name of a device says whose it is, and under which epoch: who removes it by that name removes no newer one. */
export const tagOf = (installation: string, vm: number, nic: number, epoch: number): string =>
  `arcus-${installation}-${vm}-${nic}-${epoch}`;

const tag = /^arcus-(?<installation>[a-z0-9]+)-(?<vm>\d+)-(?<nic>\d+)-(?<epoch>\d+)$/;

export type Tag = { name: string; installation: string; vm: number; nic: number; epoch: number };

export function tagIn(name: string): Tag | null {
  const { installation, vm, nic, epoch } = tag.exec(name)?.groups ?? {};
  return installation === undefined
    ? null
    : { name, installation, vm: Number(vm), nic: Number(nic), epoch: Number(epoch) };
}

const leaving = 'arcus-leaving-';
/** A second name that whoever wants to remove what a network had gives it, to remove it by. */
export const leavingName = (token: string): string => `${leaving}${token}`;
export const isLeaving = (name: string): boolean => name.startsWith(leaving);

/** MACs of bridges and links that were made here begin so: they are known from those of others from their first moment on. */
const ownPrefix = 'ae:a7:c5';
export const ownMac = (chance: () => number): string =>
  [
    ownPrefix,
    ...Array.from({ length: 3 }, () =>
      Math.floor(chance() * 256)
        .toString(16)
        .padStart(2, '0'),
    ),
  ].join(':');
export const isOwnMac = (mac: string): boolean => mac.startsWith(ownPrefix);

/** The host's end of a NIC: a MAC that no guest has, and higher than a bridge would take for its own. */
export const hostEndMac = (mac: string): string => `fe${mac.slice(2)}`;
