import { Problem, problemOf } from '../../../domain/problems.js';
import { type DeviceCall, type VmCall, vmCalls } from '../../../domain/vms/vm-verbs.js';
import { eachMetric } from '../../../schemas/hosts/metrics.js';
import type { DeviceTarget, DomainReport, HostReport, Hypervisor, SnapshotTarget, SwitchTarget } from '../port.js';
import { adopt, disown, goOn, startAdopted } from './adopting.js';
import { devicesIn } from './device-record.js';
import { changeDevice, changing } from './devices.js';
import type { Listed } from './domains.js';
import { guestsSeen } from './guests-seen.js';
import { make } from './making.js';
import { migrate } from './moving.js';
import { renewContext } from './saved.js';
import { type Held, type LibvirtHost, Site } from './site.js';
import { fetch, store } from './storing.js';
import { usage } from './usage.js';
import { createSnapshot, deleteSnapshot, revertToSnapshot } from './vm-snapshots.js';

export type LibvirtOptions = {
  /** How long a guest that is asked to go down has until it is switched off, in milliseconds. */
  shutdown: number;
};
const refusals = Object.values(vmCalls).map(({ refused }) => refused);
type Which = Pick<SwitchTarget<'libvirt'>, 'id' | 'epoch' | 'host'>;

/** The hypervisor that libvirt drives, on hosts that are each reached by a URI, for one installation. */
export function libvirtHypervisor(
  installation: string,
  { shutdown }: LibvirtOptions = { shutdown: 60_000 },
): Hypervisor<'libvirt'> & { close(): void } {
  const sites = new Map<string, Site>();
  const siteOf = (host: LibvirtHost): Site => {
    const key = JSON.stringify([host.name, host.connection]);
    const site = sites.get(key) ?? Site.at(host, installation);
    sites.set(key, site);
    return site;
  };
  const used = usage();
  /** The VM at its host, which has heard of the epoch then. */
  const reach = async ({ id, epoch, host }: Which, way: 'touches' | 'stops', signal: AbortSignal, keeps = true) => {
    signal.throwIfAborted();
    const site = siteOf(host);
    await site.fence.hear(id, epoch, way, signal, keeps ? 'as before' : null);
    return { site, domain: await site.own({ id, epoch }, signal) };
  };
  /** A call for a VM: what was refused because a later holder has taken it meanwhile, on either of its hosts, says so. */
  const held =
    <V extends Held & { host: LibvirtHost; to?: LibvirtHost }, R>(call: (vm: V, signal: AbortSignal) => Promise<R>) =>
    async (vm: V, signal: AbortSignal): Promise<R> => {
      signal.throwIfAborted();
      try {
        return await call(vm, signal);
      } catch (error) {
        const { code } = problemOf(error) ?? {};
        if (!refusals.some((refused) => refused === code)) throw error;
        for (const host of [vm.host, vm.to]) {
          const late = host && (await siteOf(host).late(vm, signal));
          if (late) throw late;
        }
        throw error;
      }
    };
  const reportOf = (
    { uuid, state, mark, capacity, cpuTime, memory, counters }: Listed,
    heard: number,
  ): DomainReport => {
    const { vm = -1, epoch = 0 } = mark ?? {};
    const metrics = { cpu: used(uuid, cpuTime), memory, ...counters };
    return {
      ...{ vm, deployId: uuid, epoch, heard: Math.max(epoch, heard), capacity, state },
      ...eachMetric((metric) => metrics[metric]),
    };
  };
  /** A change of a device of a VM that has a domain; of one that has none there is nothing to change. */
  const change = (call: DeviceCall) =>
    held(async (vm: DeviceTarget<'libvirt'>, signal: AbortSignal): Promise<void> => {
      const { site, domain } = await reach(vm, 'touches', signal);
      if (domain) await changeDevice(await changing(site, vm, call, domain, signal), vm.change, signal);
    });

  /** What is done to snapshots of a VM. */
  const snapshot = (does: typeof createSnapshot) =>
    held(async (vm: SnapshotTarget<'libvirt'>, signal: AbortSignal): Promise<void> => {
      const { site, domain } = await reach(vm, 'touches', signal);
      await does(site, vm, domain, signal);
    });

  return {
    can: {
      ...{ deploy: true, destroy: true, poweroff: true, reboot: true },
      ...{ suspend: true, resume: true, migrate: true, move: false },
      ...{ adopt: true, disown: true },
      ...{ store: true, fetch: true, discard: true },
      ...{ attachNic: true, detachNic: true, attachDisk: true, detachDisk: true },
      ...{ resizeDisk: true, snapshotDisk: true, revertDisk: true, dropSnapshot: true },
      ...{ snapshotCreate: true, snapshotRevert: true, snapshotDelete: true },
    },

    async probe(host, signal) {
      signal.throwIfAborted();
      const site = siteOf(host);
      const [all, heard] = [await site.list(signal), await site.fence.heard(signal)];
      const uptime = await site.uptime(signal);
      const report: HostReport = { domains: [], wilds: [], ...(uptime !== null && { uptime }) };
      for (const listed of all) {
        const { name, uuid, state, mark, capacity } = listed;
        if (mark?.installation === installation) report.domains.push(reportOf(listed, heard.get(mark.vm) ?? 0));
        else
          report.wilds.push({
            ...{ name, deployId: uuid, capacity, state },
            ...(mark && { installation: mark.installation }),
          });
      }
      return report;
    },

    guestsSeen: (host, signal) => guestsSeen(host, installation, signal),

    async look({ id, host }, signal) {
      signal.throwIfAborted();
      const site = siteOf(host);
      const listed = await site.find(id, signal);
      if (!listed) return null;
      const heard = (await site.fence.heard(signal)).get(id) ?? 0;
      const { text, refusal } = await site.virsh.ask(['dumpxml', listed.uuid], signal);
      return refusal === null ? { ...reportOf(listed, heard), devices: devicesIn(text) } : null;
    },

    deploy: held((vm, signal) => (vm.adopted ? startAdopted : make)(siteOf(vm.host), vm, signal)),

    destroy: held(async ({ hard, ...which }, signal) => {
      const { site, domain } = await reach(which, 'stops', signal, false);
      if (!domain) return;
      if (domain.state === 'running') await site.halt('destroy', which.id, domain.uuid, hard ? 0 : shutdown, signal);
      await site.erase('destroy', which.id, domain.uuid, signal);
    }),

    poweroff: held(async ({ hard, ...which }, signal) => {
      const { site, domain } = await reach(which, 'stops', signal, false);
      if (!domain) return;
      if (domain.state !== 'stopped') {
        await site.halt('poweroff', which.id, domain.uuid, hard ? 0 : shutdown, signal);
        const words = ['managedsave-remove', domain.uuid];
        await site.work('poweroff', which.id, words, signal, /has no manage|failed to get domain/i);
      }
      await site.dropSnapshots('poweroff', which.id, domain.uuid, signal);
    }),

    reboot: held(async ({ hard, ...which }, signal) => {
      const { site, domain } = await reach(which, 'touches', signal);
      if (domain?.state !== 'running') throw notSo('reboot', which, 'it does not run');
      await site.ask('reboot', which.id, [hard ? 'reset' : 'reboot', domain.uuid], signal);
    }),

    suspend: held(async (which, signal) => {
      const { site, domain } = await reach(which, 'stops', signal);
      if (domain?.state !== 'suspended' && domain?.state !== 'running')
        throw notSo('suspend', which, 'it does not run');
      if (domain.state === 'running') await site.work('suspend', which.id, ['managedsave', domain.uuid], signal);
      await site.dropSnapshots('suspend', which.id, domain.uuid, signal);
    }),

    resume: held(async (which, signal) => {
      const { site, domain } = await reach(which, 'touches', signal);
      if (domain?.state === 'running') return;
      if (domain?.state !== 'suspended') throw notSo('resume', which, 'nothing is saved of it');
      // What is paused keeps what it was started with.
      if (!domain.isUp) {
        const context = await site.fence.hear(which.id, which.epoch, 'starts', signal, 'as before');
        await renewContext(site, 'resume', { ...which, context }, domain.uuid, signal);
      }
      await goOn(site, 'resume', which, domain, signal);
    }),

    migrate: held((vm, signal) => migrate(siteOf(vm.host), siteOf(vm.to), vm, signal)),

    attachNic: change('attachNic'),
    detachNic: change('detachNic'),
    attachDisk: change('attachDisk'),
    detachDisk: change('detachDisk'),
    resizeDisk: change('resizeDisk'),
    adopt: held(async (vm, signal) => {
      const { site } = await reach(vm, 'touches', signal);
      return adopt(site, vm, signal);
    }),
    disown: held(async (vm, signal) => {
      const { site, domain } = await reach(vm, 'touches', signal);
      await disown(site, vm, domain, signal);
    }),
    snapshotCreate: snapshot(createSnapshot),
    snapshotRevert: snapshot(revertToSnapshot),
    snapshotDelete: snapshot(deleteSnapshot),
    snapshotDisk: change('snapshotDisk'),
    revertDisk: change('revertDisk'),
    dropSnapshot: change('dropSnapshot'),
    move: cannot('move'),
    store: held((vm, signal) => store(siteOf(vm.host), vm, signal)),
    fetch: held((vm, signal) => fetch(siteOf(vm.host), vm, signal)),
    async discard({ memory }, signal) {
      signal.throwIfAborted();
      await memory?.drop(signal);
    },
    close() {
      for (const { virsh } of sites.values()) virsh.close();
    },
  };
}

const notSo = (call: VmCall, { id, host }: Which, why: string): Problem =>
  new Problem(vmCalls[call].refused, `VM ${id} on ${host.name}: ${why}.`);

/** What libvirt is not asked to do. */
const cannot =
  (call: VmCall) =>
  async ({ id }: { id: number }, signal: AbortSignal): Promise<never> => {
    signal.throwIfAborted();
    throw new Problem(vmCalls[call].refused, `VM ${id}: libvirt hypervisors cannot do this (${call}).`);
  };
