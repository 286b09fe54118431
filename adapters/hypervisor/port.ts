import type { VmCall } from '../../domain/vms/vm-verbs.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { DomainState } from '../../schemas/hosts/domain-state.js';
import type { HypervisorKind } from '../../schemas/hosts/host.js';
import type { LibvirtPlace } from '../../schemas/hosts/libvirt.js';
import type { Metrics } from '../../schemas/hosts/metrics.js';
import type { DomainChange, DomainDevices } from '../../schemas/operations/vm-devices.js';

/** What the adapter of each kind needs to reach a host, beside its name; `targetOf` takes it from the host's record. */
export type HostConnections = {
  /** Simulated hosts come into being by being named, with what they are to have. */
  simulated: { total: Capacity };
  /** Hosts of libvirt are there; `total` is what VMs may have of one. */
  libvirt: { total: Capacity } & LibvirtPlace;
};

/** Where a VM is to run: the host as its hypervisor knows it. */
export type HostTarget<K extends HypervisorKind = HypervisorKind> = {
  name: string;
  vm_mad: K;
  connection: HostConnections[K];
};

/** Files for a guest, in a directory. `bring`: it is that of another machine, and this copies them into one of this machine. */
export type GuestFiles = { path: string; bring?: (into: string, signal: AbortSignal) => Promise<void> };

/** What a VM is booted by, as its host opens it; `nowhere`: no bytes are kept of it, and whoever opens files cannot start it. */
export type BootFiles = { kernel: string; ramdisk?: string } | 'nowhere';

/** A VM with a place to run. */
export type PlacedVm<K extends HypervisorKind = HypervisorKind> = {
  id: number;
  /**
   * `one-<id>`: a name that can be computed again is an idempotency key. Where names have to be told apart among installations,
   * the adapter adds to it what does (`ownName`).
   */
  domain: string;
  host: HostTarget<K>;
  capacity: Capacity;
  /** Rises with each holder of the VM; a lower one is stale. */
  epoch: number;
  /** What the guest may know of itself: the simulator's scripted metrics choose by these. */
  labels: { vm: number; service?: number; role?: string };
  /** What the domain is made with; absent: nothing. */
  devices?: DomainDevices | undefined;
  /** What its guest is told; null or absent: nothing is. */
  context?: GuestFiles | null;
  /** Absent: its firmware finds what to boot. */
  boot?: BootFiles;
  /** Its domain was made by somebody else, with what nobody here knows of: it is started, and none is made in its place. */
  adopted?: true;
  template: Record<string, unknown>;
};

/** The epoch says who destroys: nobody after whom the host has heard of another. */
export type DestroyTarget<K extends HypervisorKind = HypervisorKind> = Pick<
  PlacedVm<K>,
  'id' | 'domain' | 'host' | 'epoch'
> & { hard: boolean };

/** A VM that is switched, and neither made nor removed. */
export type SwitchTarget<K extends HypervisorKind = HypervisorKind> = Omit<DestroyTarget<K>, 'hard'>;

/** One that changes its host: from `host` to this one. */
export type MoveTarget<K extends HypervisorKind = HypervisorKind> = SwitchTarget<K> & { to: HostTarget<K> };

/**
 * Where what a VM has in memory may be kept away from hosts, under its epoch: a file, as its hosts open it, with what an earlier epoch has kept in it. `take` throws `stale_epoch` where a later one has been there;
 * after `drop` nothing is kept.
 */
export type MemoryPlace = {
  take(signal: AbortSignal): Promise<{ path: string; isThere: boolean }>;
  drop(signal: AbortSignal): Promise<void>;
};

/** One of which something is kept away from hosts. `memory`: absent: there is no such place; a kind that needs none takes no notice of it. */
export type StoredVm = Pick<PlacedVm, 'id' | 'domain' | 'epoch'> & { memory?: MemoryPlace | undefined };
/** One that leaves its host, or comes to it: with what its guest is told there, and by what it is booted. */
export type StoreTarget<K extends HypervisorKind = HypervisorKind> = SwitchTarget<K> &
  Pick<StoredVm, 'memory'> &
  Pick<PlacedVm, 'context' | 'boot'>;

