import type { MetricName } from '../../schemas/hosts/metrics.js';
import { printMeasure } from '../expressions/policy-print.js';
import type { Aggregate, Measure } from '../expressions/policy-syntax.js';
import { few } from '../words.js';

export type HypervisorMetric = Uppercase<MetricName>;

/** What hypervisors tell of a VM, in OpenNebula's units: CPU (100: one core), MEMORY (KB), and counters, such as NETTX (bytes). */
export const hypervisorMetrics: readonly HypervisorMetric[] = [
  ...(['CPU', 'MEMORY', 'NETTX', 'NETRX'] as const),
  ...(['DISKRDBYTES', 'DISKRDIOPS', 'DISKWRBYTES', 'DISKWRIOPS'] as const),
];

/** The last that was seen of a VM by its hypervisor, and when. */
export type Sample = { at: Date } & { readonly [metric in HypervisorMetric]?: number | undefined };

/** A running VM as policies look at it. */
export type MeasuredVm = {
  id: number;
  name: string;
  user_template: Readonly<Record<string, unknown>>;
  template: Readonly<Record<string, unknown>>;
  /** What its document itself has, such as UID. */
  own: Readonly<Record<string, unknown>>;
  /** Since when it is where it is. */
  since: Date;
  /** null: nothing was ever seen of it. */
  sample: Sample | null;
};

/**
 * `sampled`: when the hypervisor told the newest of the values; null: none of them is from there. `without`: how many running VMs have
 * none; `least`: what it is with 0 for those.
 */
export type Measured = { value: number; sampled: Date | null; without: number; least: number } | { unknown: string };

type Found = { value: number; sampled: Date | null } | { unknown: string } | 'absent';

/**
 * What the running VMs of a role come to. A VM that lacks the attribute is left out, as the guide says; none of them has it:
 * unknown. So it is where a value is a text, or the hypervisor has told nothing of a VM, or nothing for longer than
 * `stale` milliseconds: what stands in the template instead, CPU and MEMORY among it, is no measurement. `others`: VMs that run and
 * are not asked yet.
 */
export function measured(
  vms: readonly MeasuredVm[],
  measure: Measure,
  { now, stale }: { now: Date; stale: number },
  others = 0,
): Measured {
  if (vms.length === 0) return { unknown: 'no VM of the role runs' };
  const values: number[] = [];
  let sampled: Date | null = null;
  for (const vm of vms) {
    const found = valueIn(vm, measure.name, { now, stale });
    if (found === 'absent') continue;
    if ('unknown' in found) return found;
    values.push(found.value);
    if (found.sampled && (!sampled || found.sampled > sampled)) sampled = found.sampled;
  }
  if (values.length > 0) {
    const make = made[measure.aggregate];
    const without = vms.length - values.length + others;
    const value = make(values);
    return { value, sampled, without, least: without === 0 ? value : make([...values, ...zeros(without)]) };
  }
  const names = few(vms.map(nameOf));
  return { unknown: `${names} ${vms.length === 1 ? 'has' : 'have'} no ${measure.name}` };
}

/** What stands in the user template of a VM of these, as far as it is numbers; null: nothing. */
export function toldOf(
  { user_template }: Pick<MeasuredVm, 'user_template'>,
  names: Iterable<string>,
): Record<string, number> | null {
  const values = [...names].flatMap((name) => {
    const found = has(user_template, name) ? numberOf(user_template[name], name) : 'absent';
    return found !== 'absent' && 'value' in found ? [[name, found.value] as const] : [];
  });
  return values.length === 0 ? null : Object.fromEntries(values);
}

/** The guide’s order: user template, monitoring, template, the VM itself. */
function valueIn(vm: MeasuredVm, name: string, { now, stale }: { now: Date; stale: number }): Found {
  const { user_template, template, own, sample } = vm;
  if (has(user_template, name)) return numberOf(user_template[name], `${name} of ${nameOf(vm)}`);
  const metric = hypervisorMetrics.find((one) => one === name);
  if (metric) {
    const value = sample?.[metric];
    if (!sample || value === undefined) return { unknown: `${nameOf(vm)} has no ${name} yet: no host has told it` };
    const age = now.getTime() - sample.at.getTime();
    if (age > stale)
      return { unknown: `${name} of ${nameOf(vm)} is stale: it was told ${Math.round(age / 1_000)} s ago` };
    return { value, sampled: sample.at };
  }
  for (const attributes of [template, own])
    if (has(attributes, name)) return numberOf(attributes[name], `${name} of ${nameOf(vm)}`);
  return 'absent';
}

const has = (attributes: Readonly<Record<string, unknown>>, name: string): boolean =>
  Object.hasOwn(attributes, name) && attributes[name] !== null && attributes[name] !== undefined;

function numberOf(value: unknown, what: string): Found {
  if (typeof value === 'number' && Number.isFinite(value)) return { value, sampled: null };
  if (typeof value === 'string' && /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/.test(value)) {
    const number = Number(value);
    if (Number.isFinite(number)) return { value: number, sampled: null };
  }
  return { unknown: `${what} is no number` };
}

const nameOf = ({ id, name }: Pick<MeasuredVm, 'id' | 'name'>): string => `VM ${id} (${name})`;

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

/** What is beyond the numbers there are is the largest of them. */
const bounded = (value: number): number => Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);

const sum = (values: readonly number[]): number => values.reduce((total, value) => bounded(total + value), 0);

/** Of values whose sum is beyond the numbers there are, of what each adds to it. */
function average(values: readonly number[]): number {
  const total = values.reduce((all, value) => all + value, 0);
  return Number.isFinite(total) ? total / values.length : sum(values.map((value) => value / values.length));
}

const made: Readonly<Record<Aggregate, (values: readonly number[]) => number>> = {
  avg: average,
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
  sum,
  // The nearest rank: a value that a VM has.
  p95: (values) => values.toSorted((one, other) => one - other)[Math.ceil(values.length * 0.95) - 1] ?? 0,
};

/** `CPU[95.3]`, as OneFlow shows what it has found; `CPU[--]`: it is not known. */
export const shownMeasure = (measure: Measure, found: Measured): string =>
  `${printMeasure(measure)}[${'value' in found ? rounded(found.value) : '--'}]`;

const rounded = (value: number): string =>
  String(Math.abs(value) < Number.MAX_SAFE_INTEGER ? Math.round(value * 100) / 100 : value);
