import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context, log } from '@temporalio/activity';
import type { Engine } from '../../adapters/engine/port.js';
import { targetOf } from '../../adapters/hypervisor/host-target.js';
import type { HostReport, Hypervisor } from '../../adapters/hypervisor/port.js';
import type { Networks } from '../../adapters/network/port.js';
import { heardStates } from '../../domain/hosts/host-states.js';
import { type PollSettings, pollEvery } from '../../domain/hosts/polls.js';
import { isStartedAnew, isWorthNoting } from '../../domain/hosts/uptime.js';
import { portionsOf } from '../../domain/portions.js';
import { problemOf } from '../../domain/problems.js';
import { isLostAnew, isMissed, judgeSighting, type Sighted } from '../../domain/vms/sightings.js';
import { placeOf } from '../../domain/vms/stays.js';
import { isVmRunning } from '../../domain/vms/vm-states.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { Host } from '../../schemas/hosts/host.js';
import { eachMetric } from '../../schemas/hosts/metrics.js';
import type { Sample, VmSample } from '../../store/vms/metrics.js';
import type { WatchedVm } from '../../store/vms/sightings.js';
import { beginFailovers } from '../failover/begin-failovers.js';
import { beginRestarts, type DownVms } from '../failover/begin-restarts.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';
import { settleHost } from '../vms/settle-host.js';
import { clearHost } from './clear-host.js';
import { type Answered, lookForStrays } from './strays.js';

/** Hosts that one activity probes at most. */
export const hostsPerPoll = 50;
const probeTimeout = 4_000;
/** Who has answered by then is not kept waiting by who has not: what all of those have said is written at once, and what the others say later. */
const prompt = 1_000;
/**
 * Seconds from its beginning in which a poll asks hosts again that do not answer: with a last probe less than a tick, so that who
 * is silent has nobody else asked later. And the pause between, in milliseconds.
 */
const insistenceOf = (settings: PollSettings): number => Math.min(12, 0.6 * pollEvery(settings));
const pause = 1_000;
/** How many hosts are told at once what may pass, and how long each may take: what is left is for the next tick. */
const atOnce = 10;
const settleTimeout = 8_000;

type MonitoringPorts = Pick<StepPorts, 'store' | 'networks' | 'failOver' | 'restartDown'> & {
  settings?: Pick<StepPorts['settings'], 'insistence' | 'monitoringInterval'>;
  hypervisors: { of(host: Pick<Host, 'vm_mad'>): Pick<Hypervisor, 'probe' | 'destroy' | 'disown'> };
  engine: Engine;
};

