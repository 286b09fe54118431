import type { HypervisorKind } from '../../schemas/hosts/host.js';
import type { NetworkDriver } from '../../schemas/networks/network.js';
import type { NicFilter } from '../../schemas/networks/nic-filter.js';
import type { HostTarget } from '../hypervisor/port.js';

/** What VMs of a network are connected to on each host. Networks that were reserved of one are on the same. */
export type Wire = {
  vn_mad: NetworkDriver;
  bridge: string;
  /** The card that 802.1Q and vxlan go over. */
  phydev: string | null;
  vlan_id: number | null;
  /** Bytes; null: as the system has it. */
  mtu: number | null;
};

/** Which NIC it is. Its device on a host has a name that is made of the ids (`deviceOf`). */
export type NicName = { vm: number; nic: number };

/** `epoch` rises with each holder of the VM: a lower one is stale. Two tries of one epoch do no harm to each other. */
export type NicTarget = NicName & { epoch: number; wire: Wire };

export type PluggedNic = NicTarget & { mac: string; filter: NicFilter };

/** A NIC that a host has. `bridge`: null: it is in none, as when a try was ended half-way. `revision`: of its filter; null: it has none. */
export type FoundNic = NicName & { epoch: number; bridge: string | null; revision: number | null };

/**
 * What Arcus asks of the networks of one host, for one installation. Every method may be called again with the same arguments, whenever and beside
 * another try of itself and of others, and stops early, throwing the signal's reason, when the signal aborts. What is told apart:
 * - `backend_unavailable`: does not answer, lacks a program, or the right to change networks; tried again.
 * - `network_refused`: no such card, a device of that name that is something else, nothing the kernel can do; not tried again.
 * - `stale_epoch`: the NIC has been plugged by a newer holder of its VM.
 * What is refused or ended half-way leaves what the next call, or `unplug`, finds. Devices that others have made are used and never removed.
 */
export interface HostNetworks {
  /**
   * Resolves when the NIC's device is in the bridge of its network, which is made if it is not there, with all that it needs, and nothing passes but
   * what the filter lets pass; from the first moment on. A device that is there already, of whoever makes VMs, is taken as it is. Where the host
   * has a later filter of the NIC, that stays.
   */
  plug(nic: PluggedNic, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when the NIC, if the host has it, has this filter or a later one. Connections that were allowed when they began go on; not a packet is let
   * through or dropped in between that neither filter would.
   */
  secure(nic: NicName & { filter: NicFilter }, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when nothing is left of the NIC: device, filter, and, if it was the last one, what had been made for its network. Succeeds when nothing was.
   * A plug of an older holder that comes after it is not told from a new one: what it leaves is a device that no guest is on, which `found` tells of.
   */
  unplug(nic: NicTarget, signal: AbortSignal): Promise<void>;
  /** The NICs of this installation that the host has. */
  found(signal: AbortSignal): Promise<FoundNic[]>;
}

/** The networks of each host: hosts that have the same, as those on one machine, have the same of these. */
export type Networks = { of<K extends HypervisorKind>(host: HostTarget<K>): HostNetworks };