/** One of which a device is changed. */
export type DeviceTarget<K extends HypervisorKind = HypervisorKind> = SwitchTarget<K> & { change: DomainChange };
/** One that a snapshot is made of, or that has one, by its number: what was made of that number under an older epoch is none of it. */
export type SnapshotTarget<K extends HypervisorKind = HypervisorKind> = SwitchTarget<K> & {
  snapshot: { id: number; name: string };
};

/** Somebody else's domain, by its deploy id, that a VM is to have. `from`: whose it was when it was seen; null: of no installation. */
export type AdoptTarget<K extends HypervisorKind = HypervisorKind> = SwitchTarget<K> & {
  deployId: string;
  from: string | null;
};

export type Domain = { deployId: string; epoch: number };

/** What it uses is nothing while it is down; what it has sent and received counts from its start. */
export type DomainReport = Metrics & {
  vm: number;
  deployId: string;
  epoch: number;
  /** The highest epoch that the host has heard of for the VM: that of the domain, or of who has switched it since. */
  heard: number;
  capacity: Capacity;
  state: DomainState;
  /** Absent: none, or nobody has asked for them: a look at one VM tells them, one at a host need not. */
  devices?: DomainDevices | undefined;
};

/** A domain without the id of our installation in its metadata, whatever its name: another's, or nobody's. */
/** `installation`: the one whose id it carries; absent: none. */
export type WildReport = Pick<DomainReport, 'deployId' | 'capacity' | 'state'> & {
  name: string;
  installation?: string;
};

/**
 * What a probe finds: every domain on the host that is of this installation, and all others. `uptime`: how long the host has been up, in whatever
 * measure, which grows as long as it is, and begins anew with it; absent: nobody knows.
 */
export type HostReport = { domains: DomainReport[]; wilds: WildReport[]; uptime?: number };

/** Which calls a kind of hypervisor knows at all: each adapter says so of every one. */
export type Capabilities = Readonly<Record<VmCall, boolean>>;

/**
 * What Arcus asks of a hypervisor, for one installation: its id goes into the metadata of each domain that is made, and domains
 * without it are told of by `probe` and never touched, whatever their names and VM ids. Every method may be called again with the same arguments, and stops early when the
 * signal aborts. What cannot be reached throws the problem `backend_unavailable`, which is tried again; a refusal that
 * trying again cannot mend throws what `vmCalls` says of the call, such as `deploy_refused`. One that the adapter cannot make is
 * refused so, too. Every call that changes a VM is refused with `stale_epoch` when its epoch is lower than the highest that the
 * host has heard for that VM; those that switch it leave its domain and that one's epoch as they are. Those that move it go by what
 * both hosts have heard, and are heard by both; its domain has their epoch then. Whatever they fail with, it is on one of the two, and
 * not on the other.
 */