export const monitoringActivities = ({
  store,
  hypervisors,
  networks,
  engine,
  settings,
  failOver,
  restartDown,
}: MonitoringPorts) => ({
  /** Ids of the hosts to monitor, in batches. */
  async hostsToMonitor(): Promise<number[][]> {
    const hosts = await store.hosts.all();
    return portionsOf(
      hosts.map(({ _id }) => _id),
      hostsPerPoll,
    );
  },

  /**
   * Probes hosts at once; MONITORED or ERROR with the reason. One that was not MONITORED is so only when it answers and has
   * nothing of before any more: what it still runs of VMs that are gone, replaced or elsewhere is removed first, and until
   * a look finds nothing of that it is INIT. A host that became usable may take VMs that wait. While any do, those that do
   * not answer are asked again every second, and those that are being cleared are in any case: a hypervisor that is started
   * again is back in two, and a deployment should not wait for the next tick. What the hosts say of their VMs is compared
   * with what is written of those at which nobody works; what they are and use is kept, and with it what the hosts have. None of that waits for a host that hangs.
   */
  async monitorHosts(ids: number[]): Promise<{ monitored: number; failed: number }> {
    const { cancellationSignal } = Context.current();
    const probe = async (host: Seen): Promise<Heard> => {
      const signal = abortedAfter(cancellationSignal, probeTimeout);
      const target = targetOf(host);
      try {
        return { ...(await hypervisors.of(target).probe(target, signal)), at: new Date() };
      } catch (error) {
        if (cancellationSignal.aborted) throw error;
        return { error: problemOf(error)?.message ?? `the probe took longer than ${probeTimeout / 1000} s` };
      }
    };
    const answeredBy = (host: Seen, report: HostReport): Answered => {
      const target = targetOf(host);
      return { host, target, hypervisor: hypervisors.of(target), report };
    };
    // A tick that somebody has asked for in between is no poll.
    const apart = pollEvery(settings ?? {}) * 500;
    const write = async (host: Seen, heard: Heard, polled: boolean): Promise<Written> => {
      if ('error' in heard) {
        await store.hosts.silent(host._id, heard.error, polled ? apart : null);
        return 'silent';
      }
      const isHeard = heardStates.some((state) => state === host.state);
      const ports = { store, engine, signal: cancellationSignal };
      const yet = isHeard ? await clearHost(ports, answeredBy(host, heard)) : null;
      return (await store.hosts.answered(host, yet)) ? 'usable' : yet === null ? 'well' : 'clearing';
    };
    /** `hear`: what is done with what some of the hosts have said, before anything else is. */
    const look = (hosts: readonly Seen[], hear?: (some: readonly Looked[]) => Promise<void>): Promise<Looked[]> =>
      inTwo(
        hosts.map(async (host): Promise<Looked> => {
          const heard = await probe(host);
          const isSame = !('error' in heard) && host.state === 'MONITORED';
          return { host, heard, written: isSame ? 'same' : await write(host, heard, hear !== undefined) };
        }),
        prompt,
        async (some) => {
          await hear?.(some);
          await goOn(some);
        },
      );
    async function goOn(found: readonly Looked[]): Promise<void> {
      await lookForStrays(
        store,
        found.flatMap(({ host, heard, written }) =>
          'error' in heard || !(written === 'same' || host.state === 'DISABLED') ? [] : [answeredBy(host, heard)],
        ),
        cancellationSignal,
      );
      await settleNetworks(
        found.flatMap(({ host, heard }) => ('error' in heard ? [] : [host])),
        cancellationSignal,
      );
      await store.hosts.stillMonitored(
        found.flatMap(({ host, heard, written }) =>
          written === 'same' || (host.state === 'DISABLED' && !('error' in heard)) ? [host._id] : [],
        ),
      );
      if (found.some(({ written }) => written === 'usable') && (await store.vms.anyWaiting()))
        await engine.signalPlacement();
    }
    /** What filters of NICs say now; a host of which that fails is looked at again at the next tick. */
    async function settleNetworks(answered: readonly Seen[], signal: AbortSignal): Promise<void> {
      if (!networks) return;
      const failures = await eachApart(answered, atOnce, (host) =>
        settleHost(store, onNetworksOf(host, networks), abortedAfter(signal, settleTimeout)),
      );
      for (const { item, error } of failures)
        log.warn('networks of a host are not as they are to be', { host: item._id, error });
    }
    function onNetworksOf(host: Seen, all: Networks) {
      const its = all.of(targetOf(host));
      const shares = async (others: number[]) =>
        (await store.hosts.byIds(others)).filter((other) => all.of(targetOf(other)) === its).map(({ _id }) => _id);
      return { id: host._id, networks: its, shares };
    }
    const until = performance.now() + (settings?.insistence ?? insistenceOf(settings ?? {})) * 1_000;
    const hosts = await store.hosts.byIds(ids);
    const watched = await store.sightings.watched(
      hosts.map(({ _id }) => _id),
      hosts.flatMap(({ _id, state }) => (state === 'ERROR' ? [_id] : [])),
    );
    const down: DownVms = { crashed: [], anew: [] };
    const first = await look(hosts, async (some) => {
      const found = await compare(store, watched, some);
      down.crashed.push(...found.crashed);
      down.anew.push(...found.anew);
    });
    await beginRestarts({ store, restartDown }, hosts, down);
    await beginFailovers(
      { store, failOver },
      first.flatMap(({ host, written }) => (written === 'silent' ? [host._id] : [])),
    );
    let left = unusable(first);
    while (left.length > 0 && performance.now() < until) {
      await sleep(pause, undefined, { signal: cancellationSignal });
      const isAnyCleared = left.some(({ written }) => written === 'clearing');
      if (isAnyCleared || (await store.vms.anyWaiting()))
        left = unusable(await look(await store.hosts.byIds(left.map(({ host }) => host._id))));
    }
    return { monitored: hosts.length - left.length, failed: left.length };
  },
});

type Seen = Omit<Host, 'vms'>;
/** `at`: when it was said. */
type Heard = (HostReport & { at: Date }) | { error: string };
/** What was written of a host: nothing that is new, that it takes VMs now, or that it is being cleared for that. */
type Written = 'same' | 'usable' | 'clearing' | 'silent' | 'well';
type Looked = { host: Seen; heard: Heard; written: Written };

/**
 * Works on what has come in time, all at once, and on the rest when that has all come, be the first work done or not: two
 * works at most, and one where nothing is late.
 */
