/** What is made of the values that the running VMs of a role have of an attribute; `avg` where nothing is said. */
export const aggregates = ['avg', 'min', 'max', 'sum', 'p95'] as const;
export type Aggregate = (typeof aggregates)[number];

/** `said`: whether the aggregate stands there. */
export type Measure = { kind: 'measure'; name: string; aggregate: Aggregate; said: boolean };
export type Operand = { kind: 'number'; value: number } | Measure;
export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=';
export type PolicyComparison = { kind: 'compare'; left: Operand; op: Operator; right: Operand };

/** As written: a level of & and | stands flat, for there are two ways of reading it. */
export type PolicyChain = { first: PolicyTerm; rest: { op: '&' | '|'; term: PolicyTerm }[] };
export type PolicyTerm = PolicyComparison | { kind: 'not'; of: PolicyTerm } | { kind: 'group'; chain: PolicyChain };

/** As read. Joints have two parts or more. */
export type Condition =
  | PolicyComparison
  | { kind: 'not'; of: Condition }
  | { kind: 'and' | 'or'; of: readonly Condition[] };

/** Every comparison of a condition, from left to right. */
export function comparisonsOf(condition: Condition): PolicyComparison[] {
  switch (condition.kind) {
    case 'compare':
      return [condition];
    case 'not':
      return comparisonsOf(condition.of);
    case 'and':
    case 'or':
      return condition.of.flatMap(comparisonsOf);
  }
}

/** What a condition asks for, each once. */
export function measuresOf(condition: Condition): Measure[] {
  const found = new Map<string, Measure>();
  for (const { left, right } of comparisonsOf(condition))
    for (const operand of [left, right])
      if (operand.kind === 'measure') found.set(`${operand.aggregate} ${operand.name}`, operand);
  return [...found.values()];
}
