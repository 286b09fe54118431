import { printCondition } from '../expressions/policy-print.js';
import { type Condition, type Measure, measuresOf, type Operand, type Operator } from '../expressions/policy-syntax.js';
import { type Measured, type MeasuredVm, measured, shownMeasure } from './measures.js';

export type Judged = {
  /** null: not known, for a value is missing, stale or a text. */
  verdict: boolean | null;
  /** The condition with what was found: `CPU[95.3] > 90`. */
  text: string;
  /** Why it is not known. */
  unknown: string | null;
  /** When the hypervisor told the newest value that was looked at; null: none is from there. */
  sampled: Date | null;
};

type Looked = (measure: Measure) => Measured;

/** Three-valued, as Kleene's: what is not known stays so, unless the rest decides without it. */
export function judgeCondition(
  condition: Condition,
  vms: readonly MeasuredVm[],
  when: { now: Date; stale: number },
): Judged {
  const found = new Map(
    measuresOf(condition).map((measure) => [`${measure.aggregate} ${measure.name}`, measured(vms, measure, when)]),
  );
  const look: Looked = ({ aggregate, name }) => found.get(`${aggregate} ${name}`) ?? { unknown: `no ${name}` };
  const verdict = judge(condition, look);
  const sampled = [...found.values()].flatMap((one) => ('value' in one && one.sampled ? [one.sampled] : []));
  return {
    verdict,
    text: printCondition(condition, (measure) => shownMeasure(measure, look(measure))),
    unknown:
      verdict === null
        ? ([...found.values()].flatMap((one) => ('unknown' in one ? [one.unknown] : []))[0] ?? null)
        : null,
    sampled: sampled.length === 0 ? null : new Date(Math.max(...sampled.map((at) => at.getTime()))),
  };
}

function judge(condition: Condition, look: Looked): boolean | null {
  switch (condition.kind) {
    case 'compare': {
      const [left, right] = [valueIn(condition.left, look), valueIn(condition.right, look)];
      return left === null || right === null ? null : holds[condition.op](left, right);
    }
    case 'not': {
      const verdict = judge(condition.of, look);
      return verdict === null ? null : !verdict;
    }
    case 'and':
    case 'or': {
      const settling = condition.kind === 'or';
      const verdicts = condition.of.map((part) => judge(part, look));
      if (verdicts.includes(settling)) return settling;
      return verdicts.includes(null) ? null : !settling;
    }
  }
}

function valueIn(operand: Operand, look: Looked): number | null {
  if (operand.kind === 'number') return operand.value;
  const found = look(operand);
  return 'value' in found ? found.value : null;
}

const holds: Readonly<Record<Operator, (left: number, right: number) => boolean>> = {
  '=': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};