async function inTwo<T>(
  asked: readonly Promise<T>[],
  milliseconds: number,
  work: (some: readonly T[]) => Promise<void>,
): Promise<T[]> {
  const inTime: T[] = [];
  const late: T[] = [];
  let come = inTime;
  const all = Promise.all(
    asked.map(async (one) => {
      const answer = await one;
      come.push(answer);
    }),
  );
  await Promise.race([all, sleep(milliseconds, undefined, { ref: false })]);
  come = late;
  const workOn = async (some: readonly T[]) => {
    if (some.length > 0) await work(some);
  };
  await Promise.all([workOn(inTime), all.then(() => workOn(late))]);
  return [...inTime, ...late];
}

const unusable = (looked: readonly Looked[]): Looked[] =>
  looked.filter(({ written }) => written === 'silent' || written === 'clearing');

/**
 * Writes what the hosts say of VMs at which nobody works. `watched` was read before the hosts were asked: a VM that is
 * still as it was then is what they speak of, and one that has changed since is left to the next tick. Returns the VMs that are UNKNOWN
 * because their guests have crashed, or their hosts were started anew, as far as it has seen.
 */
async function compare(
  store: StepPorts['store'],
  watched: readonly WatchedVm[],
  looked: readonly Looked[],
): Promise<DownVms> {
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
  const running = await store.sightings.runningOn([...sighted.keys()]);
  await store.metrics.add(samplesOf(looked, new Set([...running, ...known])));
  const suspects = running.filter((id) => !there.has(id) && !known.has(id));
  const missed = suspects.length === 0 ? [] : await store.sightings.stillRunning(suspects);
  await store.sightings.miss(
    missed.filter((vm) => {
      const host = sighted.get(placeOf(vm)?.hid ?? -1);
      return host !== undefined && isMissed(vm, host);
    }),
    look,
  );
  await store.health.refresh(await store.sightings.record(judged, look));
  // Where VMs do not run that the next look has to judge, that one has to see, too, that their host was started anew.
  const settled = new Set(judged.map(({ vm }) => vm._id));
  const open = watched.filter((vm) => isVmRunning(vm) && !there.has(vm._id) && !settled.has(vm._id));
  const unjudged = new Set([...missed, ...open].map((vm) => placeOf(vm)?.hid));
  await store.hosts.noteUptimes(
    looked.flatMap(({ host: { _id: id, uptime: before }, heard }) =>
      'error' in heard || heard.uptime === undefined || unjudged.has(id) || !isWorthNoting(before, heard.uptime)
        ? []
        : [{ id, uptime: heard.uptime }],
    ),
  );
  const those = (is: (vm: WatchedVm, host: Sighted | undefined) => boolean): number[] =>
    watched.flatMap((vm) => (is(vm, sighted.get(placeOf(vm)?.hid ?? -1)) ? [vm._id] : []));
  const lostNow = judged.flatMap(({ vm, verdict }) => (verdict !== 'clear' && verdict.lost?.anew ? [vm._id] : []));
  return { crashed: those(hasCrashed), anew: [...new Set([...those(isLostAnew), ...lostNow])] };
}

/** Its domain is there, under its epoch, and its guest has crashed: found by this look or an earlier one. */
const hasCrashed = (vm: WatchedVm, host: Sighted | undefined): boolean =>
  host !== undefined &&
  !('error' in host) &&
  host.domains.get(vm._id)?.state === 'failed' &&
  host.domains.get(vm._id)?.epoch === placeOf(vm)?.epoch;

/**
 * Of each host that has answered, and of what it has of VMs that are to run or at rest: what else it has is nobody's, or on its way.
 */
const samplesOf = (looked: readonly Looked[], ours: ReadonlySet<number>): Sample[] =>
  looked.flatMap(({ host: { _id: host, total, used }, heard }): Sample[] => {
    if ('error' in heard) return [];
    const { at, domains } = heard;
    const its = domains.flatMap((domain): VmSample[] => {
      const { vm, state, epoch } = domain;
      return ours.has(vm) ? [{ host, vm, epoch, at, state, ...eachMetric((name) => domain[name]) }] : [];
    });
    return [{ host, at, total, used, running: its.filter(({ state }) => state === 'running').length }, ...its];
  });

function sightedOf({ name, state, uptime }: Seen, heard: Heard): Sighted {
  if ('error' in heard) return { name, error: heard.error, was: state };
  const domains = new Map(heard.domains.map((domain) => [domain.vm, domain]));
  return { name, domains, anew: isStartedAnew(uptime, heard.uptime) };
}
