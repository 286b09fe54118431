import type {
  AdoptCall,
  CallOutcome,
  ChangeCall,
  DeployCall,
  DestroyCall,
  MoveCall,
  SimulatorSettings,
  SnapshotCall,
  SwitchCall,
} from '../schemas/hosts/simulator.js';
import { spanOf } from './chance.js';
import { changedDevices } from './devices.js';
import { type DomainRecord, domainsOn, downOf, type HostRecord, holderOfName, present, usedCapacity } from './state.js';

/** What a call comes to, decided at one moment from what the host holds then. Outcomes `refused_…` do nothing else. */
export type Decision = {
  outcome: CallOutcome;
  /** A sentence, for refusals. */
  detail: string | null;
  /** The VM's domain afterwards; null: none; undefined: as before. */
  set?: DomainRecord | null;
  /** The domain as the other host has it from then on. */
  moved?: DomainRecord;
  /** Whose the domain was that this VM has adopted. */
  taken?: { installation: string; vm: number };
  /** The domain as whose it was has it again. */
  back?: DomainRecord;
};

export type Moment = { now: number; settings: SimulatorSettings; deployId: string };

/** Deploys fenced by epoch, as `Hypervisor.deploy` promises. */
export function decideDeploy(host: HostRecord, call: DeployCall, moment: Moment): Decision {
  const seen = host.seen.get(call.vm) ?? 0;
  if (call.epoch < seen) {
    return refusal('refused_stale', `VM ${call.vm} on ${host.name} has seen epoch ${seen}; ${call.epoch} is older.`);
  }
  const owner = holderOfName(host, call.domain, call.vm, moment.now);
  if (owner !== undefined) {
    return refusal('refused_duplicate', `${host.name} has a domain ${call.domain} already: that of VM ${owner.vm}.`);
  }
  const domain = present(host, call.vm, moment.now);
  const isIts = domain?.gone_at === null && (domain.epoch === call.epoch || call.adopted === true);
  const same = isIts ? { ...domain, epoch: call.epoch } : undefined;
  if (call.adopted && !same)
    return refusal(
      'refused_state',
      `${host.name} has no domain of VM ${call.vm} any more, and none is made in place of one that was imported.`,
    );
  const down = domain ? downOf(domain, moment.now) : null;
  if (same && down === null)
    return { outcome: 'exists', detail: null, ...(domain?.epoch !== call.epoch && { set: same }) };

  const shortage = shortageOf(host, call, domain, moment.now);
  if (shortage) return { ...refusal('refused_capacity', shortage), ...(domain && !same ? { set: null } : {}) };
  const boots_at = moment.now + bootTime(host.name, call, moment.settings);
  if (same)
    return { outcome: 'started', detail: null, set: { ...same, ...noSnapshots, down: null, stops_at: null, boots_at } };
  return {
    outcome: domain ? 'replaced' : 'created',
    detail: null,
    set: {
      installation: call.installation ?? '',
      vm: call.vm,
      domain: call.domain,
      deploy_id: moment.deployId,
      epoch: call.epoch,
      capacity: call.capacity,
      labels: call.labels,
      boots_at,
      gone_at: null,
      down: null,
      stops_at: null,
      rebooted: null,
      devices: call.devices ?? { nics: [], disks: [] },
      ...{ snapshots: [], reverted: null },
    },
  };
}

/** A hard destroy takes effect at once, the other when the guest has shut down; one that is down needs no shutdown. */
export function decideDestroy(host: HostRecord, call: DestroyCall, moment: Omit<Moment, 'deployId'>): Decision {
  const { domain, late } = switched(host, call, moment.now);
  if (late) return late;
  if (!domain) return { outcome: 'absent', detail: null, set: null };
  const booting = domain.boots_at > moment.now;
  const time =
    call.hard || booting || downOf(domain, moment.now) !== null ? 0 : shutdownTime(host.name, domain, moment.settings);
  const outcome = domain.gone_at === null ? 'destroyed' : 'leaving';
  if (time === 0) return { outcome, detail: null, set: null };
  return { outcome, detail: null, set: { ...domain, gone_at: domain.gone_at ?? moment.now + time } };
}

