import type { ShownMethod, StoredMethod } from '../../schemas/hosts/fencing.js';
import type { ShownPolicy, StoredPolicy } from '../../schemas/hosts/ha.js';

/** What is to be done when a host fails, as it was asked for, but for what opens a BMC. */
export function policyOf({ ha }: { ha?: StoredPolicy | null }): ShownPolicy | null {
  if (!ha) return null;
  const { action, polls, stopped, restarts, alive, fencing } = ha;
  return { action, polls, stopped, restarts, alive, fencing: fencing.map(shownMethod) };
}

function shownMethod(method: StoredMethod): ShownMethod {
  if (!('password' in method)) return method;
  const { password: _sealed, ...rest } = method;
  return rest;
}
