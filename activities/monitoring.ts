import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Engine } from '../adapters/engine/port.js';
import type { DomainReport, Hypervisor } from '../adapters/hypervisor/port.js';
import { problemOf } from '../domain/problems.js';
import { isMissed, judgeSighting, type Sighted } from '../domain/sightings.js';
import { placeOf } from '../domain/stays.js';
import type { Host } from '../schemas/host.js';
import { allowance } from '../store/hosts.js';
import type { WatchedVm } from '../store/sightings.js';
import type { StepPorts } from './ports.js';

/** Hosts that one activity probes at most. */
export const hostsPerPoll = 50;
const probeTimeout = 4_000;
/** How long hosts that do not answer are asked again within one tick, and the pause between: together less than a tick. */
const insistence = { lasts: 12_000, pause: 1_000 };

type MonitoringPorts = Pick<StepPorts, 'store'> & {
  hypervisors: { of(host: Pick<Host, 'vm_mad'>): Pick<Hypervisor, 'probe'> };
  engine: Pick<Engine, 'signalPlacement'>;
};

export const monitoringActivities = ({ store, hypervisors, engine }: MonitoringPorts) => ({
  /** Ids of the hosts to monitor, in batches. */
  async hostsToMonitor(): Promise<number[][]> {
    const ids = (await store.hosts.all()).map((host) => host._id);
    const batches: number[][] = [];
    for (let at = 0; at < ids.length; at += hostsPerPoll) batches.push(ids.slice(at, at + hostsPerPoll));
    return batches;
  },

  /**
   * Probes hosts at once; MONITORED or ERROR with the reason. A host that became usable may take VMs that wait. While
   * any do, those that do not answer are asked again every second: a hypervisor that is started again is back in two, and
   * a deployment should not wait for the next tick. What the hosts say of their VMs is compared with what is written of
   * those at which nobody works.
   */
  async monitorHosts(ids: number[]): Promise<{ monitored: number; failed: number }> {
    const { cancellationSignal } = Context.current();
    const probe = async (host: Seen): Promise<Heard> => {
      const signal = AbortSignal.any([cancellationSignal, AbortSignal.timeout(probeTimeout)]);
      const target = { name: host.name, vm_mad: host.vm_mad, total: allowance(host) };
      try {
        return await hypervisors.of(target).probe(target, signal);
      } catch (error) {
        if (cancellationSignal.aborted) throw error;
        return { error: problemOf(error)?.message ?? `the probe took longer than ${probeTimeout / 1000} s` };
      }
    };
    const look = async (hosts: readonly Seen[]): Promise<Looked[]> => {
      const found = await Promise.all(
        hosts.map(async (host) => {
          const heard = await probe(host);
          const error = 'error' in heard ? heard.error : null;
          const same = error === null && host.state === 'MONITORED';
          return { host, heard, same, usable: !same && (await store.hosts.monitored(host._id, error)) };
        }),
      );
      await store.hosts.stillMonitored(found.flatMap(({ host, same }) => (same ? [host._id] : [])));
      if (found.some(({ usable }) => usable) && (await store.vms.anyWaiting())) await engine.signalPlacement();
      return found;
    };
    const hosts = await store.hosts.byIds(ids);
    const watched = await store.sightings.watched(
      hosts.map(({ _id }) => _id),
      hosts.flatMap(({ _id, state }) => (state === 'ERROR' ? [_id] : [])),
    );
    const first = await look(hosts);
    await compare(store, watched, first);
    let silent = silentOf(first);
    for (const until = performance.now() + insistence.lasts; silent.length > 0 && performance.now() < until; ) {
      await sleep(insistence.pause, undefined, { signal: cancellationSignal });
      if (await store.vms.anyWaiting()) silent = silentOf(await look(silent));
    }
    return { monitored: hosts.length - silent.length, failed: silent.length };
  },
});

type Seen = Omit<Host, 'vms'>;
type Heard = { domains: readonly DomainReport[] } | { error: string };
type Looked = { host: Seen; heard: Heard };

const silentOf = (looked: readonly Looked[]): Seen[] =>
  looked.flatMap(({ host, heard }): Seen[] => ('error' in heard ? [{ ...host, state: 'ERROR' }] : []));

/**
 * Writes what the hosts say of VMs at which nobody works. `watched` was read before the hosts were asked: a VM that is
 * still as it was then is what they speak of, and one that has changed since is left to the next tick.
 */
async function compare(store: StepPorts['store'], watched: readonly WatchedVm[], looked: readonly Looked[]) {
  const look = randomUUID();
  const sighted = new Map(looked.map(({ host, heard }) => [host._id, sightedOf(host, heard)]));
  const judged = watched.flatMap((vm) => {
    const host = sighted.get(placeOf(vm)?.hid ?? -1);
    const verdict = host ? judgeSighting(vm, host) : null;
    return verdict === null ? [] : [{ vm, verdict }];
  });
  const down = ['stopped', 'failed'];
  const there = new Set(
    looked.flatMap(({ heard }) =>
      'error' in heard ? [] : heard.domains.flatMap(({ vm, state }) => (down.includes(state) ? [] : [vm])),
    ),
  );
  const known = new Set(watched.map(({ _id }) => _id));
  const suspects = (await store.sightings.runningOn([...sighted.keys()])).filter(
    (id) => !there.has(id) && !known.has(id),
  );
  const missed = suspects.length === 0 ? [] : await store.sightings.stillRunning(suspects);
  await store.sightings.miss(
    missed.filter((vm) => {
      const host = sighted.get(placeOf(vm)?.hid ?? -1);
      return host !== undefined && isMissed(vm, host);
    }),
    look,
  );
  await store.health.refresh(await store.sightings.record(judged, look));
}

function sightedOf({ name, state }: Seen, heard: Heard): Sighted {
  if ('error' in heard) return { name, error: heard.error, was: state };
  return { name, domains: new Map(heard.domains.map((domain) => [domain.vm, domain])) };
}