export interface Hypervisor<K extends HypervisorKind = HypervisorKind> {
  readonly can: Capabilities;
  /** The domains of a host, at once; makes nothing. */
  probe(host: HostTarget<K>, signal: AbortSignal): Promise<HostReport>;
  /**
   * VMs of ours whose guests are seen to run on a host, by another way than its hypervisor, which may have failed alone. null: it cannot be seen
   * so, or there is no such way.
   */
  guestsSeen(host: HostTarget<K>, signal: AbortSignal): Promise<number[] | null>;
  /** What a host has of a VM, with its devices; null: nothing. Makes nothing, and hears no epoch. */
  look(vm: Omit<SwitchTarget<K>, 'epoch'>, signal: AbortSignal): Promise<DomainReport | null>;
  /**
   * Resolves when the domain runs. A domain of this VM and epoch that exists already is the result; one of an older
   * epoch is destroyed first, but for one that was adopted: that is of this epoch then, as it is, and where there is none, it is refused. An epoch lower than the highest that this host has seen for the VM, in a deploy or a
   * destroy, is refused with `stale_epoch`.
   */
  deploy(vm: PlacedVm<K>, signal: AbortSignal): Promise<Domain>;
  /**
   * Resolves when no domain of this VM is left; succeeds when there was none. After it, deploys with a lower epoch are refused.
   * Where the host has heard of a higher epoch for the VM, its domain stays, and the call is refused with `stale_epoch`.
   */
  destroy(vm: DestroyTarget<K>, signal: AbortSignal): Promise<void>;
  /** Resolves when no domain of this VM runs; `hard`: without asking its guest. Succeeds when none did. */
  poweroff(vm: DestroyTarget<K>, signal: AbortSignal): Promise<void>;
  /** Its guest begins anew, in the same domain; `hard`: as by a reset. At least once, and where it can be told, once an epoch. */
  reboot(vm: DestroyTarget<K>, signal: AbortSignal): Promise<void>;
  /** Resolves when what it has in memory is saved on its host, and it does not run. Succeeds when that is so already. */
  suspend(vm: SwitchTarget<K>, signal: AbortSignal): Promise<void>;
  /** Resolves when it runs, from what was saved on its host. Succeeds when it runs. */
  resume(vm: SwitchTarget<K>, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when what it is at this moment, its memory with it, is kept with its domain under this number, until it is switched off,
   * suspended or taken elsewhere. Once an epoch: what is there already of this number and epoch is the result; of an older epoch it
   * is replaced.
   */
  snapshotCreate(vm: SnapshotTarget<K>, signal: AbortSignal): Promise<void>;
  /** Resolves when it runs on from that snapshot; once an epoch. Refused where there is none. */
  snapshotRevert(vm: SnapshotTarget<K>, signal: AbortSignal): Promise<void>;
  /** Resolves when nothing is kept under that number. Succeeds when nothing was. */
  snapshotDelete(vm: SnapshotTarget<K>, signal: AbortSignal): Promise<void>;
  /** Resolves when its domain, which runs, has come to the other host without a break. Succeeds when it runs there already. */
  migrate(vm: MoveTarget<K>, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when its domain, which does not run, is on the other host with what is saved of it. Succeeds when that is so already, and
   * when there is none on either.
   */
  move(vm: MoveTarget<K>, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when the domain, which is not of our installation, is that of this VM, with our installation's id, the VM's and the
   * epoch in its metadata; it keeps its name, and does what it did, which is the answer. Again it is the same, under the later epoch. One that is a VM's of
   * ours, that is not there, has crashed, or is not whose it was when it was seen, is refused, in words that say so.
   */
  adopt(vm: AdoptTarget<K>, signal: AbortSignal): Promise<DomainState>;
  /** Resolves when this VM has no adopted domain any more: that does what it did, and is of our installation no longer. Succeeds when there was none. */
  disown(vm: SwitchTarget<K>, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when its domain, which is suspended, has left the host and is kept, with what was saved, where any host of this kind can have it
   * from. Succeeds when that is so already; refused where there is none. What is kept has heard this epoch, as a host would.
   */
  store(vm: StoreTarget<K>, signal: AbortSignal): Promise<void>;
  /** Resolves when what was kept so is on this host, suspended, and is kept no more. Succeeds when it is there already; refused where there is none. */
  fetch(vm: StoreTarget<K>, signal: AbortSignal): Promise<void>;
  /** Resolves when nothing is kept so up to this epoch; no host is asked. Succeeds when nothing was. */
  discard(vm: StoredVm, signal: AbortSignal): Promise<void>;
  // What changes a domain's devices resolves when the guest has them, or not any more; succeeds when that is so already, and when there
  // is no domain. The ids of VM, device and snapshot say which: no id is given twice.
  attachNic(vm: DeviceTarget<K>, signal: AbortSignal): Promise<void>;
  detachNic(vm: DeviceTarget<K>, signal: AbortSignal): Promise<void>;
  attachDisk(vm: DeviceTarget<K>, signal: AbortSignal): Promise<void>;
  detachDisk(vm: DeviceTarget<K>, signal: AbortSignal): Promise<void>;
  resizeDisk(vm: DeviceTarget<K>, signal: AbortSignal): Promise<void>;
  snapshotDisk(vm: DeviceTarget<K>, signal: AbortSignal): Promise<void>;
  /** Of one that does not run. Once an epoch: what was written after that of an older one goes again. */
  revertDisk(vm: DeviceTarget<K>, signal: AbortSignal): Promise<void>;
  dropSnapshot(vm: DeviceTarget<K>, signal: AbortSignal): Promise<void>;
}

/** The calls that change a VM. One that a verb names and the port lacks does not compile. */
export type VmCalls = Pick<Hypervisor, VmCall>;
