import { type CounterName, eachCounter, eachMetric, type Metrics } from '../schemas/hosts/metrics.js';
import type { LoadRule, SimulatedDomain } from '../schemas/hosts/simulator.js';
import { chance } from './chance.js';
import { type DomainRecord, downOf, heardOf, type Machine } from './state.js';

const tenMinutes = 600_000;
const nothing: Metrics = eachMetric(() => 0);

/** What a domain reports of itself: nothing while down, else what the newest matching rule says, else a light load. */
export function reportOf(
  domain: DomainRecord,
  host: Machine,
  rules: readonly LoadRule[],
  now: number,
): SimulatedDomain {
  const down = downOf(domain, now);
  const state = down ?? (domain.boots_at > now ? 'booting' : 'running');
  const use = down === null ? usage(domain, host.name, rules, now) : nothing;
  const { vm, domain: name, deploy_id, epoch, installation, capacity, devices } = domain;
  const has = devices.nics.length + devices.disks.length > 0 && { devices };
  const heard = heardOf(host, domain);
  return { vm, domain: name, deploy_id, epoch, heard, installation, capacity, state, ...use, ...has };
}

function usage(domain: DomainRecord, host: string, rules: readonly LoadRule[], now: number): Metrics {
  const matching = rules.filter((rule) => matches(rule, domain, host, now));
  const scripted = (what: 'cpu_percent' | 'memory_percent' | CounterName) =>
    matching.findLast((rule) => rule[what] !== null)?.[what];
  const cpu = scripted('cpu_percent') ?? idleCpu(domain, now);
  const memory = scripted('memory_percent') ?? idleMemory(domain, now);
  return {
    cpu: Math.round((domain.capacity.cpu * cpu) / 100),
    memory: Math.round((domain.capacity.memory * 1_024 * memory) / 100),
    ...eachCounter((name) => scripted(name) ?? counted[name](name, domain, now)),
  };
}

function matches(rule: LoadRule, { labels, vm }: DomainRecord, host: string, now: number): boolean {
  return (
    (rule.until === null || Date.parse(rule.until) > now) &&
    (rule.host === null || rule.host === host) &&
    (rule.vm === null || rule.vm === vm) &&
    (rule.service === null || rule.service === labels.service) &&
    (rule.role === null || rule.role === labels.role)
  );
}

/** Per cent: 60 while booting, then 5 to 15 by VM, in slow waves. */
function idleCpu(domain: DomainRecord, now: number): number {
  if (domain.boots_at > now) return 60;
  const own = chance('cpu', domain.vm);
  return 5 + 10 * own + 2 * Math.sin(2 * Math.PI * (now / tenMinutes + own));
}

/** Per cent: climbs for a minute after the boot to 30 to 45 by VM. */
function idleMemory(domain: DomainRecord, now: number): number {
  const age = Math.max(0, now - domain.boots_at);
  return 20 + (10 + 15 * chance('memory', domain.vm)) * Math.min(1, age / 60_000);
}

/** Bytes since the boot: 1 to 5 KB a second, by VM. */
const traffic = (what: CounterName, domain: DomainRecord, now: number): number =>
  Math.round(Math.max(0, now - domain.boots_at) * (1 + 4 * chance(what, domain.vm)));

/** Reads or writes of as many bytes, 4 KB each. */
const accesses =
  (of: CounterName) =>
  (_what: CounterName, domain: DomainRecord, now: number): number =>
    Math.ceil(traffic(of, domain, now) / 4_096);

const counted: Readonly<Record<CounterName, typeof traffic>> = {
  ...eachCounter(() => traffic),
  diskrdiops: accesses('diskrdbytes'),
  diskwriops: accesses('diskwrbytes'),
};
