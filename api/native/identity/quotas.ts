import type { ProblemCode } from '../../../domain/problems.js';
import {
  DefaultQuotas,
  DefaultQuotasEdit,
  OwnQuotas,
  QuotaEdit,
  type QuotaHolderType,
  QuotaResource,
  quotaFields,
  UpdateDefaultQuotas,
  UpdateQuota,
  UpdateUserQuota,
  UserQuotaEdit,
} from '../../../schemas/identity/quota.js';
import { kinds } from '../../../schemas/kinds.js';
import { patches } from '../../http/edit-body.js';
import { listQuery } from '../list-query.js';
import { ById, lists, NoParams, NoQuery, noBody, type Route, route, shows } from '../route.js';
import { fiftyVms, noDefaults, ofAlice, ofUsers, own } from './quotas-examples.js';

const tag = 'Quotas';
const pages = lists('QuotaPage', QuotaResource);

const pathOf = (type: QuotaHolderType): string => `/quotas${kinds[type].path}`;

/** The same for users and for groups. `quota`: what an example shows. */
function ofHolders(type: QuotaHolderType, names: { list: string; show: string }, quota: QuotaResource): Route[] {
  const params = { id: String(quota.id) };
  const path = pathOf(type);
  return [
    route({
      id: names.list,
      method: 'get',
      path,
      tag,
      summary: `List the quotas of ${kinds[type].several}`,
      needs: [['see', type, 'quotas']],
      description: `Those that have used anything yet or have limits of their own. Those on whom you have the USE right: ${type === 'user' ? 'yourself, and as admin of a group its users' : 'your groups'}.`,
      params: NoParams,
      query: listQuery(quotaFields, QuotaResource),
      body: noBody,
      answer: pages,
      problems: [],
      examples: [{ answer: { items: [quota], next_cursor: null } }],
      handle: ({ quotas }, { caller, query }) => quotas.list(caller, type, query),
    }),
    route({
      id: names.show,
      method: 'get',
      path: `${path}/{id}`,
      tag,
      summary: `Show the quotas of a ${type}`,
      needs: [['use', type]],
      params: ById,
      query: NoQuery,
      body: noBody,
      answer: shows(QuotaResource),
      problems: ['not_found'],
      examples: [{ params, answer: quota }],
      handle: ({ quotas }, { caller, params: { id } }) => quotas.show(caller, { type, id }),
    }),
  ];
}

/** What is said of setting limits, of users and of groups. */
const setting = (type: QuotaHolderType) => ({
  method: 'patch' as const,
  path: `${pathOf(type)}/{id}`,
  tag,
  summary: `Set limits of a ${type}`,
  needs: [['admin', type]] as const,
  description:
    'Limits that are absent stay; null makes one the default. One below what is used takes nothing away: it refuses more of that.',
  params: ById,
  query: NoQuery,
  answer: shows(QuotaResource),
  problems: ['not_found', 'wrong_state'] satisfies ProblemCode[],
});

export const quotaRoutes: readonly Route[] = [
  route({
    id: 'showOwnQuotas',
    method: 'get',
    path: '/quotas',
    tag,
    summary: 'Show your quotas, and those of your groups',
    needs: ['credentials'],
    params: NoParams,
    query: NoQuery,
    body: noBody,
    answer: shows(OwnQuotas),
    problems: [],
    examples: [{ answer: own }],
    handle: ({ quotas }, { caller }) => quotas.own(caller),
  }),
  route({
    id: 'showDefaultQuotas',
    method: 'get',
    path: '/quotas/defaults',
    tag,
    summary: 'Show the default limits of users and of groups',
    needs: ['credentials'],
    params: NoParams,
    query: NoQuery,
    body: noBody,
    answer: shows(DefaultQuotas),
    problems: [],
    examples: [{ answer: noDefaults }],
    handle: ({ quotas }) => quotas.showDefaults(),
  }),
  route({
    id: 'updateDefaultQuotas',
    method: 'patch',
    path: '/quotas/defaults',
    tag,
    summary: 'Set default limits of users and of groups',
    needs: ['administrator'],
    description: 'Limits that are absent stay; null takes one away.',
    params: NoParams,
    query: NoQuery,
    body: patches(UpdateDefaultQuotas.meta({ id: 'UpdateDefaultQuotas' }), DefaultQuotasEdit),
    answer: shows(DefaultQuotas),
    problems: [],
    examples: [{ body: { users: { vms: 50 } }, answer: fiftyVms }],
    handle: ({ quotas }, { caller, body: revise, precondition }) =>
      quotas.updateDefaults(caller, { revise, precondition }),
  }),
  ...ofHolders('user', { list: 'listUserQuotas', show: 'showUserQuota' }, ofAlice),
  route({
    ...setting('user'),
    id: 'updateUserQuota',
    body: patches(UpdateUserQuota.meta({ id: 'UpdateUserQuota' }), UserQuotaEdit),
    examples: [{ params: { id: String(ofAlice.id) }, body: { vms: 10, cpu: 8.5 }, answer: ofAlice }],
    handle: ({ quotas }, { caller, params: { id }, body: revise, precondition }) =>
      quotas.updateUser(caller, id, { revise, precondition }),
  }),
  ...ofHolders('group', { list: 'listGroupQuotas', show: 'showGroupQuota' }, ofUsers),
  route({
    ...setting('group'),
    id: 'updateGroupQuota',
    body: patches(UpdateQuota.meta({ id: 'UpdateQuota' }), QuotaEdit),
    examples: [{ params: { id: String(ofUsers.id) }, body: { services: 5 }, answer: ofUsers }],
    handle: ({ quotas }, { caller, params: { id }, body: revise, precondition }) =>
      quotas.update(caller, id, { revise, precondition }),
  }),
];
