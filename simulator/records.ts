import { z } from 'zod';
import { Capacity } from '../schemas/common/capacity.js';
import { ObjectId } from '../schemas/common/common.js';
import { JournalEntry, LoadRule, PutDomainState, PutFaults, SimulatorSettings } from '../schemas/hosts/simulator.js';
import { DomainRecord, type HostRecord, type Machine, newMachine, present, type State, tenantOf } from './state.js';

const Numbered = z.object({ n: z.int(), time: z.iso.datetime() });

/**
 * A call with what it did: `set` is the domain of the VM afterwards, null where it is gone, absent where nothing changed; `moved` the one
 * on the host that took it; `taken`: from whom it was adopted; `back`: as it is whose it was before.
 */
export const CallRecord = JournalEntry.extend({
  kind: z.literal('call'),
  set: DomainRecord.nullable().optional(),
  moved: DomainRecord.optional(),
  taken: z.object({ installation: z.string(), vm: ObjectId }).optional(),
  back: DomainRecord.optional(),
});
export type CallRecord = z.infer<typeof CallRecord>;

/**
 * Everything that changes the state, one line of the log each. A record holds what was decided, never what has to be
 * decided again: replay gives the same state under any later version of the rules.
 */
export const LogRecord = z.discriminatedUnion('kind', [
  CallRecord,
  Numbered.extend({ kind: z.literal('host'), host: z.string(), total: Capacity }),
  Numbered.extend({ kind: z.literal('faults'), host: z.string(), faults: PutFaults }),
  Numbered.extend({
    kind: z.literal('domain'),
    host: z.string(),
    vm: ObjectId,
    state: PutDomainState.shape.state,
  }),
  Numbered.extend({ kind: z.literal('settings'), settings: SimulatorSettings }),
  Numbered.extend({ kind: z.literal('load'), rules: z.array(LoadRule) }),
]);
export type LogRecord = z.infer<typeof LogRecord>;

type Unnumbered<R> = R extends LogRecord ? Omit<R, 'n' | 'time'> : never;
/** A record before the log gives it its number and time. */
export type NewRecord = Unnumbered<LogRecord>;

/** Changes the state as the record says. */
export function apply(state: State, record: LogRecord): void {
  switch (record.kind) {
    case 'settings':
      state.settings = record.settings;
      return;
    case 'load':
      state.rules = record.rules;
      return;
    case 'host': {
      const host = state.hosts.get(record.host);
      if (host) host.total = record.total;
      else state.hosts.set(record.host, newMachine(record.host, record.total));
      return;
    }
    default: {
      const host = state.hosts.get(record.host);
      if (!host) throw new Error(`record ${record.n} is about the host ${record.host}, which no record before it made`);
      const now = Date.parse(record.time);
      if (record.kind === 'call') applyCall(state, tenantOf(host, record.installation), record);
      else if (record.kind === 'faults') applyFaults(host, record.faults, now);
      else for (const tenant of host.tenants.values()) applyDomainState(tenant, record.vm, record.state, now);
    }
  }
}

function applyCall(state: State, host: HostRecord, record: CallRecord): void {
  host.draws.set(record.vm, (host.draws.get(record.vm) ?? 0) + 1);
  const error = host.faults.deploy_error;
  if (record.fault === 'deploy_error' && error?.times !== undefined) {
    const deploy_error = error.times > 1 ? { ...error, times: error.times - 1 } : null;
    host.machine.faults = { ...host.faults, deploy_error };
  }
  if (record.outcome === 'fault' || record.outcome === 'refused_stale') return;
  host.seen.set(record.vm, Math.max(record.epoch, host.seen.get(record.vm) ?? 0));
  if (record.set) host.domains.set(record.vm, record.set);
  else if (record.set === null) host.domains.delete(record.vm);
  const { taken, back } = record;
  if (taken) tenantOf(host.machine, taken.installation).domains.delete(taken.vm);
  if (back) tenantOf(host.machine, back.installation).domains.set(back.vm, back);
  const machine = record.to === undefined ? undefined : state.hosts.get(record.to);
  if (!machine) return;
  const target = tenantOf(machine, record.installation);
  target.seen.set(record.vm, Math.max(record.epoch, target.seen.get(record.vm) ?? 0));
  if (record.moved) target.domains.set(record.vm, record.moved);
}

function applyFaults(machine: Machine, { revive, lose, ...faults }: PutFaults, now: number): void {
  const dies = faults.dead && !machine.faults.dead;
  if (machine.faults.dead && !faults.dead) machine.up_since = now;
  const revives = machine.faults.dead && !faults.dead && revive === 'running';
  for (const { domains, draws } of machine.tenants.values()) {
    for (const vm of lose) domains.delete(vm);
    for (const domain of domains.values()) {
      if (dies && domain.gone_at !== null) domains.delete(domain.vm);
      else if (dies && domain.down === null) domains.set(domain.vm, { ...domain, down: 'stopped', stops_at: null });
      else if (revives) domains.set(domain.vm, { ...domain, down: null, stops_at: null, boots_at: now });
    }
    draws.clear();
  }
  machine.faults = faults;
}

function applyDomainState(host: HostRecord, vm: number, state: 'running' | 'stopped' | 'failed', now: number): void {
  const domain = present(host, vm, now);
  if (domain) {
    host.domains.set(vm, {
      ...domain,
      down: state === 'running' ? null : state,
      stops_at: null,
      boots_at: state === 'running' ? now : domain.boots_at,
    });
  }
}
