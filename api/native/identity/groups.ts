import { CreateGroup, GroupEdit, GroupResource, groupFields, UpdateGroup } from '../../../schemas/identity/group.js';
import { patches } from '../../http/edit-body.js';
import { PathId } from '../../http/path-id.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { ById, creates, json, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { web, webWithAdmin } from './identity-examples.js';

const tag = 'Groups';
const Admin = ById.extend({ user_id: PathId });

export const groupRoutes: readonly Route[] = [
  route({
    id: 'listGroups',
    method: 'get',
    path: '/groups',
    tag,
    summary: 'List groups',
    needs: [['see', 'group']],
    description: 'Yours, and those on which you have the USE right.',
    params: NoParams,
    query: listQuery(groupFields, GroupResource),
    body: noBody,
    answer: lists('GroupPage', GroupResource),
    problems: [],
    examples: [{ query: { filter: 'name~w*' }, answer: { items: [web], next_cursor: null } }],
    handle: ({ groups }, { caller, query }) => groups.list(caller, query),
  }),
  route({
    id: 'createGroup',
    method: 'post',
    path: '/groups',
    tag,
    summary: 'Add a group',
    needs: [['create', 'group']],
    params: NoParams,
    query: NoQuery,
    body: json(CreateGroup.meta({ id: 'CreateGroup' })),
    answer: creates(GroupResource),
    problems: ['name_taken'],
    examples: [
      {
        body: { name: 'web', create: { users: ['VM', 'TEMPLATE', 'DOCUMENT'] }, shared_view: true },
        answer: web,
      },
    ],
    handle: ({ groups }, { caller, body }) => groups.create(caller, body),
  }),
  route({
    id: 'showGroup',
    method: 'get',
    path: '/groups/{id}',
    tag,
    summary: 'Show a group with its admins and the rules that follow from it',
    needs: [['use', 'group']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(GroupResource),
    problems: ['not_found'],
    examples: [{ params: { id: '100' }, answer: web }],
    handle: ({ groups }, { caller, params }) => groups.show(caller, params.id),
  }),
  route({
    id: 'updateGroup',
    method: 'patch',
    path: '/groups/{id}',
    tag,
    summary: 'Rename a group, say what its members and admins may create and whether members see each other’s work',
    needs: [edits('group')],
    params: ById,
    query: NoQuery,
    body: patches(UpdateGroup.meta({ id: 'UpdateGroup' }), GroupEdit),
    answer: shows(GroupResource),
    problems: ['not_found', 'name_taken', 'wrong_state'],
    examples: [
      {
        params: { id: '100' },
        body: { name: 'webshop' },
        answer: { ...web, name: 'webshop', members: 1 },
      },
    ],
    handle: ({ groups }, { caller, params, body: revise, precondition }) =>
      groups.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'deleteGroup',
    method: 'delete',
    path: '/groups/{id}',
    tag,
    summary: 'Remove a group without members and objects',
    needs: [edits('group')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'in_use', 'wrong_state'],
    examples: [{ params: { id: '100' }, answer: null }],
    handle: ({ groups }, { caller, params, precondition }) => groups.remove(caller, params.id, precondition),
  }),
  route({
    id: 'addGroupAdmin',
    method: 'put',
    path: '/groups/{id}/admins/{user_id}',
    tag,
    summary: 'Make a member an admin of a group',
    needs: [['admin', 'group']],
    params: Admin,
    query: NoQuery,
    body: noBody,
    answer: shows(GroupResource),
    problems: ['not_found', 'wrong_state'],
    examples: [{ params: { id: '100', user_id: '3' }, answer: webWithAdmin }],
    handle: ({ groups }, { caller, params, precondition }) =>
      groups.addAdmin(caller, params.id, params.user_id, precondition),
  }),
  route({
    id: 'removeGroupAdmin',
    method: 'delete',
    path: '/groups/{id}/admins/{user_id}',
    tag,
    summary: 'Make an admin of a group a plain member',
    needs: [['admin', 'group']],
    params: Admin,
    query: NoQuery,
    body: noBody,
    answer: shows(GroupResource),
    problems: ['not_found', 'wrong_state'],
    examples: [{ params: { id: '100', user_id: '3' }, answer: { ...web, members: 1 } }],
    handle: ({ groups }, { caller, params, precondition }) =>
      groups.removeAdmin(caller, params.id, params.user_id, precondition),
  }),
];
