import { z } from 'zod';
import { Capacity } from '../schemas/common/capacity.js';
import { ObjectId } from '../schemas/common/common.js';
import { DomainLabels, Faults, LoadRule, SimulatorSettings } from '../schemas/hosts/simulator.js';

/** A domain as kept. What only time changes is a point in time, so that a restart has nothing to resume. */
export const DomainRecord = z.object({
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
});
export type DomainRecord = z.infer<typeof DomainRecord>;

export type HostRecord = {
  name: string;
  total: Capacity;
  faults: Faults;
  /** By VM. */
  domains: Map<number, DomainRecord>;
  /** The highest epoch heard of for each VM, kept after the domain is gone: what refuses the late. */
  seen: Map<number, number>;
  /** Calls of each VM since the faults were set: what the error rate draws by. */
  draws: Map<number, number>;
};

export type State = {
  settings: SimulatorSettings;
  rules: LoadRule[];
  hosts: Map<string, HostRecord>;
};

export const healthy: Faults = Faults.parse({});

/** Boots take a believable second by default, so that a person can watch. */
export const emptyState = (): State => ({
  settings: { boot_ms: { min: 500, max: 1500 }, shutdown_ms: 500, seed: 1, hosts: {}, roles: {} },
  rules: [],
  hosts: new Map(),
});

export const newHost = (name: string, total: Capacity): HostRecord => ({
  name,
  total,
  faults: healthy,
  domains: new Map(),
  seen: new Map(),
  draws: new Map(),
});

/** The domain of a VM that is still there at this time. */
export function present(host: HostRecord, vm: number, now: number): DomainRecord | undefined {
  const domain = host.domains.get(vm);
  return domain && isPresent(domain, now) ? domain : undefined;
}

const isPresent = ({ gone_at }: DomainRecord, now: number): boolean => gone_at === null || gone_at > now;

export const presentDomains = (host: HostRecord, now: number): DomainRecord[] =>
  [...host.domains.values()].filter((domain) => isPresent(domain, now));

/** Why it does not run; null: it does, or boots. */
export const downOf = ({ down, stops_at }: DomainRecord, now: number): DomainRecord['down'] =>
  down ?? (stops_at !== null && stops_at <= now ? 'stopped' : null);

/** What the domains that are up take of the host. */
export function usedCapacity(host: HostRecord, now: number): Capacity {
  const used = { cpu: 0, memory: 0 };
  for (const domain of host.domains.values()) {
    if (downOf(domain, now) !== null || !isPresent(domain, now)) continue;
    used.cpu += domain.capacity.cpu;
    used.memory += domain.capacity.memory;
  }
  return used;
}

/** The VM other than this one whose domain has the name. */
export function ownerOfName(host: HostRecord, name: string, vm: number, now: number): number | undefined {
  for (const domain of host.domains.values()) {
    if (domain.domain === name && domain.vm !== vm && isPresent(domain, now)) return domain.vm;
  }
  return undefined;
}

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
        domains: z.array(DomainRecord),
        seen: Pairs,
        draws: Pairs,
      }),
    ),
  })
  .transform(
    ({ settings, rules, hosts }): State => ({
      settings,
      rules,
      hosts: new Map(
        hosts.map((host) => [
          host.name,
          {
            ...host,
            domains: new Map(host.domains.map((domain) => [domain.vm, domain])),
            seen: new Map(host.seen),
            draws: new Map(host.draws),
          },
        ]),
      ),
    }),
  );

export const parseSnapshot = (value: unknown): State => Snapshot.parse(value);

/** The state as JSON can hold it; what `parseSnapshot` reads. */
export const snapshotOf = (state: State): z.input<typeof Snapshot> => ({
  settings: state.settings,
  rules: state.rules,
  hosts: [...state.hosts.values()].map((host) => ({
    ...host,
    domains: [...host.domains.values()],
    seen: [...host.seen],
    draws: [...host.draws],
  })),
});
