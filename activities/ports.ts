import type { Engine } from '../adapters/engine/port.js';
import type { Fencing } from '../adapters/fencing/port.js';
import type { Hypervisors } from '../adapters/hypervisor/hypervisors.js';
import type { Markets } from '../adapters/market/port.js';
import type { Networks } from '../adapters/network/port.js';
import type { Import } from '../adapters/storage/bring-in.js';
import type { ImageClaim, KeptImage, OnProgress, Storage, Storages } from '../adapters/storage/port.js';
import type { PlacementSettings } from '../domain/placement/placement.js';
import type { ActionArgs, VmAction } from '../schemas/operations/vm-action.js';
import type { ShutdownAction } from '../schemas/services/service-template.js';
import type { Directory } from '../store/identity/directory.js';
import type { PolicyPerforming, PolicyScaling } from '../store/scaling/policy-scaling.js';
import type { Store } from '../store/store.js';
import type { DueAction } from '../store/vms/vm-schedules.js';

/** What the steps need; a worker gives them the real ones. */
export type StepPorts = {
  store: Store;
  directory: Pick<Directory, 'users' | 'groups' | 'look'>;
  hypervisors: Hypervisors;
  /** Those of hosts, for who looks whether they have what they are to have; absent: nobody does. */
  networks?: Networks;
  engine: Engine;
  storages: Storages;
  /** Where apps are published, and found. */
  markets: Markets;
  /** Makes an image of what is published somewhere, going on where an earlier try got to. */
  bringIn: (
    storage: Storage,
    claim: ImageClaim,
    wanted: Import,
    onProgress: OnProgress,
    signal: AbortSignal,
  ) => Promise<KeptImage>;
  /**
   * Asks for a scaling as the owner of the service would, and returns the operation; throws a Problem. Given by the worker, for
   * steps know nothing of requests. Absent: nothing scales by itself.
   */
  scaleByPolicy?: (scaling: PolicyScaling) => Promise<string>;
  /** The same of something that is done to every VM of a role. */
  performByPolicy?: (performing: PolicyPerforming) => Promise<string>;
  /**
   * Asks something of one VM as somebody would, once for an operation; returns the VM's own operation, null where it is so already,
   * throws a Problem. Given by the worker.
   */
  performOnVm?: (
    deed: { op: string; requester: number; action: VmAction; vm: number } & ActionArgs,
  ) => Promise<string | null>;
  /** Has a scheduled action of a VM done that is due, as whoever asked for it, once for a version of its schedule. Given by the worker. */
  performScheduled?: (due: DueAction) => Promise<string | null>;
  /** Has an image deleted that gives way to a newer one, as whoever asked for that; resolves with why it stays. Given by the worker. */
  retireBackup?: (deed: { op: string; requester: number; image: number }) => Promise<string | null>;
  /** Has a VM migrated that somebody has marked for it, as he would; once for a key. Given by the worker. */
  migrateMarked?: (marked: { vm: number; by: number; key: string }) => Promise<string>;
  /** Has a VM migrated away from a host that is flushed, as whoever flushes it would; once for each way. Given by the worker. */
  migrateForFlush?: (deed: { op: string; requester: number; vm: number; live: boolean }) => Promise<string>;
  /** Turns hosts off. Absent: none is. */
  fencing?: Fencing;
  /** Asks for the start of a VM whose guest has crashed, or whose host was started anew, as its owner would; once for each time. Given by the worker. */
  restartDown?: (down: { vm: number; epoch: number; crashed: boolean }) => Promise<string | null>;
  /** Asks for the failover of a host that has missed as many polls as its policy says, as whoever has given it that would. Given by the worker. */
  failOver?: (due: { host: number; silence: Date }) => Promise<string | null>;
  /** Asks for the deployment of a VM of a failed host that fits nowhere, as its owner would; once for a failover. Given by the worker. */
  deployForFailover?: (deed: { op: string; vm: number }) => Promise<string>;
  /** Has a service go on that has failed since a host did, as its owner would; once for a failover. null: it has not. Given by the worker. */
  recoverForFailover?: (deed: { op: string; service: number; since: Date }) => Promise<string | null>;
  settings: {
    vmNameTemplate: string;
    shutdownAction: ShutdownAction;
    /** On whose clocks scheduled actions of VMs are due that name no zone; absent: UTC. */
    timeZone?: string;
    /** Seconds for which a role rests after a scaling, when it says no cooldown; absent: it does not. */
    cooldown?: number;
    /** Seconds for which a scaling waits when nothing comes of it; absent: half an hour. */
    scalingPatience?: number;
    /** Seconds between looks at policies; absent: as by default. */
    elasticityInterval?: number;
    /** Seconds between polls of hosts; absent: as by default. */
    monitoringInterval?: number;
    /** Seconds until a host is seen to have gone that was turned off, and until one that was turned on has booted; absent: as by default. */
    powerPatience?: { going: number; booting: number };
    /** Seconds for which a look at hosts asks those again that do not answer; absent: most of a tick. */
    insistence?: number;
    /** For how many days operations are kept after their end; absent: for ever. */
    keepOperations?: number;
    /** Absent: stripe, and hosts take any number of VMs in a pass. */
    placement?: PlacementSettings;
  };
};
