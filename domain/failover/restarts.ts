import type { Restarts, Vm } from '../../schemas/vms/vm.js';
import { lengthOf } from '../words.js';

/** Within so many milliseconds restarts are counted together. */
export const restartWindow = 3_600_000;

/** What is done with a VM whose guest has crashed. */
export type RestartVerdict = { do: 'restart' } | { do: 'give_up'; why: string } | { do: 'nothing' };

/** When it was started again within the window. */
const recentOf = (restarts: Restarts | null | undefined, now: Date): Date[] =>
  (restarts?.at ?? []).filter((at) => now.getTime() - at.getTime() < restartWindow);

/**
 * It is started again where it was, up to `most` times within an hour; then it is given up until somebody has done something with it, which
 * raises its epoch.
 */
export function restartOf(
  { epoch, restarts }: Pick<Vm, 'epoch' | 'restarts'>,
  most: number,
  now: Date,
): RestartVerdict {
  if (most === 0 || restarts?.given_up === epoch) return { do: 'nothing' };
  const recent = recentOf(restarts, now);
  if (recent.length < most) return { do: 'restart' };
  const times = recent.length === 1 ? 'once' : `${recent.length} times`;
  return {
    do: 'give_up',
    why: `its guest has crashed, and was started again ${times} within ${lengthOf(restartWindow)}: not again by itself`,
  };
}

/** With one more; those that count no more are forgotten. */
export const restartedAt = (restarts: Restarts | null | undefined, now: Date): Restarts => ({
  at: [...recentOf(restarts, now), now],
  given_up: null,
});

/**
 * Of VMs that are to be started again, those whose turn it is: none goes before one of a role that it stands on, be that among them or starting
 * already. `starting`: `service/role`.
 */
export function firstOf<V extends Pick<Vm, 'service'>>(
  vms: readonly V[],
  before: (vm: V) => readonly string[],
  starting: ReadonlySet<string>,
): V[] {
  const waitedFor = new Set([
    ...starting,
    ...vms.flatMap(({ service }) => (service ? [`${service.id}/${service.role}`] : [])),
  ]);
  return vms.filter((vm) => !before(vm).some((role) => waitedFor.has(role)));
}
