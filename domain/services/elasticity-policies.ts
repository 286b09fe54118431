import type { ElasticityPolicy, ServiceTemplateBody } from '../../schemas/services/service-template.js';
import type { Fault } from '../expressions/parse.js';
import { parseCondition, parseTarget, readingsOf } from '../expressions/policy-parse.js';
import type { Finding } from '../problems.js';

/** What is wrong with the elasticity policies of a role, each by itself. */
export const wrongPolicies = (policies: readonly ElasticityPolicy[] = [], pointer: string): Finding[] =>
  policies.flatMap((policy, at) =>
    wrongPolicy(policy).map(({ member, detail }) => ({ pointer: `${pointer}/${at}/${member}`, detail })),
  );

type Wrong = { member: string; detail: string };

function wrongPolicy(policy: ElasticityPolicy): Wrong[] {
  const { expression, target } = policy;
  if (target !== undefined) return wrongTarget(policy, target);
  const missing = (['type', 'adjust', 'expression'] as const)
    .filter((member) => policy[member] === undefined)
    .map((member): Wrong => ({ member, detail: 'is required, unless there is a target' }));
  if (expression === undefined) return missing;
  if (expression.trim() === '') return [...missing, { member: 'expression', detail: 'must not be empty' }];
  const parsed = parseCondition(expression);
  return parsed.ok ? missing : [...missing, { member: 'expression', detail: said(parsed.fault) }];
}

/** What a target decides by itself cannot be said besides it. */
function wrongTarget(policy: ElasticityPolicy, target: string): Wrong[] {
  const others = (['type', 'adjust', 'min_adjust_step', 'expression'] as const)
    .filter((member) => policy[member] !== undefined)
    .map((member): Wrong => ({ member, detail: 'does not go with a target, which says how many VMs it takes' }));
  const parsed = parseTarget(target);
  return parsed.ok ? others : [...others, { member: 'target', detail: said(parsed.fault) }];
}

const said = ({ line, column, detail }: Fault): string => `line ${line}, column ${column}: ${detail}`;

/** What an author should know: where OneFlow would read an expression in another way. Roles may have been left out. */
export const policyWarnings = ({ roles = [] }: Partial<Pick<ServiceTemplateBody, 'roles'>>): string[] =>
  roles.flatMap(({ name, elasticity_policies: policies = [] }) =>
    policies.flatMap(({ expression }, at) => {
      const readings = expression === undefined ? null : readingsOf(expression);
      if (!readings) return [];
      return [
        `Policy ${at} of role ${name} is read here as ${readings.here}, for ! binds tighter than &, and that tighter than |. OneFlow would read it as ${readings.oneFlow}. Brackets make it the same for both.`,
      ];
    }),
  );
