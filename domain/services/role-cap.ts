/** VMs of a role that are not DONE, as they count when others are to take the places of some. */
export type Standing<V> = {
  /** They have their places, and keep them: those too that somebody terminates by hand, until they are gone. */
  filling: number;
  /** An operation removes them, or has not been able to. */
  going: number;
  /** They were left behind on silent hosts, where they may run, and have no places any more. */
  behind: number;
  /** They are to go so that others take their places; the first first. */
  failed: readonly V[];
};

export type Replacement<V> = {
  /** They go now. */
  replaced: V[];
  /** They stay in their places until some of those that go are gone. */
  waiting: V[];
  /** VMs to be made now. */
  lacking: number;
  /** Places that stay empty until some of those that go are gone. */
  vacant: number;
};

/**
 * The cap, whoever makes VMs of a role. What goes may run until it is gone: a role of which each removal fails would grow
 * without end. So never more VMs go at a time for others to take their places than the role is to have, and none is made that
 * would leave it with more than twice as many as that, wherever they are.
 */
export function replacement<V>(cardinality: number, { filling, going, behind, failed }: Standing<V>): Replacement<V> {
  const most = Math.max(0, cardinality - going);
  const [replaced, waiting] = [failed.slice(0, most), failed.slice(most)];
  const empty = Math.max(0, cardinality - filling - waiting.length);
  const room = going > cardinality ? 0 : roomOf(cardinality, filling + going + behind + failed.length);
  const lacking = Math.min(empty, room);
  return { replaced, waiting, lacking, vacant: empty - lacking };
}

/** How many more VMs a role may have for a time, those among them that are going. `vms`: of it that are not DONE. */
const roomOf = (cardinality: number, vms: number): number => Math.max(0, 2 * cardinality - vms);

/** Why nothing is made in the place of what a role lacks; null: that is not why. `vms`: of it that are not DONE. */
export const heldBack = (cardinality: number, vms: number): string | null =>
  cardinality > 0 && roomOf(cardinality, vms) === 0
    ? `it has ${vms} VMs with those that are not gone yet, and no more are made until some of them are`
    : null;
