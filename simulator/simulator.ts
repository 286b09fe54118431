import {
  type AdoptAnswer,
  type AdoptCall,
  type CallName,
  type CallOutcome,
  type ChangeCall,
  type DeployAnswer,
  type DeployCall,
  type DestroyAnswer,
  type DestroyCall,
  JournalEntry,
  type JournalPage,
  type JournalQuery,
  type MoveCall,
  type ProbeAnswer,
  type ProbeCall,
  type SnapshotCall,
  type SwitchAnswer,
  type SwitchCall,
} from '../schemas/hosts/simulator.js';
import { Changes } from './changes.js';
import {
  type Decision,
  decideAdopt,
  decideChange,
  decideDeploy,
  decideDestroy,
  decideDisown,
  decideMove,
  decidePoweroff,
  decideReboot,
  decideResume,
  decideSnapshot,
  decideSuspend,
} from './decide.js';
import { type Injected, injected } from './injected.js';
import { reportOf } from './metrics.js';
import { RecordLog } from './record-log.js';
import { apply, type NewRecord } from './records.js';
import { Refusal } from './refusal.js';
import {
  domainsOn,
  downOf,
  emptyState,
  type HostRecord,
  type Machine,
  parseSnapshot,
  type State,
  snapshotOf,
  tenantOf,
} from './state.js';

/**
 * Simulated hosts and what is asked of them. Every change is decided in one turn of the event loop, logged, and answered
 * when it is on disk; waiting (for a boot, for a host that hangs) holds nothing, and looks again at whatever it wakes to.
 */
export class Simulator {
  state: State = emptyState();
  /** Probes by host since this process began: they change nothing, so they are counted and not journalled. */
  readonly probes = new Map<string, number>();
  readonly changes = new Changes();
  readonly #log: RecordLog;
  #stopping = false;

