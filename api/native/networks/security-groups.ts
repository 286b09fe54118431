import { namedFields } from '../../../schemas/common/list.js';
import {
  CreateSecurityGroup,
  SecurityGroupEdit,
  SecurityGroupResource,
  UpdateSecurityGroup,
} from '../../../schemas/networks/security-group.js';
import { patches } from '../../http/edit-body.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { ownershipRoutes } from '../ownership.js';
import { ById, creates, json, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { web } from './security-groups-examples.js';

const path = '/security-groups';
const tag = 'Security groups';

export const securityGroupRoutes: readonly Route[] = [
  route({
    ...{ id: 'listSecurityGroups', method: 'get', path, tag },
    summary: 'List security groups',
    needs: [['see', 'security_group']],
    params: NoParams,
    query: listQuery(namedFields, SecurityGroupResource),
    body: noBody,
    answer: lists('SecurityGroupPage', SecurityGroupResource),
    problems: [],
    examples: [{ query: { filter: 'name~web*' }, answer: { items: [web], next_cursor: null } }],
    handle: ({ securityGroups }, { caller, query }) => securityGroups.list(caller, query),
  }),
  route({
    ...{ id: 'createSecurityGroup', method: 'post', path, tag },
    summary: 'Add a security group',
    needs: [['create', 'security_group']],
    description:
      'NICs and virtual networks name it by its id in SECURITY_GROUPS. What one of the groups of a NIC lets pass passes; what answers it does, too.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateSecurityGroup.meta({ id: 'CreateSecurityGroup' })),
    answer: creates(SecurityGroupResource),
    problems: ['name_taken', 'quota_exceeded'],
    examples: [{ body: { name: 'web', rules: web.rules }, answer: web }],
    handle: ({ securityGroups }, { caller, body }) => securityGroups.create(caller, body),
  }),
  route({
    ...{ id: 'showSecurityGroup', method: 'get', path: `${path}/{id}`, tag },
    summary: 'Show a security group',
    needs: [['use', 'security_group']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(SecurityGroupResource),
    problems: ['not_found'],
    examples: [{ params: { id: '100' }, answer: web }],
    handle: ({ securityGroups }, { caller, params }) => securityGroups.show(caller, params.id),
  }),
  route({
    ...{ id: 'updateSecurityGroup', method: 'patch', path: `${path}/{id}`, tag },
    summary: 'Rename a security group, or give it other rules',
    needs: [edits('security_group')],
    description: 'Rules are replaced as a whole.',
    params: ById,
    query: NoQuery,
    body: patches(UpdateSecurityGroup.meta({ id: 'UpdateSecurityGroup' }), SecurityGroupEdit),
    answer: shows(SecurityGroupResource),
    problems: ['not_found', 'name_taken', 'wrong_state'],
    examples: [
      {
        params: { id: '100' },
        body: { rules: [{ protocol: 'TCP', rule_type: 'inbound', range: '443' }] },
        answer: { ...web, rules: [{ protocol: 'TCP', rule_type: 'inbound', range: '443' }] },
      },
    ],
    handle: ({ securityGroups }, { caller, params, body: revise, precondition }) =>
      securityGroups.update(caller, params.id, { revise, precondition }),
  }),
  route({
    ...{ id: 'deleteSecurityGroup', method: 'delete', path: `${path}/{id}`, tag },
    summary: 'Remove a security group that nobody has',
    needs: [edits('security_group')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'in_use', 'wrong_state'],
    examples: [{ params: { id: '100' }, answer: null }],
    handle: ({ securityGroups }, { caller, params, precondition }) =>
      securityGroups.remove(caller, params.id, precondition),
  }),
  ...ownershipRoutes('security_group', {
    schema: SecurityGroupResource,
    examples: { chmod: sharing('100', web), chown: giving('100', web) },
    of: ({ securityGroups }) => securityGroups,
  }),
];