/** Hard: at once; else when the guest has shut down. One that is not there does not run either. */
export function decidePoweroff(host: HostRecord, call: DestroyCall, moment: Omit<Moment, 'deployId'>): Decision {
  const { domain, late } = switched(host, call, moment.now);
  if (late) return late;
  if (!domain) return { outcome: 'absent', detail: null };
  if (downOf(domain, moment.now) !== null) return { outcome: 'exists', detail: null };
  const booting = domain.boots_at > moment.now;
  const time = call.hard || booting ? 0 : shutdownTime(host.name, domain, moment.settings);
  if (time === 0)
    return { outcome: 'stopped', detail: null, set: { ...domain, ...noSnapshots, down: 'stopped', stops_at: null } };
  if (domain.stops_at !== null) return { outcome: 'stopping', detail: null };
  return { outcome: 'stopped', detail: null, set: { ...domain, ...noSnapshots, stops_at: moment.now + time } };
}

/** Once for each epoch: its guest begins anew, in the same domain. */
export function decideReboot(host: HostRecord, call: DestroyCall, moment: Omit<Moment, 'deployId'>): Decision {
  const { domain, late } = switched(host, call, moment.now);
  if (late) return late;
  if (!domain || downOf(domain, moment.now) !== null) return notUp(host, call, domain, 'rebooted', moment.now);
  if (domain.rebooted === call.epoch) return { outcome: 'exists', detail: null };
  const boot = { labels: domain.labels, vm: call.vm, epoch: call.epoch };
  const boots_at = moment.now + bootTime(host.name, boot, moment.settings);
  return { outcome: 'rebooted', detail: null, set: { ...domain, boots_at, rebooted: call.epoch } };
}

/** What a guest has in memory is kept on its host. */
export function decideSuspend(host: HostRecord, call: SwitchCall, { now }: Pick<Moment, 'now'>): Decision {
  const { domain, late } = switched(host, call, now);
  if (late) return late;
  const down = domain ? downOf(domain, now) : null;
  if (down === 'suspended') return { outcome: 'exists', detail: null };
  if (!domain || down !== null) return notUp(host, call, domain, 'suspended', now);
  return { outcome: 'suspended', detail: null, set: { ...domain, ...noSnapshots, down: 'suspended', stops_at: null } };
}

/** Goes on from what was kept. */
export function decideResume(host: HostRecord, call: SwitchCall, { now }: Pick<Moment, 'now'>): Decision {
  const { domain, late } = switched(host, call, now);
  if (late) return late;
  const down = domain ? downOf(domain, now) : null;
  if (domain && down === null) return { outcome: 'exists', detail: null };
  if (!domain || down !== 'suspended')
    return refusal('refused_state', `${host.name} has nothing saved of VM ${call.vm} to resume it from.`);
  const shortage = shortageOf(host, { domain: call.domain, capacity: domain.capacity }, domain, now);
  if (shortage) return refusal('refused_capacity', shortage);
  return { outcome: 'resumed', detail: null, set: { ...domain, down: null, boots_at: now } };
}

/**
 * From one host to another at one moment: one that runs by `migrate`, one that does not by `move`, with what is saved of it. Of one
 * that is powered off nothing need be there.
 */