  constructor(directory: string, onLogFailure: (error: unknown) => void) {
    this.#log = RecordLog.open(
      directory,
      {
        load: (snapshot) => {
          this.state = parseSnapshot(snapshot);
        },
        apply: (record) => apply(this.state, record),
        snapshot: () => snapshotOf(this.state),
      },
      onLogFailure,
    );
  }

  async deploy(name: string, call: DeployCall, signal: AbortSignal): Promise<DeployAnswer> {
    const host = await this.#reach(name, call, signal);
    const moment = { now: Date.now(), settings: this.state.settings, deployId: `sim-${this.#log.next}` };
    await this.#carryOut(host, 'deploy', call, () => decideDeploy(host, call, moment));
    return this.#booted(host, call, signal);
  }

  async destroy(name: string, call: DestroyCall, signal: AbortSignal): Promise<DestroyAnswer> {
    const host = await this.#reach(name, call, signal);
    const moment = { now: Date.now(), settings: this.state.settings };
    const outcome = await this.#carryOut(host, 'destroy', call, () => decideDestroy(host, call, moment));
    for (;;) {
      const domain = host.domains.get(call.vm);
      const left = domain && domain.epoch <= call.epoch ? (domain.gone_at ?? 0) - Date.now() : 0;
      if (left <= 0) break;
      await this.changes.wait(name, call.vm, left, signal);
      await this.#answering(host, signal);
      if (host.faults.dead) throw noRoute(host);
    }
    return { outcome };
  }

  /** Answered when it does not run any more. */
  async poweroff(name: string, call: DestroyCall, signal: AbortSignal): Promise<SwitchAnswer> {
    const host = await this.#reach(name, call, signal);
    const moment = { now: Date.now(), settings: this.state.settings };
    const outcome = await this.#carryOut(host, 'poweroff', call, () => decidePoweroff(host, call, moment));
    for (;;) {
      const domain = host.domains.get(call.vm);
      const left = domain && domain.down === null ? (domain.stops_at ?? 0) - Date.now() : 0;
      if (left <= 0) return { outcome };
      await this.changes.wait(name, call.vm, left, signal);
      await this.#answering(host, signal);
      if (host.faults.dead) throw noRoute(host);
    }
  }

  async reboot(name: string, call: DestroyCall, signal: AbortSignal): Promise<SwitchAnswer> {
    const host = await this.#reach(name, call, signal);
    const moment = { now: Date.now(), settings: this.state.settings };
    return { outcome: await this.#carryOut(host, 'reboot', call, () => decideReboot(host, call, moment)) };
  }

  async suspend(name: string, call: SwitchCall, signal: AbortSignal): Promise<SwitchAnswer> {
    const host = await this.#reach(name, call, signal);
    return {
      outcome: await this.#carryOut(host, 'suspend', call, () => decideSuspend(host, call, { now: Date.now() })),
    };
  }

  async resume(name: string, call: SwitchCall, signal: AbortSignal): Promise<SwitchAnswer> {
    const host = await this.#reach(name, call, signal);
    return { outcome: await this.#carryOut(host, 'resume', call, () => decideResume(host, call, { now: Date.now() })) };
  }

  /** Answers what the domain does. */
  async adopt(name: string, call: AdoptCall, signal: AbortSignal): Promise<AdoptAnswer> {
    const host = await this.#reach(name, call, signal);
    const now = Date.now();
    const outcome = await this.#carryOut(host, 'adopt', call, () => decideAdopt(host, call, { now }));
    const domain = host.domains.get(call.vm);
    if (!domain) throw new Refusal('unavailable', `The domain of VM ${call.vm} on ${host.name} has just gone.`);
    return { outcome, state: reportOf(domain, host.machine, [], now).state };
  }

  async disown(name: string, call: SwitchCall, signal: AbortSignal): Promise<SwitchAnswer> {
    const host = await this.#reach(name, call, signal);
    return { outcome: await this.#carryOut(host, 'disown', call, () => decideDisown(host, call, { now: Date.now() })) };
  }

  /** A device of it is attached, detached or changed. */
  async change(verb: CallName, name: string, call: ChangeCall, signal: AbortSignal): Promise<SwitchAnswer> {
    const host = await this.#reach(name, call, signal);
    return { outcome: await this.#carryOut(host, verb, call, () => decideChange(host, call, { now: Date.now() })) };
  }

  async snapshot(verb: SnapshotCallName, name: string, call: SnapshotCall, signal: AbortSignal): Promise<SwitchAnswer> {
    const host = await this.#reach(name, call, signal);
    const decide = () => decideSnapshot(verb, host, call, { now: Date.now() });
    return { outcome: await this.#carryOut(host, verb, call, decide) };
  }

  /** One that runs by `migrate`, one that does not by `move`. Both hosts have to answer. */
  async move(verb: 'migrate' | 'move', name: string, call: MoveCall, signal: AbortSignal): Promise<SwitchAnswer> {
    const { name: to, ...total } = call.to;
    const target = await this.#reach(to, { ...call, host: total }, signal);
    const source = await this.#reach(name, call, signal);
    if (target.faults.dead) throw noRoute(target);
    const decide = () => decideMove({ source, target }, call, verb === 'migrate', { now: Date.now() });
    const outcome = await this.#carryOut(source, verb, call, decide, to);
    this.changes.vm(to, call.vm);
    return { outcome };
  }

  async probe(name: string, call: ProbeCall, signal: AbortSignal): Promise<ProbeAnswer> {
    const host = await this.#reach(name, call, signal);
    const nth = (this.probes.get(name) ?? 0) + 1;
    this.probes.set(name, nth);
    const fault = injected(host, 'probe', 0, nth);
    if (fault) throw new Refusal('unavailable', fault.detail);
    await this.#log.settled();
    const now = Date.now();
    const domains = domainsOn(host.machine, now).map((domain) => reportOf(domain, host.machine, this.state.rules, now));
    return { total: host.total, domains, uptime: now - host.machine.up_since };
  }

  /** Logs a change that a person or a test has asked for, and wakes the calls that it concerns. */
  async control(record: NewRecord): Promise<void> {
    const written = this.#log.append(record);
    if ('host' in record) this.changes.host(record.host);
    await written;
  }

  /** A host that is known already. Throws `not_found`. */
  host(name: string): Machine {
    const host = this.state.hosts.get(name);
    if (!host) throw new Refusal('not_found', `There is no host ${name}: PUT /hosts/${name} makes one.`);
    return host;
  }

  async journal({ after, limit, vm, host }: JournalQuery): Promise<JournalPage> {
    const items: JournalEntry[] = [];
    for await (const line of this.#log.lines(after)) {
      if (!line.includes('"kind":"call"') || (vm !== undefined && !line.includes(`"vm":${vm},`))) continue;
      const entry = JournalEntry.safeParse(JSON.parse(line));
      if (!entry.success || (vm !== undefined && entry.data.vm !== vm)) continue;
      if (host !== undefined && entry.data.host !== host) continue;
      if (items.length === limit) return { items, next_after: items.at(-1)?.n ?? null };
      items.push(entry.data);
    }
    return { items, next_after: null };
  }

  /** Calls that wait are answered `unavailable` from now on. */
  stop(): void {
    this.#stopping = true;
    this.changes.everything();
  }

  close(): void {
    this.#log.close();
  }

  /** The host, once its latency has passed and unless it hangs; made known or brought up to date on the way. */
  async #reach(name: string, { host: total, installation }: ProbeCall, signal: AbortSignal): Promise<HostRecord> {
    const known = this.state.hosts.get(name);
    if (known?.total.cpu !== total.cpu || known.total.memory !== total.memory) {
      await this.control({ kind: 'host', host: name, total: { cpu: total.cpu, memory: total.memory } });
    }
    const host = tenantOf(this.host(name), installation);
    const asked = Date.now();
    const left = (): number => asked + host.faults.latency_ms - Date.now();
    while (host.faults.latency_ms > 0 && left() > 0) {
      await this.changes.wait(name, null, left(), signal);
      this.#mayGoOn(signal);
    }
    return this.#answering(host, signal);
  }

  /** Waits while the host hangs. */
  async #answering(host: HostRecord, signal: AbortSignal): Promise<HostRecord> {
    this.#mayGoOn(signal);
    while (host.faults.hang) {
      await this.changes.wait(host.name, null, null, signal);
      this.#mayGoOn(signal);
    }
    return host;
  }

  #mayGoOn(signal: AbortSignal): void {
    if (this.#stopping) throw new Refusal('unavailable', 'The simulator is stopping.');
    signal.throwIfAborted();
  }

  /** Decides, journals and answers one call, or lets the fault have it that is due. */
  async #carryOut(
    host: HostRecord,
    call: CallName,
    { vm, domain, epoch, installation }: SwitchCall,
    decide: () => Decision,
    to?: string,
  ): Promise<CallOutcome> {
    const fault = injected(host, call, vm, (host.draws.get(vm) ?? 0) + 1);
    const decision = fault?.when === 'before' ? faulty(fault) : decide();
    const written = this.#log.append({
      kind: 'call',
      call,
      host: host.name,
      vm,
      domain,
      epoch,
      ...(installation !== undefined && { installation }),
      fault: fault?.fault ?? null,
      ...(to !== undefined && { to }),
      ...decision,
    });
    if (decision.set !== undefined) this.changes.vm(host.name, vm);
    await written;
    if (fault) throw new Refusal(fault.retryable ? 'unavailable' : 'refused', fault.detail);
    if (decision.detail !== null) {
      throw new Refusal(decision.outcome === 'refused_stale' ? 'stale_epoch' : 'refused', decision.detail);
    }
    return decision.outcome;
  }

  async #booted(host: HostRecord, { vm, epoch }: DeployCall, signal: AbortSignal): Promise<DeployAnswer> {
    const deployId = host.domains.get(vm)?.deploy_id;
    for (;;) {
      const domain = host.domains.get(vm);
      if (!domain || domain.deploy_id !== deployId || domain.epoch !== epoch || domain.gone_at !== null) {
        const seen = host.seen.get(vm) ?? 0;
        throw seen > epoch
          ? new Refusal('stale_epoch', `VM ${vm} on ${host.name} was taken by epoch ${seen} while it booted.`)
          : new Refusal('unavailable', `The domain of VM ${vm} on ${host.name} was removed while it booted.`);
      }
      if (host.faults.dead) throw noRoute(host);
      const down = downOf(domain, Date.now());
      if (down !== null) {
        throw new Refusal('unavailable', `The guest of VM ${vm} on ${host.name} ${down} while it booted.`);
      }
      const left = domain.boots_at - Date.now();
      if (left <= 0) return { deploy_id: domain.deploy_id, epoch };
      await this.changes.wait(host.name, vm, left, signal);
      await this.#answering(host, signal);
    }
  }
}

type SnapshotCallName = Extract<CallName, 'snapshotCreate' | 'snapshotRevert' | 'snapshotDelete'>;

const faulty = ({ detail }: Injected): Decision => ({ outcome: 'fault', detail });

const noRoute = ({ name }: HostRecord): Refusal => new Refusal('unavailable', `No route to ${name}.`);
