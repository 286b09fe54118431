import { PausePolicy, RolePolicies, RolePoliciesResource } from '../../../schemas/scaling/policies.js';
import { PathId } from '../../http/path-id.js';
import { json, NoQuery, noBody, type Route, route, shows } from '../route.js';
import { pausedPolicyOfWeb, policiesOfWeb, webPolicies } from './policies-examples.js';
import { RoleOfService } from './role-of-service.js';

const path = '/services/{id}/roles/{role}/policies';
const PolicyOfRole = RoleOfService.extend({ policy: PathId.describe('Its place in the list, from 0') });

export const policyRoutes: readonly Route[] = [
  route({
    ...{ id: 'showPolicies', method: 'get', path, tag: 'Services' },
    summary: 'Show the elasticity policies of a role, with what they have decided and why',
    needs: [['use', 'service']],
    params: RoleOfService,
    query: NoQuery,
    body: noBody,
    answer: shows(RolePoliciesResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1', role: 'web' }, answer: policiesOfWeb }],
    handle: ({ policies }, { caller, params }) => policies.show(caller, params.id, params.role),
  }),
  route({
    ...{ id: 'replacePolicies', method: 'put', path, tag: 'Services' },
    summary: 'Give a role of a service other elasticity policies',
    needs: [['manage', 'service']],
    description:
      'They are checked as in a service template. Policies whose expression and periods stay the same go on counting. `min_vms` and `max_vms` stay as they are where they are not said.',
    params: RoleOfService,
    query: NoQuery,
    body: json(RolePolicies.meta({ id: 'ReplacePolicies' })),
    answer: shows(RolePoliciesResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1', role: 'web' }, body: webPolicies, answer: policiesOfWeb }],
    handle: ({ policies }, { caller, params, body, precondition }) =>
      policies.replace(caller, params.id, params.role, body, precondition),
  }),
  route({
    ...{ id: 'pausePolicy', method: 'post', path: `${path}/{policy}/pause`, tag: 'Services' },
    summary: 'Have a policy do nothing, until it is resumed or until a time',
    needs: [['manage', 'service']],
    params: PolicyOfRole,
    query: NoQuery,
    body: json(PausePolicy.meta({ id: 'PausePolicy' }), 'optional'),
    answer: shows(RolePoliciesResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1', role: 'web', policy: '1' }, body: {}, answer: pausedPolicyOfWeb }],
    handle: ({ policies }, { caller, params, body, precondition }) =>
      policies.pause(caller, params.id, params.role, params.policy, body, precondition),
  }),
  route({
    ...{ id: 'resumePolicy', method: 'post', path: `${path}/{policy}/resume`, tag: 'Services' },
    summary: 'Have a policy that is paused go on',
    needs: [['manage', 'service']],
    params: PolicyOfRole,
    query: NoQuery,
    body: noBody,
    answer: shows(RolePoliciesResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1', role: 'web', policy: '1' }, answer: policiesOfWeb }],
    handle: ({ policies }, { caller, params, precondition }) =>
      policies.resume(caller, params.id, params.role, params.policy, precondition),
  }),
];
