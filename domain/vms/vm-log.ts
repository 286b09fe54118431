import type { HistoryRecord, Vm, VmLogLine } from '../../schemas/vms/vm.js';
import { brief, longest } from '../brief.js';

type VmStates = Pick<Vm, 'state' | 'lcm_state'>;

/** The line for what a VM has come to; null: it is as it was. */
export function logLine(
  before: VmStates,
  after: VmStates,
  { at, op, reason }: Pick<VmLogLine, 'at' | 'op' | 'reason'>,
): VmLogLine | null {
  if (before.state === after.state && before.lcm_state === after.lcm_state) return null;
  const { state, lcm_state } = after;
  return { at, state, lcm_state, op, reason: reason && brief(reason, longest.vm) };
}

/** The first line of a VM: it is there. */
export const firstLine = ({
  state,
  lcm_state,
  created_at: at,
}: Pick<Vm, 'state' | 'lcm_state' | 'created_at'>): VmLogLine => ({
  ...{ at, state, lcm_state, op: null, reason: null },
});

const phases = ['prolog', 'running', 'epilog'] as const;
type Phase = (typeof phases)[number];

/** By how life-cycle states are called. What brings a VM to another host is of neither stay; what is done to one that is off, neither. */
function phaseOf({ state, lcm_state }: Pick<VmLogLine, 'state' | 'lcm_state'>): Phase | null {
  if (state !== 'ACTIVE' || lcm_state === 'LCM_INIT' || lcm_state.endsWith('_FAILURE')) return null;
  if (lcm_state.startsWith('PROLOG')) return lcm_state.startsWith('PROLOG_MIGRATE') ? null : 'prolog';
  if (lcm_state.startsWith('EPILOG')) return 'epilog';
  return /^(?:HOTPLUG|DISK)_.{0,40}_(?:POWEROFF|SUSPENDED)$/.test(lcm_state) ? null : 'running';
}

export type Span = { from: Date; until: Date | null };
/** A stay with when each phase of it was last, and the lines that were written in it. */
export type ToldStay = HistoryRecord & { [P in Phase]: Span | null } & { lines: VmLogLine[] };

/** What the log tells of the stays of a VM: it alone is written, so that the two never disagree. */
export const toldStays = (history: readonly HistoryRecord[], log: readonly VmLogLine[]): ToldStay[] =>
  history.map((stay, nth) => {
    const after = history[nth + 1]?.stime ?? null;
    const isIts = ({ at }: VmLogLine): boolean =>
      at >= stay.stime && (stay.etime === null || at <= stay.etime || after === null) && (after === null || at < after);
    const lines = log.filter(isIts);
    // One that has come to its host while it ran is in no state that says so.
    const before = log.filter(({ at }) => at < stay.stime).at(-1);
    const running = before && phaseOf(before) === 'running' ? [{ ...before, at: stay.stime }] : [];
    const spans: { [P in Phase]: Span | null } = { prolog: null, running: null, epilog: null };
    let now: Phase | null = null;
    for (const line of [...running, ...lines]) {
      const { at } = line;
      const next = phaseOf(line);
      if (next === now) continue;
      if (now) spans[now] = { from: spans[now]?.from ?? at, until: at };
      if (next) spans[next] = { from: at, until: null };
      now = next;
    }
    if (now && stay.etime) spans[now] = { from: spans[now]?.from ?? stay.etime, until: stay.etime };
    return { ...stay, ...spans, lines };
  });
