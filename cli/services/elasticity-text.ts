import type { ElasticityPolicyResource } from '../../schemas/services/service.js';
import type { ElasticityPolicy } from '../../schemas/services/service-template.js';
import { tableOf } from '../shell/output.js';

/** `+ 2`, `- 10 % (2)`, `= 6`, as the guide has it. */
export function adjustText({ type, adjust = 0, min_adjust_step: least }: ElasticityPolicy): string {
  const amount = `${adjust < 0 ? '-' : '+'} ${Math.abs(adjust)}`;
  switch (type) {
    case undefined:
      return '-';
    case 'CARDINALITY':
      return `= ${adjust}`;
    case 'CHANGE':
      return amount;
    case 'PERCENTAGE_CHANGE':
      return `${amount} %${least === undefined ? '' : ` (${least})`}`;
  }
}

export const expressionText = ({ expression, target }: ElasticityPolicy): string =>
  expression ?? `target ${target ?? ''}`;

/** `2 / 3`: so many periods in a row of those that it takes. */
export const evaluationText = (true_evals: number, { period_number: periods = 1 }: ElasticityPolicy): string =>
  `${true_evals} / ${Math.max(1, periods)}`;

export const periodText = ({ period = 0 }: ElasticityPolicy): string => `${period}s`;

/** The elasticity rules of a role as the guide shows them (1.4.5), with what each has come to last and why. */
export const elasticityText = (policies: readonly ElasticityPolicyResource[], now: number): string =>
  tableOf(
    [
      { title: 'POLICY', text: ({ at }) => String(at), right: true },
      { title: 'ADJUST', text: adjustText },
      { title: 'EXPRESSION', text: expressionText },
      { title: 'EVALUATION', text: (policy) => evaluationText(policy.true_evals, policy) },
      { title: 'PERIOD', text: periodText, right: true },
      { title: 'LAST', text: (policy) => pauseText(policy, now) ?? lastText(policy) },
    ],
    policies.map((policy, at) => ({ ...policy, at })),
  );

function pauseText({ enabled, paused_until: until }: ElasticityPolicy, now: number): string | null {
  if (enabled === false) return 'paused';
  return until !== undefined && Date.parse(until) > now ? `paused until ${until}` : null;
}

const lastText = ({ last }: ElasticityPolicyResource): string =>
  last ? `${last.verdict}: ${last.why}${last.found === null ? '' : `, by ${last.found}`}` : '-';
