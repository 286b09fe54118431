import { ownName } from '../../adapters/hypervisor/own-name.js';
import type {
  AdoptTarget,
  DestroyTarget,
  DeviceTarget,
  Domain,
  DomainReport,
  HostReport,
  HostTarget,
  Hypervisor,
  MoveTarget,
  PlacedVm,
  SnapshotTarget,
  StoredVm,
  SwitchTarget,
} from '../../adapters/hypervisor/port.js';
import { nothingSaved, reportFor, storage } from '../../adapters/hypervisor/simulated/simulated.js';
import { Problem } from '../../domain/problems.js';
import { type DeviceCall, type VmCall, vmCalls } from '../../domain/vms/vm-verbs.js';
import type { DomainState } from '../../schemas/hosts/domain-state.js';
import type { CallName, CallOutcome, SwitchCall } from '../../schemas/hosts/simulator.js';
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
  type Moment,
} from '../../simulator/decide.js';
import { reportOf } from '../../simulator/metrics.js';
import { apply } from '../../simulator/records.js';
import {
  type DomainRecord,
  domainsOn,
  emptyState,
  type HostRecord,
  newMachine,
  present,
  presentDomains,
  type State,
  tenantOf,
} from '../../simulator/state.js';

/** What is kept away from hosts is on one of the simulator’s own: there it is moves and destroys. */
const recordedAs = (call: VmCall): CallName =>
  call === 'discard' ? 'destroy' : call === 'store' || call === 'fetch' ? 'move' : call;

/** A call as it came in: `n` counts deploys and destroys from 1; a probe has the number of the last of them. */
export type MemoryCall = {
  n: number;
  call: 'probe' | VmCall;
  host: string;
  vm: number | null;
  epoch: number | null;
};
/** A deploy or destroy as it went. `outcome` says what it did even where a failure hid that from its caller. */
export type MemoryEntry = MemoryCall & { outcome: CallOutcome; failure: Error | null };

type When = 'before' | 'after';
type Failure = { when: When; left: number; error: Error; meets(call: MemoryCall): boolean };
type Hook = (call: MemoryCall) => void | Promise<void>;

const outage = (): Problem => new Problem('backend_unavailable', 'an injected failure');

/**
 * A hypervisor in the memory of a test, for workflows: the decisions of the simulated one, no process, no network. Failures
 * meet a call before it does anything, or after its work, when only the answer is lost.
 */
export class MemoryHypervisor implements Hypervisor<'simulated'> {
  /** Every deploy and destroy, in the order in which they took effect. */
  readonly journal: MemoryEntry[] = [];
  /** Run before a call does anything; may wait, may throw. */
  beforeEach: Hook = () => {};
  /** Run when a call has done its work and before its answer. */
  afterEach: Hook = () => {};
  can = {
    ...{ deploy: true, destroy: true, poweroff: true, reboot: true },
    ...{ suspend: true, resume: true, migrate: true, move: true },
    ...{ adopt: true, disown: true },
    ...{ store: true, fetch: true, discard: true },
    ...{ attachNic: true, detachNic: true, attachDisk: true, detachDisk: true },
    ...{ resizeDisk: true, snapshotDisk: true, revertDisk: true, dropSnapshot: true },
    ...{ snapshotCreate: true, snapshotRevert: true, snapshotDelete: true },
  };
  bootMilliseconds = 0;
  /** What each VM was last made of. */
  readonly madeOf = new Map<number, PlacedVm['template']>();
  readonly #installation: string;
  readonly #state: State;
  readonly #failures: Failure[] = [];
  readonly #unreachable = new Set<string>();
  #calls = 0;
  #records = 0;

  /** For an installation; `beside`: on the hosts of another one. */
  constructor(installation = 'in-memory', beside?: MemoryHypervisor) {
    this.#installation = installation;
    this.#state = beside ? beside.#state : emptyState();
  }

  async look({ id, host }: SwitchTarget<'simulated'>, signal: AbortSignal): Promise<DomainReport | null> {
    return (await this.probe(host, signal)).domains.find(({ vm }) => vm === id) ?? null;
  }

