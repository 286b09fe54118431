import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { etaOf, serviceProgress, vmProgress } from '../../../domain/services/progress.js';
import { storedVmState, type VmStateName } from '../../../domain/vms/vm-states.js';
import type { Operation } from '../../../schemas/operations/operation.js';

const at = (seconds: number): Date => new Date(1_800_000_000_000 + seconds * 1_000);
const running = (over: Partial<Pick<Operation, 'state' | 'waiting_for'>> = {}) => ({
  state: 'running' as const,
  waiting_for: null,
  started_at: at(0),
  ...over,
});

describe('the ETA', () => {
  it('is the median of the earlier runs after the start', () => {
    expect(etaOf(running(), [9_000, 1_000, 5_000], at(1))).toEqual({ at: at(5), typicalMilliseconds: 5_000, runs: 3 });
    expect(etaOf(running(), [2_000, 4_000], at(1))).toMatchObject({ at: at(3) });
  });

  it('is none when overdue, waiting, not running, or without earlier runs', () => {
    expect(etaOf(running(), [5_000], at(5))).toBeNull();
    expect(etaOf(running({ waiting_for: 'capacity' }), [5_000], at(1))).toBeNull();
    for (const state of ['accepted', 'waiting', 'waiting_for_you', 'succeeded', 'failed', 'cancelled'] as const)
      expect(etaOf(running({ state }), [5_000], at(1))).toBeNull();
    expect(etaOf(running(), [], at(1))).toBeNull();
  });

  it('is always ahead, whatever the runs before took', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1e7 })),
        fc.integer({ min: 0, max: 1e4 }),
        (durations, seconds) => {
          const eta = etaOf(running(), durations, at(seconds));
          expect(eta === null || eta.at > at(seconds)).toBe(true);
        },
      ),
    );
  });
});

const roles = [
  { name: 'db', cardinality: 1 },
  { name: 'web', cardinality: 3 },
].map((role) => ({
  ...role,
  state: 'DEPLOYING' as const,
  reason: null,
  vm_template: 0,
  parents: [],
  last_vmname: 0,
  mark: null,
}));
const service = (gate: boolean) => ({
  roles,
  body: { name: 'shop', deployment: 'straight' as const, ready_status_gate: gate },
});
const vm = (role: string, state: VmStateName, ready = false) => ({
  ...storedVmState(state),
  service: { id: 12, role, ordinal: 0 },
  user_template: ready ? { READY: 'yes' } : {},
});

describe('the progress', () => {
  const vms = [vm('db', 'ACTIVE/RUNNING', true), vm('web', 'ACTIVE/RUNNING'), vm('web', 'ACTIVE/BOOT')];

  it('of a deployment counts the VMs that run of those there are to be, a role at a time', () => {
    expect(serviceProgress('deployService', service(false), vms)).toEqual({
      done: 2,
      total: 4,
      unit: 'VMs',
      roles: [
        { name: 'db', state: 'DEPLOYING', done: 1, total: 1 },
        { name: 'web', state: 'DEPLOYING', done: 1, total: 3 },
      ],
    });
  });

  it('behind a ready gate counts those that have reported', () => {
    expect(serviceProgress('deployService', service(true), vms)).toMatchObject({ done: 1, total: 4 });
  });

  it('of an undeployment counts the VMs that are gone of those there were', () => {
    const leaving = [vm('db', 'ACTIVE/SHUTDOWN'), vm('web', 'DONE'), vm('web', 'DONE')];
    expect(serviceProgress('undeployService', service(false), leaving)).toMatchObject({
      done: 2,
      total: 3,
      roles: [
        { done: 0, total: 1 },
        { done: 2, total: 2 },
      ],
    });
  });

  it('of a VM is all or nothing', () => {
    const done = (kind: 'deployVm' | 'terminateVm' | 'recoverVm', state: VmStateName) =>
      vmProgress({ _id: 'op', kind, input: {} }, { ...storedVmState(state), history: [] }).done;
    expect([done('deployVm', 'ACTIVE/BOOT'), done('deployVm', 'ACTIVE/RUNNING')]).toEqual([0, 1]);
    expect([done('terminateVm', 'ACTIVE/SHUTDOWN'), done('terminateVm', 'DONE')]).toEqual([0, 1]);
    expect([done('recoverVm', 'ACTIVE/BOOT'), done('recoverVm', 'ACTIVE/RUNNING')]).toEqual([0, 1]);
  });

  it.each([
    ['snapshot-create', undefined, [], [{ id: 3, op: 'op' }]],
    ['snapshot-revert', 3, [{ id: 3, op: 'before' }], [{ id: 3, op: 'op' }]],
    ['snapshot-delete', 3, [{ id: 3, op: 'before' }], []],
  ] as const)('of a VM that runs before and after, goes by its snapshots: %s', (action, snapshot, before, after) => {
    const input = { action, ...(snapshot !== undefined && { snapshot }) };
    const done = [before, after].map((some) => {
      const snapshots = some.map((one) => ({ ...one, name: 'x', at: new Date(), active: true }));
      const vm = { ...storedVmState('ACTIVE/RUNNING'), history: [], snapshots };
      return vmProgress({ _id: 'op', kind: 'performOnVm', input }, vm).done;
    });
    expect(done).toEqual([0, 1]);
  });
});
