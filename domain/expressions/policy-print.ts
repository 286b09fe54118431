import type { Condition, Measure, Operand, PolicyComparison } from './policy-syntax.js';

/** What stands for a measure; itself, unless somebody has found its value. */
type Shown = (measure: Measure) => string;

/** The text of a condition, with brackets around every joint within another: it reads the same to everybody. */
export function printCondition(condition: Condition, shown: Shown = printMeasure): string {
  switch (condition.kind) {
    case 'compare':
      return printComparison(condition, shown);
    case 'not':
      return `!${condition.of.kind === 'not' ? printCondition(condition.of, shown) : `(${printCondition(condition.of, shown)})`}`;
    case 'and':
    case 'or':
      return condition.of
        .map((part) =>
          part.kind === 'and' || part.kind === 'or' ? `(${printCondition(part, shown)})` : printCondition(part, shown),
        )
        .join(condition.kind === 'and' ? ' & ' : ' | ');
  }
}

export const printMeasure = ({ name, aggregate, said }: Measure): string => (said ? `${aggregate}(${name})` : name);

const printComparison = ({ left, op, right }: PolicyComparison, shown: Shown): string =>
  `${printOperand(left, shown)} ${op} ${printOperand(right, shown)}`;

const printOperand = (operand: Operand, shown: Shown): string =>
  operand.kind === 'number' ? String(operand.value) : shown(operand);
