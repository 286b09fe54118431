import { z } from 'zod';
import { Capacity } from '../schemas/common/capacity.js';
import { ObjectId } from '../schemas/common/common.js';
import { DomainLabels, Faults, LoadRule, SimulatorSettings } from '../schemas/hosts/simulator.js';
import { DomainDevices } from '../schemas/operations/vm-devices.js';

/** Whose a domain was before it was adopted, and what it had by their numbers. */
const Former = z.object({
  ...{ installation: z.string(), vm: ObjectId, epoch: z.int(), labels: DomainLabels },
  ...{ devices: DomainDevices, snapshots: z.array(z.object({ id: z.int(), name: z.string(), epoch: z.int() })) },
});

/** A domain as kept. What only time changes is a point in time, so that a restart has nothing to resume. */
export const DomainRecord = z.object({
  /** Whose it is; records of before have none. */
  installation: z.string().default(''),
  vm: ObjectId,
  domain: z.string(),
  deploy_id: z.string(),
  epoch: z.int(),
  capacity: Capacity,
  labels: DomainLabels,
  /** Milliseconds since 1970; running from then on. */
  boots_at: z.number(),
  /** Shutting down, and gone from then on. */
  gone_at: z.number().nullable(),
  down: z.enum(['stopped', 'suspended', 'failed']).nullable(),
  /** Told to shut down, and stopped from then on; records of before have none. */
  stops_at: z.number().nullable().default(null),
  /** The epoch that last rebooted it. */
  rebooted: z.int().nullable().default(null),
  /** Records of before have none. */
  devices: DomainDevices.default({ nics: [], disks: [] }),
  /** By their numbers, with the epoch that made each; records of before have none. */
  snapshots: z.array(z.object({ id: z.int(), name: z.string(), epoch: z.int() })).default([]),
  /** The epoch that last reverted it. */
  reverted: z.int().nullable().default(null),
  /** Absent: it was made for the VM that it is. */
  adopted: Former.optional(),
});
export type DomainRecord = z.infer<typeof DomainRecord>;

/** A host that every installation shares which names it; `tenants`: what each has there. */
export type Machine = {
  name: string;
  total: Capacity;
  faults: Faults;
  tenants: Map<string, HostRecord>;
  /** When it came back from the dead, in milliseconds since 1970; 0: it has not. A restart of the simulator forgets it. */
  up_since: number;
};

/** A host as one installation knows it: its own VM ids and epochs, on a machine that others use too. */
export class HostRecord {
  readonly machine: Machine;
  /** By VM. */
  domains = new Map<number, DomainRecord>();
  /** The highest epoch heard of for each VM, kept after the domain is gone: what refuses the late. */
  seen = new Map<number, number>();
  /** Calls of each VM since the faults were set: what the error rate draws by. */
  draws = new Map<number, number>();

  constructor(machine: Machine) {
    this.machine = machine;
  }

  get name(): string {
    return this.machine.name;
  }

  get total(): Capacity {
    return this.machine.total;
  }

  get faults(): Faults {
    return this.machine.faults;
  }
}

export type State = {
  settings: SimulatorSettings;
  rules: LoadRule[];
  hosts: Map<string, Machine>;
};

export const healthy: Faults = Faults.parse({});

/** Boots take a believable second by default, so that a person can watch. */
export const emptyState = (): State => ({
  settings: { boot_ms: { min: 500, max: 1500 }, shutdown_ms: 500, seed: 1, hosts: {}, roles: {} },
  rules: [],
  hosts: new Map(),
});

export const newMachine = (name: string, total: Capacity): Machine => ({
  ...{ name, total },
  faults: healthy,
  tenants: new Map(),
  up_since: 0,
});

/** What an installation has on a machine; nobody's is that of who does not say who he is. */
export function tenantOf(machine: Machine, installation = ''): HostRecord {
  const known = machine.tenants.get(installation) ?? new HostRecord(machine);
  machine.tenants.set(installation, known);
  return known;
}

/** A host that nobody else uses. */
export const newHost = (name: string, total: Capacity): HostRecord => tenantOf(newMachine(name, total));

/** The domain of a VM that is still there at this time. */
export function present(host: HostRecord, vm: number, now: number): DomainRecord | undefined {
  const domain = host.domains.get(vm);
  return domain && isPresent(domain, now) ? domain : undefined;
}

const isPresent = ({ gone_at }: DomainRecord, now: number): boolean => gone_at === null || gone_at > now;

export const presentDomains = (host: HostRecord, now: number): DomainRecord[] =>
  [...host.domains.values()].filter((domain) => isPresent(domain, now));

/** Whoever's they are. */
export const domainsOn = ({ tenants }: Machine, now: number): DomainRecord[] =>
  [...tenants.values()].flatMap((tenant) => presentDomains(tenant, now));

/** The highest epoch of a domain's VM that its host has heard of. */
export const heardOf = ({ tenants }: Machine, { installation, vm, epoch }: DomainRecord): number =>
  Math.max(epoch, tenants.get(installation)?.seen.get(vm) ?? 0);

/** Why it does not run; null: it does, or boots. */
export const downOf = ({ down, stops_at }: DomainRecord, now: number): DomainRecord['down'] =>
  down ?? (stops_at !== null && stops_at <= now ? 'stopped' : null);

/** What the domains that are up take of the host, whoever's they are. */
export function usedCapacity(machine: Machine, now: number): Capacity {
  const used = { cpu: 0, memory: 0 };
  for (const domain of domainsOn(machine, now)) {
    if (downOf(domain, now) !== null) continue;
    used.cpu += domain.capacity.cpu;
    used.memory += domain.capacity.memory;
  }
  return used;
}

/** The domain that has the name, other than that of this VM. */
export const holderOfName = (host: HostRecord, name: string, vm: number, now: number): DomainRecord | undefined =>
  domainsOn(host.machine, now).find((domain) => domain.domain === name && domain !== host.domains.get(vm));

const Pairs = z.array(z.tuple([z.int(), z.int()]));

const Snapshot = z
  .object({
    settings: SimulatorSettings,
    rules: z.array(LoadRule),
    hosts: z.array(
      z.object({
        name: z.string(),
        total: Capacity,
        faults: Faults,
        tenants: z.array(
          z.object({ installation: z.string(), domains: z.array(DomainRecord), seen: Pairs, draws: Pairs }),
        ),
      }),
    ),
  })
  .transform(
    ({ settings, rules, hosts }): State => ({
      settings,
      rules,
      hosts: new Map(
        hosts.map(({ name, total, faults, tenants }) => {
          const machine = { ...newMachine(name, total), faults };
          for (const { installation, domains, seen, draws } of tenants) {
            const tenant = tenantOf(machine, installation);
            tenant.domains = new Map(domains.map((domain) => [domain.vm, domain]));
            tenant.seen = new Map(seen);
            tenant.draws = new Map(draws);
          }
          return [name, machine];
        }),
      ),
    }),
  );

export const parseSnapshot = (value: unknown): State => Snapshot.parse(value);

/** The state as JSON can hold it; what `parseSnapshot` reads. */
export const snapshotOf = (state: State): z.input<typeof Snapshot> => ({
  settings: state.settings,
  rules: state.rules,
  hosts: [...state.hosts.values()].map(({ tenants, ...machine }) => ({
    ...machine,
    tenants: [...tenants].map(([installation, { domains, seen, draws }]) => ({
      installation,
      domains: [...domains.values()],
      seen: [...seen],
      draws: [...draws],
    })),
  })),
});
