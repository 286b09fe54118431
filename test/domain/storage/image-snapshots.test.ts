import { describe, expect, it } from 'vitest';
import {
  changesOf,
  hasSnapshots,
  snapshotsAfter,
  whyNotChanged,
  whyWhole,
} from '../../../domain/storage/image-snapshots.js';

const taken_at = new Date();
const snapshot = (snapshot_id: number, parent: number | null = null) => ({ snapshot_id, name: 'n', parent, taken_at });
const kept = { snapshots: [snapshot(0), snapshot(1, 0), snapshot(2, 1)], current: 2, snapshot_ids: 3 };
const image = { _id: 7, name: 'data', snapshots: kept };

describe('snapshots of an image', () => {
  it('are changed by what there is of them', () => {
    const why = (action: Parameters<typeof whyNotChanged>[1]['action'], of: number, its = kept) =>
      whyNotChanged({ ...image, snapshots: its }, { action, snapshot: of })?.why ?? null;
    expect(why('snapshot-revert', 0)).toBeNull();
    expect(why('snapshot-flatten', 1)).toBeNull();
    expect(why('snapshot-revert', 4)).toBe('Image 7 (data) has no snapshot 4.');
    expect(why('snapshot-delete', 1)).toContain('has snapshot 2 after 1');
    expect(why('snapshot-delete', 2)).toContain('revert it to another one first, or flatten it');
    expect(why('snapshot-delete', 2, { ...kept, current: 1 })).toBeNull();
    expect(why('snapshot-delete', 0, { snapshots: [snapshot(0)], current: 0, snapshot_ids: 1 })).toBeNull();
    expect(whyNotChanged({ _id: 7, name: 'data' }, { action: 'snapshot-delete', snapshot: 0 })?.code).toBe('not_found');
  });

  it('keep it from what is done to it as a whole', () => {
    expect(whyWhole(image, 'is cloned')).toContain('Image 7 (data) has snapshots, and is cloned when it has none');
    expect(whyWhole({ _id: 7, name: 'data' }, 'is cloned')).toBeNull();
    expect(hasSnapshots({ snapshots: { ...kept, snapshots: [] } })).toBe(false);
  });

  it('are flattened in an order in which whoever does it again knows how far it is', () => {
    const flatten = (there: number[]) => changesOf({ action: 'snapshot-flatten', snapshot: 1 }, there);
    expect(flatten([0, 1, 2]).map((one) => `${one.do} ${one.snapshot}`)).toEqual([
      'revert 1',
      'drop 0',
      'drop 2',
      'drop 1',
    ]);
    expect(flatten([1]).map((one) => `${one.do} ${one.snapshot}`)).toEqual(['revert 1', 'drop 1']);
    expect(flatten([])).toEqual([]);
  });

  it('are those that its datastore has, and numbers are given once', () => {
    expect(snapshotsAfter(kept, [1, 2])).toEqual({ ...kept, snapshots: [snapshot(1), snapshot(2, 1)] });
    expect(snapshotsAfter(kept, [0, 1], 1)).toMatchObject({ current: 1, snapshots: [{ parent: null }, { parent: 0 }] });
    expect(snapshotsAfter(kept, [])).toEqual({ snapshots: [], current: null, snapshot_ids: 3 });
  });
});