  /** By host, VMs whose guests are seen to run, whether it answers or not; absent: nobody sees. */
  readonly seen = new Map<string, number[]>();
  async guestsSeen({ name }: HostTarget<'simulated'>): Promise<number[] | null> {
    return this.seen.get(name) ?? null;
  }

  async probe(target: HostTarget<'simulated'>, signal: AbortSignal): Promise<HostReport> {
    const call: MemoryCall = { n: this.#calls, call: 'probe', host: target.name, vm: null, epoch: null };
    const host = await this.#reach(target, call, signal);
    const now = Date.now();
    const domains = domainsOn(host.machine, now).map((domain) => reportOf(domain, host.machine, [], now));
    await this.afterEach(call);
    return { ...reportFor(this.#installation, domains), uptime: now - host.machine.up_since };
  }

  async deploy(placed: PlacedVm<'simulated'>, signal: AbortSignal): Promise<Domain> {
    const { id: vm, epoch, capacity, labels, devices, adopted } = placed;
    const domain = ownName(placed.domain, this.#installation);
    await this.#call('deploy', placed, signal, (host, now) => {
      const settings = { ...this.#state.settings, boot_ms: this.bootMilliseconds };
      const installation = this.#installation;
      const body = { installation, vm, domain, epoch, capacity, labels, devices, adopted, host: host.total };
      this.madeOf.set(vm, placed.template);
      return decideDeploy(host, body, { now, settings, deployId: `${this.#installation}-${vm}-${this.#records + 1}` });
    });
    return this.#booted(placed, signal);
  }

  async destroy(target: DestroyTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    const { id: vm, domain, epoch } = target;
    await this.#call('destroy', target, signal, (host, now) =>
      decideDestroy(host, { vm, domain, epoch, host: host.total, hard: true }, { now, settings: this.#state.settings }),
    );
  }

  async poweroff(target: DestroyTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    await this.#switch('poweroff', target, signal, (host, call, moment) =>
      decidePoweroff(host, { ...call, hard: true }, moment),
    );
  }

  async reboot(target: DestroyTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    await this.#switch('reboot', target, signal, (host, call, { now }) =>
      decideReboot(
        host,
        { ...call, hard: target.hard },
        { now, settings: { ...this.#state.settings, boot_ms: this.bootMilliseconds } },
      ),
    );
  }

  async suspend(target: SwitchTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    await this.#switch('suspend', target, signal, decideSuspend);
  }

  async resume(target: SwitchTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    await this.#switch('resume', target, signal, decideResume);
  }

  async snapshotCreate(target: SnapshotTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    await this.#snapshot('snapshotCreate', target, signal);
  }

  async snapshotRevert(target: SnapshotTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    await this.#snapshot('snapshotRevert', target, signal);
  }

  async snapshotDelete(target: SnapshotTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    await this.#snapshot('snapshotDelete', target, signal);
  }

  #snapshot(
    kind: 'snapshotCreate' | 'snapshotRevert' | 'snapshotDelete',
    target: SnapshotTarget<'simulated'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { snapshot } = target;
    return this.#switch(kind, target, signal, (host, call, moment) =>
      decideSnapshot(kind, host, { ...call, snapshot }, moment),
    );
  }

  migrate(target: MoveTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    return this.#move('migrate', target, signal);
  }

  move(target: MoveTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    return this.#move('move', target, signal);
  }

  async adopt(target: AdoptTarget<'simulated'>, signal: AbortSignal): Promise<DomainState> {
    const { deployId: deploy_id, from } = target;
    await this.#switch('adopt', target, signal, (host, call, moment) =>
      decideAdopt(host, { ...call, deploy_id, from }, moment),
    );
    const domain = present(this.#host(target.host), target.id, Date.now());
    if (!domain) throw outage();
    return reportOf(domain, this.#host(target.host).machine, [], Date.now()).state;
  }

  async disown(target: SwitchTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    await this.#switch('disown', target, signal, decideDisown);
  }

  store(target: SwitchTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    return this.#move('store', { ...target, to: storage }, signal);
  }

  fetch(target: SwitchTarget<'simulated'>, signal: AbortSignal): Promise<void> {
    return this.#move('fetch', { ...target, host: storage, to: target.host }, signal);
  }

  discard(target: StoredVm, signal: AbortSignal): Promise<void> {
    const { id: vm, domain, epoch } = target;
    return this.#call('discard', { ...target, host: storage }, signal, (host, now) =>
      decideDestroy(host, { vm, domain, epoch, host: host.total, hard: true }, { now, settings: this.#state.settings }),
    );
  }

  attachNic = this.#changes('attachNic');
  detachNic = this.#changes('detachNic');
  attachDisk = this.#changes('attachDisk');
  detachDisk = this.#changes('detachDisk');
  resizeDisk = this.#changes('resizeDisk');
  snapshotDisk = this.#changes('snapshotDisk');
  revertDisk = this.#changes('revertDisk');
  dropSnapshot = this.#changes('dropSnapshot');

  #changes(kind: DeviceCall) {
    return (target: DeviceTarget<'simulated'>, signal: AbortSignal): Promise<void> =>
      this.#switch(kind, target, signal, (host, call, moment) =>
        decideChange(host, { ...call, change: target.change }, moment),
      );
  }

  #move(
    kind: 'migrate' | 'move' | 'store' | 'fetch',
    target: MoveTarget<'simulated'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { id: vm, domain, epoch, to } = target;
    return this.#call(
      kind,
      target,
      signal,
      (source, now) => {
        const body = { vm, domain, epoch, host: source.total, to: { name: to.name, ...to.connection.total } };
        const decision = decideMove({ source, target: this.#host(to) }, body, kind === 'migrate', { now });
        const isLost = decision.outcome === 'absent' && (kind === 'store' || kind === 'fetch');
        return isLost ? { outcome: 'refused_state', detail: nothingSaved(target) } : decision;
      },
      to.name,
    );
  }

  #switch(
    kind: VmCall,
    target: SwitchTarget<'simulated'>,
    signal: AbortSignal,
    decide: (host: HostRecord, call: SwitchCall, moment: Omit<Moment, 'deployId'>) => Decision,
  ): Promise<void> {
    const { id: vm, domain, epoch } = target;
    return this.#call(kind, target, signal, (host, now) =>
      decide(
        host,
        { installation: this.#installation, vm, domain, epoch, host: host.total },
        { now, settings: this.#state.settings },
      ),
    );
  }

  /** The nth deploy or destroy from now on, counted from 1, fails once. */
  failOn(nth: number, { when = 'before', error = outage() }: { when?: When; error?: Error } = {}): void {
    const at = this.#calls + nth;
    this.#failures.push({ when, error, left: 1, meets: (call) => call.call !== 'probe' && call.n === at });
  }

  /** The next `times` calls of one kind for a VM fail; always, when no number is given. */
  failVm(
    vm: number,
    {
      call: kind = 'deploy',
      times = Number.POSITIVE_INFINITY,
      when = 'before',
      error = outage(),
    }: {
      call?: VmCall;
      times?: number;
      when?: When;
      error?: Error;
    } = {},
  ): void {
    this.#failures.push({ when, error, left: times, meets: (call) => call.call === kind && call.vm === vm });
  }

  /** Forgets the failures that were asked for; hosts that cannot be reached stay so. */
  mend(): void {
    this.#failures.length = 0;
  }

  /** Calls to the host fail until `reach`; its domains run on. */
  cutOff(host: string): void {
    this.#unreachable.add(host);
  }

  reach(host: string): void {
    this.#unreachable.delete(host);
  }

  /** It is started anew: what ran there does not any more. */
  startAnew(name: string): void {
    this.reach(name);
    for (const host of this.#hosts())
      if (host.name === name) {
        host.machine.up_since = Date.now();
        for (const vm of host.domains.keys()) this.bringDown(vm, 'stopped');
      }
  }

  isCutOff(host: string): boolean {
    return this.#unreachable.has(host);
  }

  /** The VM's domain vanishes from its host without a trace. */
  lose(vm: number): void {
    for (const host of this.#hosts()) host.domains.delete(vm);
  }

  /** The guest stops by itself, or crashes. */
  bringDown(vm: number, down: 'stopped' | 'failed'): void {
    for (const host of this.#hosts()) {
      const domain = host.domains.get(vm);
      if (domain) host.domains.set(vm, { ...domain, down });
    }
  }

  /** A guest that was down is started again by somebody else. */
  bringUp(vm: number): void {
    for (const host of this.#hosts()) {
      const domain = host.domains.get(vm);
      if (domain) host.domains.set(vm, { ...domain, down: null });
    }
  }

  /** Every domain there is, with its host. */
  domains(): (DomainRecord & { host: string })[] {
    const now = Date.now();
    return this.#hosts().flatMap((host) => presentDomains(host, now).map((domain) => ({ ...domain, host: host.name })));
  }

  /** How many times a domain was made for the VM. */
  timesMade(vm: number): number {
    return this.journal.filter((entry) => entry.vm === vm && /^(created|replaced)$/.test(entry.outcome)).length;
  }

  /** What is ours there. */
  #hosts(): HostRecord[] {
    return [...this.#state.hosts.values()].map((machine) => tenantOf(machine, this.#installation));
  }

  async #reach(target: HostTarget<'simulated'>, call: MemoryCall, signal: AbortSignal): Promise<HostRecord> {
    signal.throwIfAborted();
    await this.beforeEach(call);
    signal.throwIfAborted();
    if (this.#unreachable.has(target.name)) {
      throw new Problem('backend_unavailable', `${target.name} cannot be reached: it was cut off.`);
    }
    return this.#host(target);
  }

  #host(target: HostTarget<'simulated'>): HostRecord {
    const machine = this.#state.hosts.get(target.name) ?? newMachine(target.name, target.connection.total);
    machine.total = target.connection.total;
    this.#state.hosts.set(target.name, machine);
    return tenantOf(machine, this.#installation);
  }

  async #call(
    kind: VmCall,
    target: Pick<PlacedVm<'simulated'>, 'id' | 'domain' | 'epoch' | 'host'>,
    signal: AbortSignal,
    decide: (host: HostRecord, now: number) => Decision,
    to?: string,
  ): Promise<void> {
    const call: MemoryCall = {
      n: ++this.#calls,
      call: kind,
      host: target.host.name,
      vm: target.id,
      epoch: target.epoch,
    };
    const host = await this.#reach(target.host, call, signal);
    if (to !== undefined && this.#unreachable.has(to))
      throw new Problem('backend_unavailable', `${to} cannot be reached: it was cut off.`);
    const failure = this.#failures.find(({ left, meets }) => left > 0 && meets(call));
    if (failure) failure.left -= 1;
    const now = Date.now();
    const decision: Decision =
      failure?.when === 'before' ? { outcome: 'fault', detail: failure.error.message } : decide(host, now);
    apply(this.#state, {
      kind: 'call',
      n: ++this.#records,
      time: new Date(now).toISOString(),
      call: recordedAs(kind),
      host: host.name,
      vm: target.id,
      domain: target.domain,
      epoch: target.epoch,
      installation: this.#installation,
      fault: failure ? 'injected' : null,
      ...(to !== undefined && { to }),
      ...decision,
    });
    this.journal.push({ ...call, outcome: decision.outcome, failure: failure?.error ?? null });
    await this.afterEach(call);
    if (failure) throw failure.error;
    if (decision.detail === null) return;
    if (decision.outcome === 'refused_stale') throw new Problem('stale_epoch', decision.detail);
    throw new Problem(vmCalls[kind].refused, decision.detail);
  }

  async #booted({ id, epoch, host: { name } }: PlacedVm<'simulated'>, signal: AbortSignal): Promise<Domain> {
    for (;;) {
      const machine = this.#state.hosts.get(name);
      const host = machine && tenantOf(machine, this.#installation);
      const domain = host && present(host, id, Date.now());
      if (domain?.epoch !== epoch) {
        const stale = (host?.seen.get(id) ?? 0) > epoch;
        throw new Problem(stale ? 'stale_epoch' : 'backend_unavailable', `VM ${id} was removed while it booted.`);
      }
      if (domain.down !== null) throw new Problem('backend_unavailable', `VM ${id} ${domain.down} while it booted.`);
      const left = domain.boots_at - Date.now();
      if (left <= 0) return { deployId: domain.deploy_id, epoch };
      await new Promise((resolve) => setTimeout(resolve, Math.min(left, 10)));
      signal.throwIfAborted();
    }
  }
}
