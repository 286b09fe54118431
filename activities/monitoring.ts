import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Engine } from '../adapters/engine/port.js';
import type { Hypervisor } from '../adapters/hypervisor/port.js';
import { problemOf } from '../domain/problems.js';
import type { Host } from '../schemas/host.js';
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
   * a deployment should not wait for the next tick.
   */
  async monitorHosts(ids: number[]): Promise<{ monitored: number; failed: number }> {
    const { cancellationSignal } = Context.current();
    const probe = async (host: Omit<Host, 'vms'>): Promise<string | null> => {
      const signal = AbortSignal.any([cancellationSignal, AbortSignal.timeout(probeTimeout)]);
      const target = { name: host.name, vm_mad: host.vm_mad, total: host.total };
      try {
        await hypervisors.of(target).probe(target, signal);
        return null;
      } catch (error) {
        if (cancellationSignal.aborted) throw error;
        return problemOf(error)?.message ?? `the probe took longer than ${probeTimeout / 1000} s`;
      }
    };
    /** Returns those that do not answer. */
    const look = async (hosts: readonly Omit<Host, 'vms'>[]): Promise<Omit<Host, 'vms'>[]> => {
      const found = await Promise.all(
        hosts.map(async (host) => {
          const error = await probe(host);
          const same = error === null && host.state === 'MONITORED';
          return { host, error, same, usable: !same && (await store.hosts.monitored(host._id, error)) };
        }),
      );
      await store.hosts.stillMonitored(found.flatMap(({ host, same }) => (same ? [host._id] : [])));
      if (found.some(({ usable }) => usable) && (await store.vms.anyWaiting())) await engine.signalPlacement();
      return found.flatMap(({ host, error }): Omit<Host, 'vms'>[] =>
        error === null ? [] : [{ ...host, state: 'ERROR' }],
      );
    };
    const hosts = await store.hosts.byIds(ids);
    let silent = await look(hosts);
    for (const until = performance.now() + insistence.lasts; silent.length > 0 && performance.now() < until; ) {
      await sleep(insistence.pause, undefined, { signal: cancellationSignal });
      if (await store.vms.anyWaiting()) silent = await look(silent);
    }
    return { monitored: hosts.length - silent.length, failed: silent.length };
  },
});
