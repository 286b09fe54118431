import {
  DefaultQuotas,
  OwnQuotas,
  type QuotaHolderType,
  QuotaResource,
  quotaFields,
  UpdateDefaultQuotas,
  UpdateQuota,
} from '../../schemas/quota.js';
import { listQuery } from '../list-query.js';
import { ById, json, lists, NoParams, NoQuery, noBody, type Route, route, shows } from '../route.js';

const tag = 'Quotas';
const pages = lists('QuotaPage', QuotaResource);
const Update = UpdateQuota.meta({ id: 'UpdateQuota' });

/** The same for users and for groups. */
function ofHolders(type: QuotaHolderType, names: { list: string; show: string; update: string }): Route[] {
  const path = `/quotas/${type}s`;
  return [
    route({
      id: names.list,
      method: 'get',
      path,
      tag,
      summary: `List the quotas of ${type}s`,
      description: `Those that have used anything yet or have limits of their own. Those on whom you have the USE right: ${type === 'user' ? 'yourself, and as admin of a group its users' : 'your groups'}.`,
      params: NoParams,
      query: listQuery(quotaFields, QuotaResource),
      body: noBody,
      answer: pages,
      problems: [],
      handle: ({ quotas }, { caller, query }) => quotas.list(caller, type, query),
    }),
    route({
      id: names.show,
      method: 'get',
      path: `${path}/{id}`,
      tag,
      summary: `Show the quotas of a ${type}`,
      params: ById,
      query: NoQuery,
      body: noBody,
      answer: shows(QuotaResource),
      problems: ['not_found'],
      handle: ({ quotas }, { caller, params: { id } }) => quotas.show(caller, { type, id }),
    }),
    route({
      id: names.update,
      method: 'patch',
      path: `${path}/{id}`,
      tag,
      summary: `Set limits of a ${type}`,
      description: 'Limits that are absent stay. One below what is used takes nothing away: it refuses more of that.',
      params: ById,
      query: NoQuery,
      body: json(Update),
      answer: shows(QuotaResource),
      problems: ['not_found'],
      handle: ({ quotas }, { caller, params: { id }, body }) => quotas.update(caller, { type, id }, body),
    }),
  ];
}

export const quotaRoutes: readonly Route[] = [
  route({
    id: 'showOwnQuotas',
    method: 'get',
    path: '/quotas',
    tag,
    summary: 'Show your quotas, and those of your groups',
    params: NoParams,
    query: NoQuery,
    body: noBody,
    answer: shows(OwnQuotas),
    problems: [],
    handle: ({ quotas }, { caller }) => quotas.own(caller),
  }),
  route({
    id: 'showDefaultQuotas',
    method: 'get',
    path: '/quotas/defaults',
    tag,
    summary: 'Show the default limits of users and of groups',
    params: NoParams,
    query: NoQuery,
    body: noBody,
    answer: shows(DefaultQuotas),
    problems: [],
    handle: ({ quotas }) => quotas.showDefaults(),
  }),
  route({
    id: 'updateDefaultQuotas',
    method: 'patch',
    path: '/quotas/defaults',
    tag,
    summary: 'Set default limits of users and of groups',
    description: 'Limits that are absent stay.',
    params: NoParams,
    query: NoQuery,
    body: json(UpdateDefaultQuotas.meta({ id: 'UpdateDefaultQuotas' })),
    answer: shows(DefaultQuotas),
    problems: [],
    handle: ({ quotas }, { caller, body }) => quotas.updateDefaults(caller, body),
  }),
  ...ofHolders('user', { list: 'listUserQuotas', show: 'showUserQuota', update: 'updateUserQuota' }),
  ...ofHolders('group', { list: 'listGroupQuotas', show: 'showGroupQuota', update: 'updateGroupQuota' }),
];
