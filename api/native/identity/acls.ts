import { AclResource, aclFields, CreateAcl } from '../../../schemas/identity/acl.js';
import { listQuery } from '../list-query.js';
import { ById, creates, json, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { seesHosts } from './identity-examples.js';

const tag = 'ACL rules';

export const aclRoutes: readonly Route[] = [
  route({
    id: 'listAcls',
    method: 'get',
    path: '/acls',
    tag,
    summary: 'List rules',
    needs: [['see', 'acl']],
    description:
      'Administrators see all; others those that are about them. What follows from groups is shown with the groups.',
    params: NoParams,
    query: listQuery(aclFields, AclResource),
    body: noBody,
    answer: lists('AclRulePage', AclResource),
    problems: [],
    examples: [{ query: { filter: 'rule~@100*' }, answer: { items: [seesHosts], next_cursor: null } }],
    handle: ({ acls }, { caller, query }) => acls.list(caller, query),
  }),
  route({
    id: 'createAcl',
    method: 'post',
    path: '/acls',
    tag,
    summary: 'Make a rule; for administrators',
    needs: ['administrator'],
    description: 'Rules only grant. Users and groups that a rule names have to exist.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateAcl.meta({ id: 'CreateAcl' })),
    answer: creates(AclResource),
    problems: ['already_there', 'wrong_state'],
    examples: [{ body: { rule: '@100 HOST/* USE' }, answer: seesHosts }],
    handle: ({ acls }, { caller, body }) => acls.create(caller, body),
  }),
  route({
    id: 'showAcl',
    method: 'get',
    path: '/acls/{id}',
    tag,
    summary: 'Show a rule',
    needs: [['concern', 'acl']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(AclResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: seesHosts }],
    handle: ({ acls }, { caller, params }) => acls.show(caller, params.id),
  }),
  route({
    id: 'deleteAcl',
    method: 'delete',
    path: '/acls/{id}',
    tag,
    summary: 'Remove a rule; for administrators',
    needs: ['administrator'],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: null }],
    handle: ({ acls }, { caller, params, precondition }) => acls.remove(caller, params.id, precondition),
  }),
];