export function decideMove(
  { source, target }: { source: HostRecord; target: HostRecord },
  call: MoveCall,
  live: boolean,
  { now }: Pick<Moment, 'now'>,
): Decision {
  const { domain, late } = switched(source, call, now);
  const there = switched(target, call, now);
  if (late ?? there.late) return late ?? refusal('refused_stale', there.late?.detail ?? '');
  const deed = live ? 'migrated' : 'moved';
  if (!domain) {
    const arrived = there.domain && (downOf(there.domain, now) === null) === live;
    if (arrived) return { outcome: 'exists', detail: null };
    return live || there.domain ? notUp(source, call, undefined, deed, now) : { outcome: 'absent', detail: null };
  }
  if (live && downOf(domain, now) !== null) return notUp(source, call, domain, deed, now);
  if (!live && downOf(domain, now) === null)
    return refusal('refused_state', `VM ${call.vm} runs on ${source.name}: it cannot be ${deed} as it is.`);
  const owner = holderOfName(target, call.domain, call.vm, now);
  if (owner !== undefined)
    return refusal('refused_duplicate', `${target.name} has a domain ${call.domain} already: that of VM ${owner.vm}.`);
  const shortage = live ? shortageOf(target, { ...call, capacity: domain.capacity }, there.domain, now) : null;
  if (shortage) return refusal('refused_capacity', shortage);
  return { outcome: 'moved', detail: null, set: null, moved: { ...domain, ...noSnapshots, epoch: call.epoch } };
}

const noSnapshots: Pick<DomainRecord, 'snapshots' | 'reverted'> = { snapshots: [], reverted: null };

/** What a domain that runs is at this moment is kept, is what it goes on from, or is kept no more. */
export function decideSnapshot(
  verb: 'snapshotCreate' | 'snapshotRevert' | 'snapshotDelete',
  host: HostRecord,
  call: SnapshotCall,
  { now }: Pick<Moment, 'now'>,
): Decision {
  const { domain, late } = switched(host, call, now);
  if (late) return late;
  const { id, name } = call.snapshot;
  const kept = domain?.snapshots.find((one) => one.id === id);
  if (verb === 'snapshotDelete' && !kept) return { outcome: 'absent', detail: null };
  if (!domain || downOf(domain, now) !== null)
    return notUp(host, call, domain, 'kept, nor what was kept of it found', now);
  const others = domain.snapshots.filter((one) => one.id !== id);
  switch (verb) {
    case 'snapshotCreate': {
      if (kept?.epoch === call.epoch) return { outcome: 'exists', detail: null };
      return {
        outcome: 'kept',
        detail: null,
        set: { ...domain, snapshots: [...others, { id, name, epoch: call.epoch }] },
      };
    }
    case 'snapshotRevert':
      if (!kept) return refusal('refused_state', `${host.name} has no snapshot ${id} of VM ${call.vm}.`);
      if (domain.reverted === call.epoch) return { outcome: 'exists', detail: null };
      return { outcome: 'reverted', detail: null, set: { ...domain, boots_at: now, reverted: call.epoch } };
    case 'snapshotDelete':
      return { outcome: 'dropped', detail: null, set: { ...domain, snapshots: others } };
  }
}

/** Once for each device; a revert once for each epoch. Of a VM that has no domain there is nothing to change. */
export function decideChange(host: HostRecord, call: ChangeCall, { now }: Pick<Moment, 'now'>): Decision {
  const { domain, late } = switched(host, call, now);
  if (late) return late;
  if (!domain) return { outcome: 'absent', detail: null };
  const isDown = downOf(domain, now) !== null;
  if (call.change.action === 'disk-snapshot-revert' && !isDown)
    return refusal('refused_state', `VM ${call.vm} runs on ${host.name}: its disks cannot be reverted.`);
  const devices = changedDevices(domain.devices, call.change, call.epoch);
  if (devices === 'as it is') return { outcome: 'exists', detail: null };
  if (devices === 'not there')
    return refusal('refused_state', `VM ${call.vm} on ${host.name} has not the disk or the snapshot that is named.`);
  return { outcome: 'changed', detail: null, set: { ...domain, devices } };
}

