import { Ip4 } from '../../schemas/common/ip4.js';
import { limits } from '../../schemas/common/limits.js';
import { Mac } from '../../schemas/common/mac.js';
import type { Nic } from '../../schemas/operations/vm-devices.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { groupIdsIn } from '../networks/security-groups.js';
import { disksOf, diskWishes } from './disk-wishes.js';
import { type Attributes, listOf, textOf } from './template-values.js';

/** What a VM begins with, of what its template says. */
export type TemplateDevices = Pick<Vm, 'nics' | 'disks' | 'device_ids'>;

/**
 * The NICs and volatile disks of a VM template; what disks of images come to is decided when these are found (`disksOf`).
 * `findings`: what is wrong with them, as `DISK/0/SIZE …`.
 */
export function templateDevices({ NIC, DISK }: { NIC?: unknown; DISK?: unknown }): {
  devices: TemplateDevices;
  findings: string[];
} {
  const given = listOf(NIC);
  const findings: string[] = [];
  const { wishes, findings: ofDisks } = diskWishes(DISK);
  // They are not looked at more closely: that takes longer the more there are.
  if (given.length > limits.nics.most)
    return { devices: {}, findings: [`NIC has more than ${limits.nics.most}`, ...ofDisks] };
  const nics = given.map((one, at) => nicOf(one, at, findings));
  const { disks } = disksOf(wishes, new Map());
  const macs = nics.flatMap(({ mac }) => mac ?? []);
  const twice = macs.find((mac, at) => macs.indexOf(mac) < at);
  if (twice !== undefined) findings.push(`NIC has the address ${twice} twice`);
  const all = listOf(DISK).length;
  const devices = {
    ...(nics.length > 0 && { nics }),
    ...(disks.length > 0 && { disks }),
    ...(nics.length + all > 0 && { device_ids: { nic: nics.length, disk: all } }),
  };
  return { devices, findings: [...findings, ...ofDisks] };
}

function nicOf(
  { NETWORK, NETWORK_ID, IP, MAC, MODEL, SECURITY_GROUPS }: Attributes,
  nic_id: number,
  findings: string[],
): Nic {
  const mac = MAC === undefined ? undefined : Mac.safeParse(MAC);
  if (mac?.success === false) findings.push(`NIC/${nic_id}/MAC ${mac.error.issues[0]?.message ?? 'is not valid'}`);
  const ip = IP === undefined ? undefined : Ip4.safeParse(IP);
  if (ip?.success === false) findings.push(`NIC/${nic_id}/IP ${ip.error.issues[0]?.message ?? 'is not valid'}`);
  const model = textOf(MODEL);
  const groups = groupIdsIn(textOf(SECURITY_GROUPS) ?? '');
  if (groups === null)
    findings.push(
      `NIC/${nic_id}/SECURITY_GROUPS must be at most ${limits.securityGroups.most} ids of security groups, such as 0,100`,
    );
  return {
    ...{ nic_id, network: textOf(NETWORK) ?? textOf(NETWORK_ID) ?? null },
    ...(mac?.data !== undefined && { mac: mac.data }),
    ...(model !== undefined && { model }),
    ...(groups !== null && groups.length > 0 && { security_groups: groups }),
  };
}
