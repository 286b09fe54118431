import { describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { type ScalingWish, scalingPlan, scalingText } from '../../../domain/scaling/scaling-plan.js';
import type { Role, ServiceState } from '../../../schemas/services/service.js';
import { deployingService } from '../../support/deploying-service.js';

const now = new Date('2026-11-28T12:00:00Z');
const later = new Date(now.getTime() + 60_000);

const resting = { state: 'COOLDOWN', cooldown_until: later, force: true } as const;

function asked(cardinality: number, over: Partial<Role> & Partial<ScalingWish> & { of?: ServiceState } = {}) {
  const { of = 'RUNNING', force = false, rest, ...given } = over;
  const made = deployingService(12, 'op');
  const roles = made.roles.map((role) => ({ ...role, state: 'RUNNING' as const, cardinality: 3 }));
  const [first, ...others] = roles;
  if (!first) throw new Error('a service has roles');
  const role: Role = { ...first, min_vms: 2, max_vms: 5, ...given };
  return scalingPlan(
    { ...made, state: of, roles: [role, ...others] },
    role,
    { cardinality, force, ...(rest !== undefined && { rest }) },
    now,
  );
}

describe('a role is scaled', () => {
  it.each<[string, Parameters<typeof asked>, object]>([
    ['up', [5], { from: 3, to: 5, charged: 2, surplus: 0, forced: null }],
    ['down, and what is to go stays charged', [2], { from: 3, to: 2, charged: 0, surplus: 1, forced: null }],
    ['in a service of which another role is', [4, { of: 'SCALING' }], { to: 4 }],
    ['when it is in WARNING', [4, { state: 'WARNING', of: 'WARNING' }], { to: 4 }],
    [
      'when its cooldown is over and nobody has said so yet',
      [4, { state: 'COOLDOWN', cooldown_until: now }],
      { to: 4 },
    ],
    ['in its cooldown by force', [4, { state: 'COOLDOWN', cooldown_until: later, force: true }], { forced: null }],
    ['above its limit by force', [6, { force: true }], { to: 6, forced: 'max_vms 5' }],
    ['below its limit by force', [0, { force: true }], { to: 0, forced: 'min_vms 2' }],
    ['to what it has in its cooldown, which ends that', [3, { ...resting, rest: 0 }], { from: 3, to: 3, charged: 0 }],
    ['to what it was to have, when that has failed', [3, { state: 'FAILED_SCALING' }], { from: 3, to: 3 }],
    [
      'up after it was not made smaller: what is charged still is not charged twice',
      [5, { state: 'FAILED_SCALING', cardinality: 2, surplus: 2 }],
      { charged: 1, surplus: 0 },
    ],
    [
      'up a little after that: what is left is still to go',
      [3, { state: 'FAILED_SCALING', cardinality: 2, surplus: 2 }],
      { charged: 0, surplus: 1 },
    ],
  ])('%s', (_, wish, plan) => {
    expect(asked(...wish)).toMatchObject(plan);
  });

  it.each<[string, Parameters<typeof asked>, string]>([
    ['below min_vms', [1], 'is 1, below min_vms 2 of role front of service 12. Ask for a number within, or use force'],
    ['above max_vms', [6], 'is 6, above max_vms 5 of role front of service 12. Ask for a number within, or use force'],
    [
      'to what it has without a cooldown to end',
      [3, { rest: 0 }],
      'is the cardinality that role front of service 12 has',
    ],
    ['to what it has', [3], 'is the cardinality that role front of service 12 has already'],
    ['to more than a service may have', [10_000, { force: true }], 'is too many: the service would have 10,006 VMs'],
  ])('not %s, and it is said where the fault is', (_, wish, detail) => {
    const problem = asked(...wish);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ code: 'invalid_request' });
    const [finding] = problem instanceof Problem ? problem.findings : [];
    expect(finding?.pointer).toBe('/cardinality');
    expect(finding?.detail).toContain(detail);
  });

  it.each<[string, Parameters<typeof asked>, string]>([
    [
      'in its cooldown',
      [4, { state: 'COOLDOWN', cooldown_until: later }],
      `in COOLDOWN until ${later.toISOString()}: wait, or use force.`,
    ],
    ['while it is deployed', [4, { state: 'DEPLOYING', of: 'DEPLOYING' }], 'Wait for its deployment.'],
    [
      'that has failed to deploy',
      [4, { state: 'FAILED_DEPLOYING', of: 'FAILED_DEPLOYING' }],
      'Role front of service 12 is FAILED_DEPLOYING: it cannot be scaled. Recover it first.',
    ],
    ['of a service that goes', [4, { of: 'UNDEPLOYING' }], 'Service 12 is UNDEPLOYING'],
    ['of a service that is gone', [4, { of: 'DONE' }], 'Service 12 is DONE'],
    ['while it is scaled', [4, { state: 'SCALING', of: 'SCALING' }], 'Role front of service 12 is SCALING'],
  ])('not %s', (_, wish, detail) => {
    const problem = asked(...wish);
    expect(problem).toMatchObject({ code: 'wrong_state' });
    expect(problem instanceof Problem ? problem.message : '').toContain(detail);
  });

  it('and its service says so in the words of OneFlow, with the limit that it goes beyond', () => {
    expect(scalingText('web', { from: 2, to: 5, forced: null })).toBe('Role web scaling up from 2 to 5 nodes');
    expect(scalingText('web', { from: 2, to: 9, forced: 'max_vms 5' })).toBe(
      'Role web scaling up from 2 to 9 nodes, by force beyond max_vms 5',
    );
    expect(scalingText('web', { from: 2, to: 9, forced: 'max_vms 5' }, {}, 'alice')).toBe(
      'Role web scaling up from 2 to 9 nodes, by force beyond max_vms 5, by alice',
    );
    expect(scalingText('web', { from: 2, to: 1, forced: null })).toBe('Role web scaling down from 2 to 1 nodes');
    expect(scalingText('web', { from: 2, to: 2, forced: null }, { rest: 0 })).toBe('Role web : its cooldown is ended');
    expect(scalingText('web', { from: 5, to: 2, forced: null }, { give_up: true })).toBe(
      'Role web keeps what runs: its scaling is given up, cardinality 5 → 2',
    );
  });
});
