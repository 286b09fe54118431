import type { CallOutcome, DeployCall, DestroyCall, SimulatorSettings } from '../schemas/hosts/simulator.js';
import { spanOf } from './chance.js';
import { type DomainRecord, type HostRecord, ownerOfName, present, usedCapacity } from './state.js';

/** What a call comes to, decided at one moment from what the host holds then. Outcomes `refused_…` do nothing else. */
export type Decision = {
  outcome: CallOutcome;
  /** A sentence, for refusals. */
  detail: string | null;
  /** The VM's domain afterwards; null: none; undefined: as before. */
  set?: DomainRecord | null;
};

export type Moment = { now: number; settings: SimulatorSettings; deployId: string };

/** Deploys fenced by epoch, as `Hypervisor.deploy` promises. */
export function decideDeploy(host: HostRecord, call: DeployCall, moment: Moment): Decision {
  const seen = host.seen.get(call.vm) ?? 0;
  if (call.epoch < seen) {
    return refusal('refused_stale', `VM ${call.vm} on ${host.name} has seen epoch ${seen}; ${call.epoch} is older.`);
  }
  const owner = ownerOfName(host, call.domain, call.vm, moment.now);
  if (owner !== undefined) {
    return refusal('refused_duplicate', `${host.name} has a domain ${call.domain} already: that of VM ${owner}.`);
  }
  const domain = present(host, call.vm, moment.now);
  const same = domain !== undefined && domain.epoch === call.epoch && domain.gone_at === null ? domain : undefined;
  if (same && same.down === null) return { outcome: 'exists', detail: null };

  const shortage = shortageOf(host, call, domain, moment.now);
  if (shortage) return { ...refusal('refused_capacity', shortage), ...(domain && !same ? { set: null } : {}) };
  const boots_at = moment.now + bootTime(host.name, call, moment.settings);
  if (same) return { outcome: 'started', detail: null, set: { ...same, down: null, boots_at } };
  return {
    outcome: domain ? 'replaced' : 'created',
    detail: null,
    set: {
      vm: call.vm,
      domain: call.domain,
      deploy_id: moment.deployId,
      epoch: call.epoch,
      capacity: call.capacity,
      labels: call.labels,
      boots_at,
      gone_at: null,
      down: null,
    },
  };
}

/** A hard destroy takes effect at once, the other when the guest has shut down; one that is down needs no shutdown. */
export function decideDestroy(host: HostRecord, call: DestroyCall, moment: Omit<Moment, 'deployId'>): Decision {
  const domain = present(host, call.vm, moment.now);
  if (!domain) return { outcome: 'absent', detail: null, set: null };
  if (domain.epoch > call.epoch) {
    return refusal(
      'refused_stale',
      `The domain of VM ${call.vm} on ${host.name} is of epoch ${domain.epoch}; epoch ${call.epoch} may not destroy it.`,
    );
  }
  const booting = domain.boots_at > moment.now;
  const time = call.hard || booting || domain.down !== null ? 0 : shutdownTime(host.name, domain, moment.settings);
  const outcome = domain.gone_at === null ? 'destroyed' : 'leaving';
  if (time === 0) return { outcome, detail: null, set: null };
  return { outcome, detail: null, set: { ...domain, gone_at: domain.gone_at ?? moment.now + time } };
}

const refusal = (outcome: CallOutcome, detail: string): Decision => ({ outcome, detail });

/** The sentence that says what the host lacks for this VM, as if its present domain were gone; null when it fits. */
function shortageOf(
  host: HostRecord,
  call: DeployCall,
  replaced: DomainRecord | undefined,
  now: number,
): string | null {
  const used = usedCapacity(host, now);
  const back = replaced && replaced.down === null ? replaced.capacity : { cpu: 0, memory: 0 };
  const free = {
    cpu: host.total.cpu - used.cpu + back.cpu,
    memory: host.total.memory - used.memory + back.memory,
  };
  if (call.capacity.memory > free.memory) {
    return `Cannot allocate ${call.capacity.memory} MB for ${call.domain}: ${host.name} has ${free.memory} MB free.`;
  }
  if (call.capacity.cpu > free.cpu) {
    return `Cannot give ${call.capacity.cpu / 100} cores to ${call.domain}: ${host.name} has ${free.cpu / 100} free.`;
  }
  return null;
}

function bootTime(host: string, call: DeployCall, settings: SimulatorSettings): number {
  const span =
    timing(settings.roles, call.labels.role)?.boot_ms ?? timing(settings.hosts, host)?.boot_ms ?? settings.boot_ms;
  return spanOf(span, settings.seed, 'boot', call.vm, call.epoch);
}

function shutdownTime(host: string, domain: DomainRecord, settings: SimulatorSettings): number {
  const span =
    timing(settings.roles, domain.labels.role)?.shutdown_ms ??
    timing(settings.hosts, host)?.shutdown_ms ??
    settings.shutdown_ms;
  return spanOf(span, settings.seed, 'shutdown', domain.vm, domain.epoch);
}

const timing = (times: SimulatorSettings['hosts'], name: string | undefined) =>
  name !== undefined && Object.hasOwn(times, name) ? times[name] : undefined;
