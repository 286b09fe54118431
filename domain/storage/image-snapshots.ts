import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { DiskSnapshots } from '../../schemas/operations/vm-devices.js';
import type { Image } from '../../schemas/storage/image.js';
import type { ProblemCode } from '../problems.js';

type Change = OperationInputs['snapshotImage'];
type Kept = Pick<Image, '_id' | 'name' | 'snapshots'>;

/** Whether anything is kept in an image of what it was. */
export const hasSnapshots = ({ snapshots }: Pick<Image, 'snapshots'>): boolean =>
  (snapshots?.snapshots.length ?? 0) > 0;

/** Why snapshots of an image are not changed so, as a sentence; null: they are. As of those of disks of VMs. */
export function whyNotChanged(
  { _id: id, name, snapshots: its }: Kept,
  { action, snapshot }: Change,
): { code: ProblemCode; why: string } | null {
  const it = `Image ${id} (${name})`;
  const all = its?.snapshots ?? [];
  if (!all.some(({ snapshot_id }) => snapshot_id === snapshot))
    return { code: 'not_found', why: `${it} has no snapshot ${snapshot}.` };
  if (action !== 'snapshot-delete') return null;
  const refused = (why: string) => ({ code: 'wrong_state', why: `${it} ${why}` }) as const;
  if (its?.current === snapshot && all.length > 1)
    return refused(`is written after snapshot ${snapshot}: revert it to another one first, or flatten it.`);
  const after = all.find(({ parent }) => parent === snapshot);
  return after ? refused(`has snapshot ${after.snapshot_id} after ${snapshot}: delete that one first.`) : null;
}

/** Why an image with snapshots is not changed as a whole; null: it has none. `deed`: is cloned, made larger, not persistent. */
export const whyWhole = (image: Kept, deed: string): string | null =>
  hasSnapshots(image)
    ? `Image ${image._id} (${image.name}) has snapshots, and ${deed} when it has none: delete or flatten them first.`
    : null;

/** What is done in its datastore, in this order: of a flattening the one that stays goes last, so that whoever does it again finds it. */
export function changesOf(
  { action, snapshot }: Change,
  there: readonly number[],
): { do: 'revert' | 'drop'; snapshot: number }[] {
  const drop = (one: number) => ({ do: 'drop', snapshot: one }) as const;
  switch (action) {
    case 'snapshot-revert':
      return [{ do: 'revert', snapshot }];
    case 'snapshot-delete':
      return [drop(snapshot)];
    case 'snapshot-flatten':
      // What is gone was flattened already.
      return there.includes(snapshot)
        ? [{ do: 'revert', snapshot }, ...there.filter((one) => one !== snapshot).map(drop), drop(snapshot)]
        : [];
  }
}

/** What is kept of an image when its datastore has these. `current`: the one that it is written after, where that has changed. */
export function snapshotsAfter(
  before: DiskSnapshots,
  there: readonly number[],
  current = before.current,
): DiskSnapshots {
  const left = before.snapshots.filter(({ snapshot_id }) => there.includes(snapshot_id));
  return {
    snapshots: left.map((one) => ({
      ...one,
      parent: one.parent !== null && there.includes(one.parent) ? one.parent : null,
    })),
    current: current !== null && there.includes(current) ? current : null,
    snapshot_ids: before.snapshot_ids,
  };
}
