import { limits } from '../../schemas/common/limits.js';
import type { HistoryRecord, Moving, Vm } from '../../schemas/vms/vm.js';

/** The host that a VM is on, or null: its last stay, if that has not ended. */
export function placeOf(vm: Pick<Vm, 'history'>): HistoryRecord | null {
  const last = vm.history.at(-1);
  return last && last.etime === null ? last : null;
}

/** The hosts on which something of a VM may be: where it is, and where it is to go, in this order. */
export function placesOf({
  history,
  moving,
}: Pick<Vm, 'history' | 'moving'>): Pick<HistoryRecord, 'hid' | 'hostname'>[] {
  const place = placeOf({ history });
  return [...(place ? [place] : []), ...(moving ? [moving] : [])];
}

/** The history of a VM that has come to where it was to go. */
export function arrival(history: readonly HistoryRecord[], moving: Moving, now: Date): HistoryRecord[] {
  const { hid, hostname, vm_mad, epoch, placed } = moving;
  // Its disks stay where they are.
  const { datastore } = history.at(-1) ?? {};
  return withStay(endStay(history, 'user', now), {
    ...{ seq: (history.at(-1)?.seq ?? -1) + 1, hid, hostname, vm_mad, epoch },
    ...{ stime: now, etime: null, reason: 'none' },
    ...(datastore !== undefined && { datastore }),
    ...(placed && { placed }),
  });
}

/** The history with its last stay ended. */
export const endStay = (
  history: readonly HistoryRecord[],
  reason: HistoryRecord['reason'],
  now: Date,
): HistoryRecord[] =>
  history.map((record, index) =>
    index === history.length - 1 && record.etime === null ? { ...record, etime: now, reason } : record,
  );

/** The history with one more stay; the oldest go. */
export const withStay = (history: readonly HistoryRecord[], stay: HistoryRecord): HistoryRecord[] => [
  ...history.slice(1 - limits.stays.most),
  stay,
];
