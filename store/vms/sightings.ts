import type { Connection } from 'mongoose';
import { brief, longest } from '../../domain/brief.js';
import type { Verdict } from '../../domain/vms/sightings.js';
import { logLine } from '../../domain/vms/vm-log.js';
import { losesSnapshots } from '../../domain/vms/vm-snapshots.js';
import type { KnownVm } from '../../domain/vms/zombies.js';
import type { Sighting, Vm } from '../../schemas/vms/vm.js';
import { pushLine } from './vm-guards.js';
import { stateAfter } from './vm-transitions.js';
import type { VmStore } from './vms.js';

/** A VM as monitoring reads it. */
export type WatchedVm = Pick<Vm, '_id' | 'state' | 'lcm_state' | 'epoch' | 'history' | 'sighting' | 'service' | 'lost'>;

const watchedFields = {
  ...{ state: 1, lcm_state: 1, epoch: 1, sighting: 1, service: 1, lost: 1 },
  history: { $slice: -1 },
} as const;

/** Nobody works at it, nor is about to, and it is on its way nowhere. */
const left = { hold: null, operation: null, wanted: null, moving: null };
const running = { state: 'ACTIVE', lcm_state: 'RUNNING' } as const;

/**
 * What monitoring writes of VMs, at which nobody works. Whatever it writes replaces the id of the look before: one that was
 * overtaken by another, or by an operation, matches nothing any more.
 */
export function createSightings(connection: Connection, vms: VmStore) {
  const native = () => connection.collection<Vm>('vms');

  return {
    /**
     * VMs of these hosts that are not where a VM should be: UNKNOWN, failed to boot, switched off, or missed by an earlier look; on `silent`
     * hosts those that run, too. Read before the hosts are asked, so that what they say is newer than this.
     */
    async watched(hosts: readonly number[], silent: readonly number[]): Promise<WatchedVm[]> {
      if (hosts.length === 0) return [];
      const at = { 'history.hid': { $in: [...hosts] } };
      const ask = (filter: object) =>
        vms.model
          .find({ ...filter, ...left }, watchedFields)
          .hint('by_place_and_state')
          .lean<WatchedVm[]>()
          .exec();
      const found = await Promise.all([
        ask({ ...at, state: { $in: ['POWEROFF', 'SUSPENDED'] }, lcm_state: 'LCM_INIT' }),
        ask({ ...at, state: 'ACTIVE', lcm_state: 'UNKNOWN' }),
        ask({ ...at, state: 'ACTIVE', lcm_state: 'BOOT_FAILURE' }),
        ask({ ...at, ...running, 'sighting.missing': true }),
        silent.length > 0
          ? ask({ 'history.hid': { $in: [...silent] }, ...running, 'sighting.missing': { $ne: true } })
          : [],
      ]);
      return found.flat();
    },

    /** Ids of the VMs that run on these hosts, or once were there: read from the index alone. */
    async runningOn(hosts: readonly number[]): Promise<number[]> {
      if (hosts.length === 0) return [];
      const found = await native()
        .find(
          { 'history.hid': { $in: [...hosts] }, ...running },
          { projection: { _id: 1 }, hint: 'by_place_and_state' },
        )
        .toArray();
      return found.map(({ _id }) => _id);
    },

    /** What is written of the VMs of which a host has domains. */
    async known(ids: readonly number[]): Promise<KnownVm[]> {
      return vms.model
        .find(
          { _id: { $in: [...ids] } },
          {
            ...{ state: 1, lcm_state: 1, epoch: 1, operation: 1, hold: 1, wanted: 1, left_behind: 1, moving: 1 },
            adopts: 1,
            history: { $slice: -1 },
          },
        )
        .lean<KnownVm[]>()
        .exec();
    },

    /** Which of these domains are those of these VMs. */
    async deployed(ids: readonly number[], deployIds: readonly string[]): Promise<ReadonlySet<string>> {
      const found = await vms.model
        .find({ _id: { $in: [...ids] }, deploy_id: { $in: [...deployIds] } }, { deploy_id: 1 })
        .lean<Pick<Vm, 'deploy_id'>[]>()
        .exec();
      return new Set(found.flatMap(({ deploy_id }) => deploy_id ?? []));
    },

    /** Of these, the VMs that run and that nobody works at, as they are now. */
    stillRunning: (ids: readonly number[]) =>
      vms.model
        .find({ _id: { $in: [...ids] }, ...running, ...left }, watchedFields)
        .lean<WatchedVm[]>()
        .exec(),

    /** A first look has missed these: the next one, if it does too, says what they are. */
    async miss(missed: readonly WatchedVm[], look: string): Promise<void> {
      if (missed.length === 0) return;
      const sighting: Sighting = { look, missing: true };
      await vms.model.updateMany(
        { _id: { $in: missed.map(({ _id }) => _id) }, ...running, ...left, 'sighting.missing': { $ne: true } },
        { $set: { sighting } },
      );
    },

    /** One batch of guarded writes; returns the services whose VMs were to change. */
    async record(judged: readonly { vm: WatchedVm; verdict: Verdict }[], look: string): Promise<number[]> {
      if (judged.length === 0) return [];
      const sighting: Sighting = { look, missing: false };
      const at = new Date();
      await native().bulkWrite(
        judged.map(({ vm, verdict }) => {
          const { _id, state, lcm_state, epoch } = vm;
          const filter = { _id, state, lcm_state, epoch, ...left, 'sighting.look': vm.sighting?.look ?? null };
          if (verdict === 'clear') return { updateOne: { filter, update: { $set: { sighting } } } };
          const after = stateAfter(vm, verdict.event);
          const reason = verdict.reason && brief(verdict.reason, longest.vm);
          const line = logLine(vm, after, { at, op: null, reason });
          return {
            updateOne: {
              filter,
              update: {
                $set: {
                  ...{ ...after, reason, sighting, lost: verdict.lost ?? null },
                  ...(losesSnapshots(verdict.event) && { snapshots: [] }),
                },
                ...pushLine(line),
              },
            },
          };
        }),
        { ordered: false },
      );
      const moved = judged.filter(({ verdict }) => verdict !== 'clear');
      return [...new Set(moved.flatMap(({ vm }) => vm.service?.id ?? []))];
    },
  };
}
export type Sightings = ReturnType<typeof createSightings>;
