import type { Host } from '../../schemas/hosts/host.js';
import { isAutomatic } from '../hosts/fencing-methods.js';

type Tested = Pick<Host, 'ha' | 'fence_test'>;

/**
 * Whether a failover may begin by itself: each method that needs nobody has turned the host off and on in a test, as they are now, or a
 * person is asked and nothing else. null: the host has no policy.
 */
export function isArmed({ ha, fence_test }: Tested): boolean | null {
  if (!ha) return null;
  if (!ha.fencing.some(isAutomatic)) return true;
  return fence_test !== undefined && fence_test.methods === ha.methods && fence_test.failed === null;
}

/** What is to be done before it is; null: nothing, or it has no policy. `id`: of the host. */
export function whyUnarmed(host: Tested, id: number): string | null {
  if (isArmed(host) !== false) return null;
  const test = `arcus host fence-test ${id}`;
  const { ha, fence_test } = host;
  if (!fence_test) return `nobody has tried whether it can be turned off: ${test}`;
  if (fence_test.methods !== ha?.methods) return `how it is turned off was changed since that was tried: ${test}`;
  return `the last try to turn it off has failed (${fence_test.failed}): ${test}`;
}
