import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import type {
  BootFiles,
  DestroyTarget,
  DomainReport,
  HostTarget,
  Hypervisor,
  MemoryPlace,
  PlacedVm,
} from '../../adapters/hypervisor/port.js';
import { problemOf } from '../../domain/problems.js';
import type { VmStateName } from '../../domain/vms/vm-states.js';
import { type DeviceCall, hostVerbs, type VmCall, vmCalls } from '../../domain/vms/vm-verbs.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import { counterNames, eachMetric, metricNames } from '../../schemas/hosts/metrics.js';
import { DeviceCallName } from '../../schemas/hosts/simulator.js';
import type { DomainChange, DomainDevices } from '../../schemas/operations/vm-devices.js';

/** A hypervisor to be tried, and what its test bed can do to it. */
export type HypervisorWorld = {
  hypervisor: Hypervisor;
  /** The same hypervisor, as another installation has it. */
  stranger: Hypervisor;
  /** A host that nothing runs on, which has this much. */
  newHost(total: Capacity): Promise<HostTarget>;
  /** Guests take this long to boot from now on. null: one that runs has booted, whatever it does. */
  setBootTime: ((milliseconds: number) => Promise<void>) | null;
  /** No call reaches the host, until `reach`; what runs on it is kept. */
  cutOff(host: HostTarget): Promise<void>;
  reach(host: HostTarget): Promise<void>;
  /** The guest powers itself off. */
  stopGuest(host: HostTarget, vm: number): Promise<void>;
  /** What a hypervisor opens of a disk that is to have this many MB; undefined: it opens nothing. */
  fileOf?(megabytes: number): Promise<string>;
  /** What its guests are booted by; absent: by nothing. */
  boot?: BootFiles;
  /** Where what a VM has in memory is kept away from hosts, for a hypervisor that needs such a place. */
  memoryOf?(vm: { id: number; epoch: number }): MemoryPlace;
  /** Its guests let go of no card while they run: they have no system that would. */
  isDeaf?: boolean;
  /** Ends what a case has left, where that costs. */
  tidy?(): Promise<void>;
  close(): Promise<void>;
};

const callNames: readonly VmCall[] = [
  ...new Set<VmCall>([...Object.values(hostVerbs).map(({ call }) => call), 'adopt', 'disown']),
];

/** Calls that make, remove or switch off whatever there is of a VM; the others need one that is as they want it. */
const always: readonly VmCall[] = ['deploy', 'destroy', 'poweroff'];

/** What a probe shows of a VM in each state that such a call leads to; null: nothing, as of what never was. */
const shown = {
  'ACTIVE/RUNNING': ['running'],
  POWEROFF: ['stopped', null],
  PENDING: [null],
  UNDEPLOYED: [null],
  DONE: [null],
} as const satisfies Partial<Record<VmStateName, readonly (DomainReport['state'] | null)[]>>;

const isShown = (state: string): state is keyof typeof shown => Object.hasOwn(shown, state);

