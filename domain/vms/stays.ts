import { limits } from '../../schemas/common/limits.js';
import type { HistoryRecord, Vm } from '../../schemas/vms/vm.js';

/** The host that a VM is on, or null: its last stay, if that has not ended. */
export function placeOf(vm: Pick<Vm, 'history'>): HistoryRecord | null {
  const last = vm.history.at(-1);
  return last && last.etime === null ? last : null;
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
