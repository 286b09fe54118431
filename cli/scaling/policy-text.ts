import type { RolePoliciesResource } from '../../schemas/scaling/policies.js';
import { adjustText, evaluationText, expressionText, periodText } from '../services/elasticity-text.js';
import { pairs, tableOf } from '../shell/output.js';

type Policy = RolePoliciesResource['policies'][number];
type Said = NonNullable<Policy['last']>;

/** The policies of a role as the guide shows them, with what each has come to. */
export const policiesText = (role: RolePoliciesResource): string => `${headText(role)}\n\n${tableText(role.policies)}`;

/** One policy, or what keeps up min_vms, with its log. */
export function policyText(role: RolePoliciesResource, policy: Policy): string {
  const { definition, last, log } = policy;
  // That it is paused, and whether it still is, is said by itself.
  const { enabled: _enabled, paused_until: _until, ...rules } = definition;
  const given = Object.entries(rules).map(([name, value]): [string, string] => [
    name.toUpperCase().replaceAll('_', ' '),
    String(value),
  ]);
  return [
    `POLICY ${policy.policy} OF ROLE ${role.role}`,
    pairs([
      ...given,
      ['PAUSED', policy.paused],
      ['EVALUATION', evaluationOf(policy)],
      ['LAST EVALUATED', policy.last_eval ?? 'never'],
      ['LAST', last && saidText(last)],
    ]),
    '',
    'DECISIONS',
    ...(log.length === 0 ? ['none yet'] : log.map((said) => `${said.at} ${saidText(said)}`)),
  ].join('\n');
}

const headText = ({ role, cardinality, min_vms, max_vms, waits, least }: RolePoliciesResource): string =>
  [
    `ELASTICITY RULES OF ROLE ${role}`,
    pairs([
      ['CARDINALITY', String(cardinality)],
      ['MIN VMS', min_vms === null ? null : String(min_vms)],
      ['MAX VMS', max_vms === null ? null : String(max_vms)],
      ['WAITS', waits],
      ['MIN VMS KEPT UP', least.last && `${least.last.at} ${saidText(least.last)}`],
    ]),
  ].join('\n');

const tableText = (policies: readonly Policy[]): string =>
  policies.length === 0
    ? 'It has no elasticity policies.'
    : tableOf(
        [
          { title: 'POLICY', text: ({ policy }: Policy) => String(policy), right: true },
          { title: 'ADJUST', text: ({ definition }: Policy) => adjustText(definition) },
          {
            title: 'EXPRESSION',
            text: ({ definition }: Policy) => expressionText(definition),
            cut: true,
          },
          { title: 'EVALUATION', text: evaluationOf },
          { title: 'PERIOD', text: ({ definition }: Policy) => periodText(definition), right: true },
          {
            title: 'LAST',
            text: ({ last, paused }: Policy) => paused ?? (last ? `${last.verdict}: ${last.why}` : '-'),
          },
        ],
        policies,
      );

const evaluationOf = ({ true_evals, definition }: Policy): string => evaluationText(true_evals, definition);

const saidText = ({ verdict, why, found, operation }: Said): string =>
  `${verdict}: ${why}${found === null ? '' : `, by ${found}`}${operation === null ? '' : ` (operation ${operation})`}`;