/** What every hypervisor adapter must do, whatever is behind it. */
export function hypervisorContract(
  name: string,
  make: () => Promise<HypervisorWorld>,
  { skip = false }: { skip?: boolean } = {},
): void {
  describe.skipIf(skip)(`${name} hypervisor`, () => {
    let world: HypervisorWorld;
    let host: HostTarget;
    let other: HostTarget;
    let lastVm = 0;
    const signal = (): AbortSignal => new AbortController().signal;

    beforeEach(async () => {
      if (world.fileOf) disk.path = await world.fileOf(disk.size);
    });
    beforeAll(async () => {
      world = await make();
      host = await world.newHost({ cpu: 6400, memory: 65_536 });
      other = await world.newHost({ cpu: 6400, memory: 65_536 });
    });
    afterEach(async () => {
      await world.setBootTime?.(0);
      await world.tidy?.();
    });
    afterAll(() => world.close());

    const newVm = (change: Partial<PlacedVm> = {}): PlacedVm => {
      const id = change.id ?? ++lastVm;
      return {
        id,
        domain: `one-${id}`,
        host,
        capacity: { cpu: 10, memory: 64 },
        epoch: 1,
        labels: { vm: id, service: 7, role: 'worker' },
        template: { CPU: 0.1, MEMORY: 64 },
        ...(world.boot && { boot: world.boot }),
        ...change,
      };
    };
    const targetOf = ({ id, domain, host, epoch }: PlacedVm, change: Partial<DestroyTarget> = {}): DestroyTarget => {
      return { id, domain, host, epoch, hard: true, ...change };
    };
    const deploy = (vm: PlacedVm) => world.hypervisor.deploy(vm, signal());
    const destroy = (target: DestroyTarget) => world.hypervisor.destroy(target, signal());
    const nic = { nic_id: 3, mac: '02:00:00:00:10:03', network: 'public' };
    const disk: DomainDevices['disks'][number] = {
      ...({ disk_id: 2, target: 'vdb', type: 'fs', size: 1_024, format: 'qcow2' } as const),
      ...{ snapshots: [], current: null, reverted: null },
    };
    const changes: { [C in DeviceCall]: DomainChange } = {
      attachNic: { action: 'nic-attach', nic },
      detachNic: { action: 'nic-detach', nic_id: nic.nic_id },
      attachDisk: { action: 'disk-attach', disk },
      detachDisk: { action: 'disk-detach', disk_id: disk.disk_id },
      resizeDisk: { action: 'disk-resize', disk_id: disk.disk_id, size: 2_048 },
      snapshotDisk: { action: 'disk-snapshot-create', disk_id: disk.disk_id, snapshot_id: 0 },
      revertDisk: { action: 'disk-snapshot-revert', disk_id: disk.disk_id, snapshot_id: 0 },
      dropSnapshot: { action: 'disk-snapshot-delete', disk_id: disk.disk_id, snapshot_id: 0 },
    };
    /** What a domain has then, however often each was asked for. */
    const has = async (vm: PlacedVm) => (await world.hypervisor.look(vm, signal()))?.devices ?? { nics: [], disks: [] };
    const changed = async (vm: PlacedVm, ...names: readonly DeviceCall[]) => {
      for (const name of names) for (const _ of [1, 2]) await calls[name](vm, signal());
      return has(vm);
    };
    const needs = (skip: TestContext['skip'], ...names: readonly VmCall[]): void => {
      const lacking = names.find((name) => !world.hypervisor.can[name]);
      skip(lacking !== undefined, `its adapter cannot do this (${lacking})`);
    };
    const snapshot = { id: 0, name: 'before' };
    /** Each call that changes a VM, made of one under a signal; one that the contract does not know does not compile. */
    const calls: { [C in VmCall]: (vm: PlacedVm, signal: AbortSignal) => ReturnType<Hypervisor[C]> } = {
      deploy: (vm, signal) => world.hypervisor.deploy(vm, signal),
      destroy: (vm, signal) => world.hypervisor.destroy(targetOf(vm), signal),
      poweroff: (vm, signal) => world.hypervisor.poweroff(targetOf(vm), signal),
      reboot: (vm, signal) => world.hypervisor.reboot(targetOf(vm), signal),
      suspend: (vm, signal) => world.hypervisor.suspend(targetOf(vm), signal),
      resume: (vm, signal) => world.hypervisor.resume(targetOf(vm), signal),
      migrate: (vm, signal) => world.hypervisor.migrate({ ...targetOf(vm), to: other }, signal),
      ...{
        snapshotCreate: (vm, signal) => world.hypervisor.snapshotCreate({ ...targetOf(vm), snapshot }, signal),
        snapshotRevert: (vm, signal) => world.hypervisor.snapshotRevert({ ...targetOf(vm), snapshot }, signal),
        snapshotDelete: (vm, signal) => world.hypervisor.snapshotDelete({ ...targetOf(vm), snapshot }, signal),
      },
      move: (vm, signal) => world.hypervisor.move({ ...targetOf(vm), to: other }, signal),
      adopt: (vm, signal) => world.hypervisor.adopt({ ...targetOf(vm), deployId: 'of nobody', from: null }, signal),
      disown: (vm, signal) => world.hypervisor.disown(targetOf(vm), signal),
      store: (vm, signal) => world.hypervisor.store({ ...targetOf(vm), memory: world.memoryOf?.(vm) }, signal),
      fetch: (vm, signal) => world.hypervisor.fetch({ ...targetOf(vm), memory: world.memoryOf?.(vm) }, signal),
      discard: ({ id, domain, epoch }, signal) =>
        world.hypervisor.discard({ id, domain, epoch, memory: world.memoryOf?.({ id, epoch }) }, signal),
      attachNic: (vm, signal) => world.hypervisor.attachNic({ ...targetOf(vm), change: changes.attachNic }, signal),
      detachNic: (vm, signal) => world.hypervisor.detachNic({ ...targetOf(vm), change: changes.detachNic }, signal),
      attachDisk: (vm, signal) => world.hypervisor.attachDisk({ ...targetOf(vm), change: changes.attachDisk }, signal),
      detachDisk: (vm, signal) => world.hypervisor.detachDisk({ ...targetOf(vm), change: changes.detachDisk }, signal),
      resizeDisk: (vm, signal) => world.hypervisor.resizeDisk({ ...targetOf(vm), change: changes.resizeDisk }, signal),
      snapshotDisk: (vm, signal) =>
        world.hypervisor.snapshotDisk({ ...targetOf(vm), change: changes.snapshotDisk }, signal),
      revertDisk: (vm, signal) => world.hypervisor.revertDisk({ ...targetOf(vm), change: changes.revertDisk }, signal),
      dropSnapshot: (vm, signal) =>
        world.hypervisor.dropSnapshot({ ...targetOf(vm), change: changes.dropSnapshot }, signal),
    };
    /** Those that switch a VM; a kind of hypervisor may lack some. */
    const switches = [
      ...(['poweroff', 'reboot', 'suspend', 'resume', 'migrate', 'move'] as const),
      ...(['snapshotCreate', 'snapshotRevert', 'snapshotDelete'] as const),
    ];
    const stateOf = async (vm: PlacedVm) => (await domainsOf(vm))[0]?.state ?? null;
    const able = (): VmCall[] => callNames.filter((call) => world.hypervisor.can[call]);
    const domainsOf = async ({ id, host }: PlacedVm) =>
      (await world.hypervisor.probe(host, signal())).domains.filter((domain) => domain.vm === id);
    const problemCode = (call: Promise<unknown>): Promise<string> =>
      call.then(
        () => 'none',
        (error: unknown) => problemOf(error)?.code ?? String(error),
      );

    it('reports of an empty host that nothing runs on it', async () => {
      const empty = await world.newHost({ cpu: 800, memory: 4096 });
      const { uptime: _, ...report } = await world.hypervisor.probe(empty, signal());
      expect(report).toEqual({ domains: [], wilds: [] });
    });

    it('says how long a host has been up, which grows as long as it is', async () => {
      const host = await world.newHost({ cpu: 800, memory: 4096 });
      const uptime = async () => (await world.hypervisor.probe(host, signal())).uptime ?? Number.NaN;
      const first = await uptime();
      await expect.poll(uptime).toBeGreaterThan(first);
    });

    it('refuses what it says that it cannot, in its own word', async () => {
      for (const call of callNames.filter((name) => !world.hypervisor.can[name]))
        expect(await problemCode(calls[call](newVm(), signal()))).toBe(vmCalls[call].refused);
    });

    it.for(Object.entries(hostVerbs).filter(([, { call }]) => always.includes(call)))(
      'shows after %s what the VM’s state then says, however often it is asked',
      async ([_verb, { call, after }], { skip }) => {
        needs(skip, call);
        for (const isThere of [false, true]) {
          const vm = newVm();
          if (isThere) await deploy(vm);
          for (const time of ['once', 'twice']) {
            await calls[call](vm, signal());
            const [domain] = await domainsOf(vm);
            const states: (DomainReport['state'] | null)[] = after.flatMap((state: string) =>
              isShown(state) ? [...shown[state]] : [],
            );
            expect(states, `${time}, of one that ${isThere ? 'is' : 'is not'} there`).toContain(domain?.state ?? null);
          }
        }
      },
    );

    it('reports a deployed VM as running, with its epoch, its deploy id and what it uses', async () => {
      const vm = newVm({ epoch: 3 });
      const { deployId, epoch } = await deploy(vm);
      expect(epoch).toBe(3);
      const [domain, ...others] = await domainsOf(vm);
      expect(others).toEqual([]);
      expect(domain).toMatchObject({ vm: vm.id, deployId, epoch: 3, state: 'running' });
      for (const name of metricNames) {
        const used = domain?.[name];
        expect(Number.isInteger(used) && Number(used) >= 0, `${name} ${used}`).toBe(true);
      }
      // In KB, of which it has no more than it was given.
      expect(domain?.memory).toBeGreaterThan(vm.capacity.memory / 100);
      expect(domain?.memory).toBeLessThanOrEqual(vm.capacity.memory * 1_024);
    });

    it('counts what a VM sends and receives, and does with its disks, never backwards', async () => {
      const vm = newVm();
      await deploy(vm);
      let [before] = await domainsOf(vm);
      for (const _ of [1, 2, 3]) {
        const [after] = await domainsOf(vm);
        for (const counter of counterNames)
          expect(after?.[counter]).toBeGreaterThanOrEqual(before?.[counter] ?? Number.NaN);
        before = after;
      }
    });

    it('gives the same domain to a deploy that is repeated', async () => {
      const vm = newVm();
      const first = await deploy(vm);
      expect(await deploy(vm)).toEqual(first);
      expect(await domainsOf(vm)).toHaveLength(1);
    });

    it('makes one domain for deploys of the same VM and epoch at once, and answers all when it runs', async () => {
      await world.setBootTime?.(200);
      const vm = newVm();
      const answers = await Promise.all(Array.from({ length: 10 }, () => deploy(vm)));
      await world.setBootTime?.(0);
      expect(new Set(answers.map(({ deployId }) => deployId)).size).toBe(1);
      expect(await domainsOf(vm)).toMatchObject([{ state: 'running' }]);
    });

    it('reports a guest as booting until it runs', async ({ skip }) => {
      if (!world.setBootTime) return skip('its guests have booted when they run');
      await world.setBootTime(1_000);
      const vm = newVm();
      const deployed = deploy(vm);
      await expect.poll(() => domainsOf(vm)).toMatchObject([{ state: 'booting' }]);
      await deployed;
      expect(await domainsOf(vm)).toMatchObject([{ state: 'running' }]);
    });

    it('replaces a domain of an older epoch', async () => {
      const vm = newVm();
      const old = await deploy(vm);
      const fresh = await deploy({ ...vm, epoch: 2 });
      expect(fresh.deployId).not.toBe(old.deployId);
      expect(await domainsOf(vm)).toMatchObject([{ epoch: 2, deployId: fresh.deployId }]);
    });

    it('refuses a deploy older than one it has seen, and leaves the newer domain alone', async () => {
      const vm = newVm({ epoch: 5 });
      const { deployId } = await deploy(vm);
      expect(await problemCode(deploy({ ...vm, epoch: 4 }))).toBe('stale_epoch');
      expect(await domainsOf(vm)).toMatchObject([{ epoch: 5, deployId }]);
    });

    it('refuses a deploy that comes later than the destroy of a newer epoch', async () => {
      const vm = newVm({ epoch: 1 });
      await destroy(targetOf(vm, { epoch: 2 }));
      expect(await problemCode(deploy(vm))).toBe('stale_epoch');
      expect(await domainsOf(vm)).toEqual([]);
    });

    it('ends a deploy that is still booting when a newer epoch takes the VM', async ({ skip }) => {
      if (!world.setBootTime) return skip('its guests have booted when they run');
      await world.setBootTime(5_000);
      const vm = newVm();
      const overtaken = problemCode(deploy(vm));
      await expect.poll(() => domainsOf(vm)).toHaveLength(1);
      await destroy(targetOf(vm, { epoch: 2 }));
      expect(await overtaken).toBe('stale_epoch');
      await world.setBootTime(0);
      expect(await domainsOf(vm)).toEqual([]);
    });

    it('destroys a domain of the same or an older epoch, softly or hard', async () => {
      for (const hard of [false, true]) {
        for (const epoch of [1, 2]) {
          const vm = newVm();
          await deploy(vm);
          await destroy(targetOf(vm, { epoch, hard }));
          expect(await domainsOf(vm), `hard ${hard}, epoch ${epoch}`).toEqual([]);
        }
      }
    });

    it('destroys again, and what never was, without complaint', async () => {
      const vm = newVm();
      await destroy(targetOf(vm));
      await deploy(vm);
      await destroy(targetOf(vm));
      await destroy(targetOf(vm));
      expect(await domainsOf(vm)).toEqual([]);
    });

    it('refuses to destroy a domain of a newer epoch', async () => {
      const vm = newVm({ epoch: 2 });
      await deploy(vm);
      expect(await problemCode(destroy(targetOf(vm, { epoch: 1 })))).toBe('stale_epoch');
      expect(await domainsOf(vm)).toMatchObject([{ epoch: 2, state: 'running' }]);
    });

    it('refuses to destroy what somebody has switched under a newer epoch, and says that it has', async () => {
      for (const call of (['reboot', 'suspend'] as const).filter((name) => world.hypervisor.can[name])) {
        const vm = newVm({ epoch: 2 });
        await deploy(vm);
        await calls[call]({ ...vm, epoch: 5 }, signal());
        expect(await problemCode(destroy(targetOf(vm, { epoch: 4 }))), call).toBe('stale_epoch');
        expect(await domainsOf(vm), call).toMatchObject([{ epoch: 2, heard: 5 }]);
        await destroy(targetOf(vm, { epoch: 5 }));
        expect(await domainsOf(vm), call).toEqual([]);
      }
    });

    it('deploys again after a destroy of the same epoch', async () => {
      const vm = newVm();
      await deploy(vm);
      await destroy(targetOf(vm));
      await deploy(vm);
      expect(await domainsOf(vm)).toHaveLength(1);
    });

    it('starts a domain again that has stopped by itself', async () => {
      const vm = newVm();
      const { deployId } = await deploy(vm);
      await world.stopGuest(host, vm.id);
      expect(await domainsOf(vm)).toMatchObject([{ state: 'stopped', ...eachMetric(() => 0) }]);
      expect((await deploy(vm)).deployId).toBe(deployId);
      expect(await domainsOf(vm)).toMatchObject([{ state: 'running' }]);
    });

    it('powers a VM off, softly or hard, however often it is asked, and deploys it again', async ({ skip }) => {
      needs(skip, 'poweroff');
      for (const hard of [false, true]) {
        const vm = newVm();
        await deploy(vm);
        for (const epoch of [2, 2, 3]) {
          await world.hypervisor.poweroff(targetOf(vm, { epoch, hard }), signal());
          expect(['stopped', null]).toContain(await stateOf(vm));
        }
        await deploy({ ...vm, epoch: 4 });
        expect(await stateOf(vm)).toBe('running');
      }
    });

    it('suspends a VM and resumes the same domain, however often it is asked', async ({ skip }) => {
      needs(skip, 'suspend', 'resume');
      const vm = newVm();
      const { deployId } = await deploy(vm);
      for (const _ of [1, 2]) await world.hypervisor.suspend(targetOf(vm, { epoch: 2 }), signal());
      expect(await domainsOf(vm)).toMatchObject([{ state: 'suspended', deployId, cpu: 0, memory: 0 }]);
      for (const _ of [1, 2]) await world.hypervisor.resume(targetOf(vm, { epoch: 3 }), signal());
      expect(await domainsOf(vm)).toMatchObject([{ state: 'running', deployId }]);
    });

    it('reboots a VM in its domain', async ({ skip }) => {
      needs(skip, 'reboot');
      const vm = newVm();
      const { deployId } = await deploy(vm);
      for (const hard of [false, true]) {
        await world.hypervisor.reboot(targetOf(vm, { epoch: 2, hard }), signal());
        await expect.poll(() => domainsOf(vm)).toMatchObject([{ state: 'running', deployId }]);
      }
    });

    it('keeps what a VM is, reverts to it and keeps it no more, in its domain, however often it is asked', async ({
      skip,
    }) => {
      needs(skip, 'snapshotCreate', 'snapshotRevert', 'snapshotDelete');
      const vm = newVm({ devices: { nics: [], disks: [disk] } });
      const { deployId } = await deploy(vm);
      let epoch = 2;
      for (const call of ['snapshotCreate', 'snapshotRevert', 'snapshotDelete'] as const) {
        for (const again of [0, 0, 1]) {
          epoch += again;
          await calls[call]({ ...vm, epoch }, signal());
          expect(await domainsOf(vm), `${call} ${epoch}`).toMatchObject([{ state: 'running', deployId }]);
        }
      }
      expect(await problemCode(calls.snapshotRevert({ ...vm, epoch: 8 }, signal()))).toBe('action_refused');
    });

    it.for(['poweroff', 'suspend', 'migrate'] as const)('keeps no snapshot over %s', async (lost, { skip }) => {
      needs(skip, 'snapshotCreate', 'snapshotRevert', lost);
      const vm = newVm({ devices: { nics: [], disks: [disk] } });
      await deploy(vm);
      await calls.snapshotCreate({ ...vm, epoch: 2 }, signal());
      await calls[lost]({ ...vm, epoch: 3 }, signal());
      if (lost === 'poweroff') await deploy({ ...vm, epoch: 4 });
      if (lost === 'suspend') await calls.resume({ ...vm, epoch: 4 }, signal());
      const there = { ...vm, epoch: 5, host: lost === 'migrate' ? other : host };
      expect(await stateOf(there)).toBe('running');
      expect(await problemCode(calls.snapshotRevert(there, signal()))).toBe('action_refused');
    });

    it('refuses to reboot or suspend what does not run, and to resume what was not saved', async () => {
      for (const stopped of [false, true]) {
        const vm = newVm();
        if (stopped) {
          await deploy(vm);
          await world.stopGuest(host, vm.id);
        }
        for (const call of ['reboot', 'suspend', 'resume', 'snapshotCreate', 'snapshotRevert'] as const)
          if (world.hypervisor.can[call])
            expect(await problemCode(calls[call](vm, signal())), call).toBe('action_refused');
        expect(await stateOf(vm)).toBe(stopped ? 'stopped' : null);
      }
    });

    it('refuses to switch a VM of which it has heard a newer epoch, and leaves it as it is', async () => {
      const vm = newVm({ epoch: 5 });
      await deploy(vm);
      for (const call of switches.filter((name) => world.hypervisor.can[name])) {
        expect(await problemCode(calls[call]({ ...vm, epoch: 4 }, signal())), call).toBe('stale_epoch');
        expect(await stateOf(vm), call).toBe('running');
      }
    });

    it('takes what runs to another host, where it runs on under the epoch of that', async ({ skip }) => {
      needs(skip, 'migrate');
      const vm = newVm();
      const { deployId } = await deploy(vm);
      for (const _ of [1, 2]) await calls.migrate({ ...vm, epoch: 2 }, signal());
      expect(await domainsOf(vm)).toEqual([]);
      expect(await domainsOf({ ...vm, host: other })).toMatchObject([{ state: 'running', deployId, epoch: 2 }]);
      // Both have heard of it: whoever is late is refused by either.
      for (const where of [host, other])
        expect(await problemCode(deploy({ ...vm, host: where })), where.name).toBe('stale_epoch');
    });

    it('takes what was saved to another host, and resumes it there', async ({ skip }) => {
      needs(skip, 'move', 'suspend', 'resume');
      const vm = newVm();
      const { deployId } = await deploy(vm);
      await calls.suspend(vm, signal());
      for (const _ of [1, 2]) await calls.move({ ...vm, epoch: 2 }, signal());
      const there = { ...vm, host: other, epoch: 2 };
      expect(await domainsOf(vm)).toEqual([]);
      expect(await domainsOf(there)).toMatchObject([{ state: 'suspended', deployId }]);
      await calls.resume(there, signal());
      expect(await domainsOf(there)).toMatchObject([{ state: 'running', deployId }]);
    });

    it('keeps what was saved away from hosts, and has it go on on whichever has it then, however often it is asked', async ({
      skip,
    }) => {
      needs(skip, 'store', 'fetch', 'suspend', 'resume');
      const vm = newVm();
      const { deployId } = await deploy(vm);
      await calls.suspend(vm, signal());
      for (const epoch of [2, 2, 3]) await calls.store({ ...vm, epoch }, signal());
      expect(await domainsOf(vm)).toEqual([]);
      // It has heard of it, wherever it is: who is late fetches nothing, and ends nothing.
      const there = { ...vm, host: other, epoch: 4 };
      for (const call of ['fetch', 'discard'] as const)
        expect(await problemCode(calls[call]({ ...there, epoch: 1 }, signal())), call).toBe('stale_epoch');
      for (const _ of [1, 2]) await calls.fetch(there, signal());
      expect(await domainsOf(there)).toMatchObject([{ state: 'suspended', deployId, epoch: 4 }]);
      expect(await problemCode(calls.store({ ...vm, epoch: 3 }, signal()))).toBe('stale_epoch');
      await calls.resume(there, signal());
      expect(await domainsOf(there)).toMatchObject([{ state: 'running', deployId }]);
    });

    it('keeps nothing that does not wait to be resumed, fetches nothing that is not kept, and discards it for good', async ({
      skip,
    }) => {
      needs(skip, 'store', 'fetch', 'discard', 'suspend');
      const vm = newVm();
      for (const call of ['store', 'fetch'] as const)
        expect(await problemCode(calls[call](vm, signal())), call).toBe('action_refused');
      await deploy(vm);
      expect(await problemCode(calls.store(vm, signal()))).toBe('action_refused');
      expect(await stateOf(vm)).toBe('running');
      await calls.suspend(vm, signal());
      await calls.store(vm, signal());
      for (const _ of [1, 2]) await calls.discard({ ...vm, epoch: 2 }, signal());
      expect(await problemCode(calls.fetch({ ...vm, epoch: 3 }, signal()))).toBe('action_refused');
      expect(await domainsOf(vm)).toEqual([]);
    });

    it('takes to another host what is powered off, be a domain left of it or not', async ({ skip }) => {
      needs(skip, 'move', 'poweroff');
      for (const isThere of [true, false]) {
        const vm = newVm();
        if (isThere) await deploy(vm);
        if (isThere) await calls.poweroff(vm, signal());
        for (const _ of [1, 2]) await calls.move({ ...vm, epoch: 2 }, signal());
        expect(await domainsOf(vm)).toEqual([]);
        await deploy({ ...vm, host: other, epoch: 2 });
        expect(await stateOf({ ...vm, host: other })).toBe('running');
      }
    });

    it('leaves a VM as it is on its host when the other has no room for it, or cannot be reached', async ({ skip }) => {
      needs(skip, 'migrate');
      const small = await world.newHost({ cpu: 100, memory: 256 });
      const vm = newVm({ capacity: { cpu: 10, memory: 512 } });
      const { deployId } = await deploy(vm);
      const migrate = () => problemCode(world.hypervisor.migrate({ ...targetOf(vm), to: small }, signal()));
      expect(await migrate()).toBe('action_refused');
      await world.cutOff(small);
      expect(await migrate()).toBe('backend_unavailable');
      await world.reach(small);
      expect(await domainsOf(vm)).toMatchObject([{ state: 'running', deployId, epoch: 1 }]);
      expect(await domainsOf({ ...vm, host: small })).toEqual([]);
    });

    it('refuses to migrate what does not run, and to move what does', async () => {
      const vm = newVm();
      if (world.hypervisor.can.migrate) expect(await problemCode(calls.migrate(vm, signal()))).toBe('action_refused');
      await deploy(vm);
      if (world.hypervisor.can.move) expect(await problemCode(calls.move(vm, signal()))).toBe('action_refused');
      expect(await stateOf(vm)).toBe('running');
    });

    it('makes a domain with the devices of its VM, and moves it with them', async () => {
      const devices = { nics: [nic], disks: [disk] };
      const vm = newVm({ devices });
      await deploy(vm);
      expect(await has(vm)).toEqual(devices);
      await deploy({ ...vm, epoch: 2, devices: { nics: [], disks: [disk] } });
      expect(await has(vm)).toEqual({ nics: [], disks: [disk] });
      if (!world.hypervisor.can.migrate) return;
      await calls.migrate({ ...vm, epoch: 3 }, signal());
      expect(await has({ ...vm, host: other })).toEqual({ nics: [], disks: [disk] });
    });

    it('attaches and detaches a NIC once, however often it is asked, of what runs and of what is powered off', async ({
      skip,
    }) => {
      needs(skip, 'attachNic', 'detachNic');
      for (const isOff of world.isDeaf ? [true] : [false, true]) {
        const vm = newVm();
        const { deployId } = await deploy(vm);
        if (isOff) await calls.poweroff(vm, signal());
        expect(await changed(vm, 'attachNic')).toEqual({ nics: [nic], disks: [] });
        expect(await changed({ ...vm, epoch: 2 }, 'attachNic')).toEqual({ nics: [nic], disks: [] });
        expect(await changed({ ...vm, epoch: 2 }, 'detachNic')).toEqual({ nics: [], disks: [] });
        expect(await domainsOf(vm)).toMatchObject([{ state: isOff ? 'stopped' : 'running', deployId, epoch: 1 }]);
      }
    });

    it('attaches a disk, makes it larger, and detaches it, each once', async ({ skip }) => {
      needs(skip, 'attachDisk', 'resizeDisk', 'detachDisk');
      const vm = newVm();
      await deploy(vm);
      expect((await changed(vm, 'attachDisk', 'resizeDisk')).disks).toEqual([{ ...disk, size: 2_048 }]);
      if (world.isDeaf) await calls.poweroff(vm, signal());
      expect((await changed(vm, 'detachDisk')).disks).toEqual([]);
      expect(await problemCode(calls.resizeDisk(vm, signal()))).toBe('action_refused');
    });

    it('takes snapshots of a disk and drops them, each once', async ({ skip }) => {
      needs(skip, 'attachDisk', 'snapshotDisk', 'dropSnapshot');
      const vm = newVm();
      await deploy(vm);
      await changed(vm, 'attachDisk');
      expect((await changed(vm, 'snapshotDisk')).disks).toMatchObject([{ snapshots: [0], current: 0 }]);
      expect((await changed(vm, 'dropSnapshot')).disks).toMatchObject([{ snapshots: [] }]);
      if (world.isDeaf) await calls.poweroff(vm, signal());
      await changed(vm, 'detachDisk');
      expect(await problemCode(calls.snapshotDisk(vm, signal()))).toBe('action_refused');
    });

    it('reverts a disk of what does not run, once an epoch, and refuses it of what does', async ({ skip }) => {
      needs(skip, 'attachDisk', 'snapshotDisk', 'revertDisk');
      const vm = newVm();
      await deploy(vm);
      await changed(vm, 'attachDisk', 'snapshotDisk');
      expect(await problemCode(calls.revertDisk(vm, signal()))).toBe('action_refused');
      await calls.poweroff(vm, signal());
      expect((await changed({ ...vm, epoch: 2 }, 'revertDisk')).disks).toMatchObject([{ current: 0, reverted: 2 }]);
      expect((await changed({ ...vm, epoch: 3 }, 'revertDisk')).disks).toMatchObject([{ current: 0, reverted: 3 }]);
    });

    it('changes no device for who is late, and none where there is no domain', async () => {
      const vm = newVm({ epoch: 5, devices: { nics: [nic], disks: [{ ...disk, snapshots: [0], current: 0 }] } });
      const able = DeviceCallName.options.filter((call) => world.hypervisor.can[call]);
      for (const name of able) {
        await calls[name](vm, signal());
        expect(await domainsOf(vm), name).toEqual([]);
      }
      await deploy(vm);
      const before = await has(vm);
      for (const name of able) {
        expect(await problemCode(calls[name]({ ...vm, epoch: 4 }, signal())), name).toBe('stale_epoch');
        expect(await has(vm), name).toEqual(before);
      }
    });

    it('destroys what is suspended or powered off', async () => {
      for (const call of (['suspend', 'poweroff'] as const).filter((name) => world.hypervisor.can[name])) {
        const vm = newVm();
        await deploy(vm);
        await calls[call](vm, signal());
        await destroy(targetOf(vm, { hard: false }));
        expect(await domainsOf(vm), call).toEqual([]);
      }
    });

    it('refuses a VM that the host has no room for, in words that name both', async () => {
      const small = await world.newHost({ cpu: 100, memory: 256 });
      const vm = newVm({ host: small, capacity: { cpu: 10, memory: 512 } });
      const refusal = problemOf(await deploy(vm).catch((error: unknown) => error));
      expect(refusal?.code).toBe('deploy_refused');
      expect(refusal?.message).toContain(vm.domain);
      expect(refusal?.message).toContain(small.name);
      expect(await domainsOf(vm)).toEqual([]);
    });

    it('refuses a domain name that another VM has', async () => {
      const vm = newVm();
      await deploy(vm);
      const other = newVm({ domain: vm.domain });
      expect(await problemCode(deploy(other))).toBe('deploy_refused');
      expect(await domainsOf(other)).toEqual([]);
      expect(await domainsOf(vm)).toHaveLength(1);
    });

    it('tells of domains of another installation by name, and takes none for its own, though VM, name and host are the same', async () => {
      const shared = await world.newHost({ cpu: 800, memory: 4096 });
      const vm = newVm({ host: shared, epoch: 2 });
      const theirs = { ...vm, epoch: 9, capacity: { cpu: 200, memory: 1024 } };
      await deploy(vm);
      await world.stranger.deploy(theirs, signal());
      for (const [one, own, other] of [
        [world.hypervisor, vm, theirs],
        [world.stranger, theirs, vm],
      ] as const) {
        const { domains, wilds } = await one.probe(shared, signal());
        expect(domains).toMatchObject([{ vm: vm.id, epoch: own.epoch, state: 'running', capacity: own.capacity }]);
        expect(wilds).toMatchObject([{ state: 'running', capacity: other.capacity }]);
        expect(wilds[0]?.name).toContain(vm.domain);
      }
    });

    it('touches no domain of another installation, whatever it is asked to do to its own of that VM, and hears none of its epochs', async () => {
      const shared = await world.newHost({ cpu: 800, memory: 4096 });
      const vm = newVm({ host: shared, epoch: 1 });
      await world.stranger.deploy(vm, signal());
      const before = await world.stranger.probe(shared, signal());
      for (const call of able()) {
        await calls[call]({ ...vm, epoch: 7 }, signal()).catch(() => {});
        await destroy(targetOf(vm, { epoch: 7 }));
        const after = await world.stranger.probe(shared, signal());
        expect(
          after.domains.map(({ deployId, epoch, state }) => [deployId, epoch, state]),
          call,
        ).toEqual(before.domains.map(({ deployId, epoch, state }) => [deployId, epoch, state]));
      }
      await world.stranger.destroy(targetOf(vm, { epoch: 2 }), signal());
      expect((await world.stranger.probe(shared, signal())).domains).toEqual([]);
    });

    it('adopts a domain of another installation once, as it is, and gives it back as it is', async ({ skip }) => {
      needs(skip, 'adopt');
      const shared = await world.newHost({ cpu: 800, memory: 4096 });
      const theirs = newVm({ host: shared, epoch: 5 });
      await world.stranger.deploy(theirs, signal());
      const { deployId } = (await world.stranger.probe(shared, signal())).domains[0] ?? { deployId: '' };
      const vm = newVm({ host: shared });
      const seen = (await world.hypervisor.probe(shared, signal())).wilds.find((wild) => wild.deployId === deployId);
      const from = seen?.installation ?? null;
      const adopt = (one: PlacedVm, id = deployId) =>
        world.hypervisor.adopt({ ...targetOf(one), deployId: id, from }, signal());
      expect(await Promise.all([adopt(vm), adopt(vm)])).toEqual(['running', 'running']);
      expect(await domainsOf(vm)).toMatchObject([{ deployId, epoch: 1, state: 'running', capacity: theirs.capacity }]);
      expect((await world.stranger.probe(shared, signal())).domains).toEqual([]);
      expect(await problemCode(adopt(newVm({ host: shared })))).toBe('action_refused');
      await expect(adopt(newVm({ host: shared }))).rejects.toThrow(`VM ${vm.id}`);
      expect(await problemCode(adopt(newVm({ host: shared }), 'of nobody'))).toBe('action_refused');
      // A third one that has seen it before, as this one's or nobody's, does not get it.
      for (const whose of [from, null])
        expect(
          await problemCode(
            world.stranger.adopt({ ...targetOf(newVm({ host: shared })), deployId, from: whose }, signal()),
          ),
        ).toBe('action_refused');
      expect(await domainsOf(vm)).toMatchObject([{ deployId, epoch: 1, state: 'running' }]);
      // Who is late neither has it back nor again.
      const later = { ...vm, epoch: 3 };
      for (const _ of ['once', 'twice']) await world.hypervisor.disown(targetOf(later), signal());
      expect(await problemCode(adopt(vm))).toBe('stale_epoch');
      expect((await world.stranger.probe(shared, signal())).domains).toMatchObject([
        { vm: theirs.id, deployId, epoch: 5, state: 'running' },
      ]);
      await world.stranger.poweroff(targetOf(theirs), signal());
      expect(await adopt(later)).toBe('stopped');
      // It is started as it is, under whatever epoch, and none is made in its place.
      const started = { ...later, epoch: 4, adopted: true as const };
      for (const _ of ['once', 'twice']) expect(await deploy(started)).toEqual({ deployId, epoch: 4 });
      expect(await deploy({ ...started, epoch: 5 })).toEqual({ deployId, epoch: 5 });
      expect(await domainsOf(vm)).toMatchObject([{ deployId, epoch: 5, state: 'running' }]);
      const ended = { ...later, epoch: 5 };
      expect(await problemCode(world.hypervisor.disown(targetOf(vm), signal()))).toBe('stale_epoch');
      await destroy(targetOf(ended));
      expect(await problemCode(deploy({ ...ended, adopted: true }))).toBe('deploy_refused');
      expect(await world.hypervisor.probe(shared, signal())).toMatchObject({ domains: [], wilds: [] });
    });

    it('has no room for what another installation has taken', async () => {
      const shared = await world.newHost({ cpu: 100, memory: 1024 });
      await world.stranger.deploy(newVm({ host: shared, capacity: { cpu: 10, memory: 900 } }), signal());
      expect(await problemCode(deploy(newVm({ host: shared, capacity: { cpu: 10, memory: 200 } })))).toBe(
        'deploy_refused',
      );
    });

    it('stops waiting for a boot when the signal aborts, and lets the guest boot', async ({ skip }) => {
      if (!world.setBootTime) return skip('its guests have booted when they run');
      await world.setBootTime(1_000);
      const vm = newVm();
      const controller = new AbortController();
      const deployed = world.hypervisor.deploy(vm, controller.signal);
      await expect.poll(() => domainsOf(vm)).toMatchObject([{ state: 'booting' }]);
      controller.abort(new Error('the operator has changed his mind'));
      await expect(deployed).rejects.toThrow('the operator has changed his mind');
      await world.setBootTime(0);
      await deploy(vm);
      expect(await domainsOf(vm)).toMatchObject([{ state: 'running' }]);
    });

    it('does nothing for a signal that has aborted already', async () => {
      const vm = newVm();
      const aborted = AbortSignal.abort(new Error('too late'));
      for (const call of able()) await expect(calls[call](vm, aborted), call).rejects.toThrow('too late');
      await expect(world.hypervisor.probe(host, aborted)).rejects.toThrow('too late');
      expect(await domainsOf(vm)).toEqual([]);
    });

    it('says of a host that cannot be reached that it is unavailable, naming it, and finds all as it was afterwards', async () => {
      const vm = newVm();
      const before = await deploy(vm);
      const gone = newVm();
      await destroy(targetOf(gone, { epoch: 9 }));
      await world.cutOff(host);
      // What is kept away from hosts is discarded without one.
      const atHost = able().filter((name) => name !== 'discard');
      const asked = [...atHost.map((name) => calls[name](vm, signal())), world.hypervisor.probe(host, signal())];
      for (const error of await Promise.all(asked.map((call) => call.catch((reason: unknown) => reason)))) {
        const problem = problemOf(error);
        expect(problem?.code).toBe('backend_unavailable');
        expect(problem?.message).toContain(host.name);
      }
      await world.reach(host);
      expect(await deploy(vm)).toEqual(before);
      expect(await problemCode(deploy({ ...gone, epoch: 8 }))).toBe('stale_epoch');
    });
  });
}