/** Somebody else's domain becomes this VM's, as it is and under its own name: once, for whoever comes first. */
export function decideAdopt(host: HostRecord, call: AdoptCall, { now }: Pick<Moment, 'now'>): Decision {
  const { domain: own, late } = switched(host, call, now);
  if (late) return late;
  if (own && own.deploy_id !== call.deploy_id)
    return refusal('refused_duplicate', `VM ${call.vm} has another domain on ${host.name}: ${own.deploy_id}.`);
  const { installation = '', vm, epoch } = call;
  if (own) return { outcome: 'exists', detail: null, set: { ...own, epoch } };
  const found = domainsOn(host.machine, now).find(({ deploy_id }) => deploy_id === call.deploy_id);
  if (!found) return refusal('refused_state', `${host.name} has no domain ${call.deploy_id} any more.`);
  if (found.installation === installation)
    return refusal('refused_state', `Domain ${call.deploy_id} on ${host.name} is that of VM ${found.vm} already.`);
  if (found.installation !== (call.from ?? ''))
    return refusal(
      'refused_state',
      `Domain ${call.deploy_id} on ${host.name} is not whose it was when it was seen: somebody else has taken it.`,
    );
  if (found.gone_at !== null || downOf(found, now) === 'failed')
    return refusal('refused_state', `Domain ${call.deploy_id} on ${host.name} neither runs nor waits to be started.`);
  const { installation: whose, vm: of, epoch: under, labels, devices, snapshots } = found;
  return {
    ...{ outcome: 'adopted', detail: null, taken: { installation: whose, vm: of } },
    set: {
      ...{ ...found, installation, vm, epoch, labels: { vm }, rebooted: null },
      ...{ devices: { nics: [], disks: [] }, snapshots: [], reverted: null },
      adopted: { installation: whose, vm: of, epoch: under, labels, devices, snapshots },
    },
  };
}

/** An adopted domain is again whose it was, as it is; of one that was made for its VM nothing is given away. */
export function decideDisown(host: HostRecord, call: SwitchCall, { now }: Pick<Moment, 'now'>): Decision {
  const { domain, late } = switched(host, call, now);
  if (late) return late;
  if (!domain) return { outcome: 'absent', detail: null };
  const { adopted, ...rest } = domain;
  if (!adopted)
    return refusal('refused_state', `The domain of VM ${call.vm} on ${host.name} was made for it, and not adopted.`);
  return { outcome: 'disowned', detail: null, set: null, back: { ...rest, ...adopted } };
}

/** The domain that a call switches; `late`: the host has heard of a newer epoch. */
function switched(
  host: HostRecord,
  call: SwitchCall,
  now: number,
): { domain: DomainRecord | undefined; late: Decision | null } {
  const seen = host.seen.get(call.vm) ?? 0;
  const domain = present(host, call.vm, now);
  const late =
    call.epoch < seen
      ? refusal('refused_stale', `VM ${call.vm} on ${host.name} has seen epoch ${seen}; ${call.epoch} is older.`)
      : null;
  return { domain, late };
}

function notUp(
  host: HostRecord,
  { vm }: SwitchCall,
  domain: DomainRecord | undefined,
  deed: string,
  now: number,
): Decision {
  const is = domain ? `is ${downOf(domain, now)} on ${host.name}` : `is not on ${host.name}`;
  return refusal('refused_state', `VM ${vm} ${is}: it cannot be ${deed}.`);
}

const refusal = (outcome: CallOutcome, detail: string): Decision => ({ outcome, detail });

/** The sentence that says what the host lacks for this VM, as if its present domain were gone; null when it fits. */
function shortageOf(
  host: HostRecord,
  call: Pick<DeployCall, 'domain' | 'capacity'>,
  replaced: DomainRecord | undefined,
  now: number,
): string | null {
  const used = usedCapacity(host.machine, now);
  const back = replaced && downOf(replaced, now) === null ? replaced.capacity : { cpu: 0, memory: 0 };
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

function bootTime(
  host: string,
  call: Pick<DeployCall, 'labels' | 'vm' | 'epoch'>,
  settings: SimulatorSettings,
): number {
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
