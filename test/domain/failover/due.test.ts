import { describe, expect, it } from 'vitest';
import { brakeOn, expectedRecovery, isDue, mostFailed } from '../../../domain/failover/due.js';
import type { StoredMethod } from '../../../schemas/hosts/fencing.js';
import { HaPolicy, type StoredPolicy } from '../../../schemas/hosts/ha.js';
import type { HostState } from '../../../schemas/hosts/host.js';

const ha = policyOf({ action: 'recreate' });
const silence = new Date(1_000);
const command: StoredMethod = { kind: 'command', program: 'off', arguments: [], timeout: 30 };
function policyOf({
  fencing = [{ kind: 'manual' }],
  ...rest
}: {
  action: 'recreate';
  fencing?: StoredMethod[];
}): StoredPolicy {
  return { ...HaPolicy.parse(rest), fencing, by: 0, methods: 'now' };
}
const passed = { at: new Date(), op: 'op-1', methods: 'now', failed: null };
const host = (over: Partial<Parameters<typeof isDue>[0]> = {}) => ({
  ...{ _id: 1, name: 'host-1', state: 'ERROR' as HostState, ha, missed: 3, operation: null, silent_since: silence },
  ...over,
});

describe('a failover is due', () => {
  it.each([
    ['after as many missed polls as the policy says', {}, true],
    ['after more', { missed: 9 }, true],
    ['not after fewer', { missed: 2 }, false],
    ['not without a policy', { ha: null }, false],
    ['not before what turns it off was tried', { ha: policyOf({ action: 'recreate', fencing: [command] }) }, false],
    ['after that', { ha: policyOf({ action: 'recreate', fencing: [command] }), fence_test: passed }, true],
    ['not in maintenance', { state: 'DISABLED' as const }, false],
    ['not of one that is offline', { state: 'OFFLINE' as const }, false],
    ['not while something is at work on it', { operation: 'op-1' }, false],
    ['once for a silence', { failed_over: new Date(1_000) }, false],
    ['again for another', { failed_over: new Date(1) }, true],
  ])('%s', (_, over, due) => expect(isDue(host(over))).toBe(due));
});

it('four in ten hosts of a cluster may fail, and one always', () => {
  expect([1, 2, 3, 5, 10, 50].map(mostFailed)).toEqual([1, 1, 1, 2, 4, 20]);
});

it('more than that are taken for a failure of what looks at them; those in maintenance count for nothing', () => {
  const hosts = (failed: number, well: number, more: Parameters<typeof host>[0][] = []) => [
    ...Array.from({ length: failed }, (_, _id) => host({ _id })),
    ...Array.from({ length: well }, (_, at) => host({ _id: 100 + at, state: 'MONITORED' })),
    ...more.map((over) => host(over)),
  ];
  expect(brakeOn(host(), hosts(2, 3))).toBeNull();
  expect(brakeOn(host(), hosts(3, 2))).toContain('3 of 5 hosts');
  expect(brakeOn(host(), hosts(2, 2, [{ state: 'DISABLED' }, { state: 'OFFLINE' }]))).toContain('2 of 4 hosts');
  expect(brakeOn(host(), hosts(1, 1, [{ cluster_id: 7 }, { cluster_id: 7 }]))).toBeNull();
});

it('the time until its VMs are started elsewhere is told, unless a person is asked first', () => {
  const settings = { monitoringInterval: 20 };
  const policy = (fencing: StoredMethod[]) => ({
    ha: policyOf({ action: 'recreate', fencing }),
    fence_test: passed,
  });
  expect(expectedRecovery(policy([command]), settings)).toBe(3 * 20 + 12 + 30 + 5);
  expect(expectedRecovery(policy([command, command]), settings)).toBe(3 * 20 + 12 + 60 + 5);
  expect(expectedRecovery(policy([{ kind: 'manual' }]), settings)).toBeNull();
  expect(expectedRecovery({}, settings)).toBeNull();
  expect(expectedRecovery({ ha: policyOf({ action: 'recreate', fencing: [command] }) }, settings)).toBeNull();
});
