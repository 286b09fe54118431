import { expect, it } from 'vitest';
import { isArmed, whyUnarmed } from '../../../domain/failover/armed.js';
import type { StoredMethod } from '../../../schemas/hosts/fencing.js';
import { type FenceTest, HaPolicy, type StoredPolicy } from '../../../schemas/hosts/ha.js';

const command: StoredMethod = { kind: 'command', program: 'off', arguments: [], timeout: 60 };
const policy = (fencing: StoredMethod[], methods: string | undefined = 'now'): StoredPolicy => ({
  ...{ ...HaPolicy.parse({ action: 'recreate' }), fencing, by: 0 },
  ...(methods !== undefined && { methods }),
});
const test = (over: Partial<FenceTest> = {}): FenceTest => ({
  ...{ at: new Date(1), op: 'op-1', methods: 'now', failed: null },
  ...over,
});

it.each([
  ['without a policy', {}, null, null],
  ['where a person alone is asked', { ha: policy([{ kind: 'manual' }]) }, true, null],
  ['where nobody has tried it', { ha: policy([command]) }, false, /^nobody has tried/],
  [
    'where nobody has tried what comes before a person',
    { ha: policy([command, { kind: 'manual' }]) },
    false,
    /^nobody/,
  ],
  ['after a test', { ha: policy([command]), fence_test: test() }, true, null],
  ['after a test of other methods', { ha: policy([command], 'then'), fence_test: test() }, false, /was changed since/],
  [
    'after a test that has failed',
    { ha: policy([command]), fence_test: test({ failed: 'no route' }) },
    false,
    /has failed \(no route\): arcus host fence-test 3$/,
  ],
])('a policy is armed or not: %s', (_, host, armed, why) => {
  expect(isArmed(host)).toBe(armed);
  if (why === null) expect(whyUnarmed(host, 3)).toBeNull();
  else expect(whyUnarmed(host, 3)).toMatch(why);
});

it('a policy of an earlier version, whose methods have no name, is not armed by any test', () => {
  const { methods: _none, ...ha } = policy([command]);
  expect(isArmed({ ha, fence_test: test() })).toBe(false);
});
