import { Context } from '@temporalio/activity';
import { problemOf } from '../domain/problems.js';
import type { Host } from '../schemas/host.js';
import type { StepPorts } from './ports.js';

/** Hosts that one activity probes at most. */
export const hostsPerPoll = 50;
const probeTimeout = 4_000;

export const monitoringActivities = ({ store, hypervisors, engine }: Omit<StepPorts, 'settings'>) => ({
  /** Ids of the hosts to monitor, in batches. */
  async hostsToMonitor(): Promise<number[][]> {
    const ids = (await store.hosts.all()).map((host) => host._id);
    const batches: number[][] = [];
    for (let at = 0; at < ids.length; at += hostsPerPoll) batches.push(ids.slice(at, at + hostsPerPoll));
    return batches;
  },

  /** Probes hosts at once; MONITORED or ERROR with the reason. A host that became usable may take VMs that wait. */
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
    const hosts = await store.hosts.byIds(ids);
    const found = await Promise.all(
      hosts.map(async (host) => {
        const error = await probe(host);
        const same = error === null && host.state === 'MONITORED';
        return { id: host._id, error, same, usable: !same && (await store.hosts.monitored(host._id, error)) };
      }),
    );
    await store.hosts.stillMonitored(found.flatMap(({ id, same }) => (same ? [id] : [])));
    if (found.some(({ usable }) => usable) && (await store.vms.anyWaiting())) await engine.signalPlacement();
    const failed = found.filter(({ error }) => error !== null).length;
    return { monitored: found.length - failed, failed };
  },
});
