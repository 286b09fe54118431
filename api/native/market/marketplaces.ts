import {
  CreateMarketplace,
  MarketplaceEdit,
  MarketplaceResource,
  marketplaceFields,
  UpdateMarketplace,
} from '../../../schemas/market/marketplace.js';
import { patches } from '../../http/edit-body.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { ownershipRoutes } from '../ownership.js';
import { ById, creates, json, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { corporate } from './marketplaces-examples.js';

export const marketplaceRoutes: readonly Route[] = [
  route({
    id: 'listMarkets',
    method: 'get',
    path: '/marketplaces',
    tag: 'Marketplaces',
    summary: 'List marketplaces',
    needs: [['see', 'market']],
    params: NoParams,
    query: listQuery(marketplaceFields, MarketplaceResource),
    body: noBody,
    answer: lists('MarketplacePage', MarketplaceResource),
    problems: [],
    examples: [{ query: { filter: 'market_mad=http' }, answer: { items: [corporate], next_cursor: null } }],
    handle: (operations, { caller, query }) => operations.marketplaces.list(caller, query),
  }),
  route({
    id: 'createMarket',
    method: 'post',
    path: '/marketplaces',
    tag: 'Marketplaces',
    summary: 'Add a marketplace',
    needs: [['create', 'market']],
    description:
      'Its kind stays as it is, and so do the directory of one of kind http and the bucket of one of kind s3. What lies behind it is looked at every minute.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateMarketplace.meta({ id: 'CreateMarketplace' })),
    answer: creates(MarketplaceResource),
    problems: ['name_taken'],
    examples: [
      {
        body: {
          name: 'corporate',
          description: 'What we build ourselves',
          market_mad: 'http',
          http: { base_url: 'http://market.example.org/apps', public_dir: '/srv/market' },
        },
        answer: corporate,
      },
    ],
    handle: (operations, { caller, body }) => operations.marketplaces.create(caller, body),
  }),
  route({
    id: 'showMarket',
    method: 'get',
    path: '/marketplaces/{id}',
    tag: 'Marketplaces',
    summary: 'Show a marketplace',
    needs: [['use', 'market']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(MarketplaceResource),
    problems: ['not_found'],
    examples: [{ params: { id: '100' }, answer: corporate }],
    handle: (operations, { caller, params }) => operations.marketplaces.show(caller, params.id),
  }),
  route({
    id: 'updateMarket',
    method: 'patch',
    path: '/marketplaces/{id}',
    tag: 'Marketplaces',
    summary: 'Rename, describe, enable or disable a marketplace, or change how it is reached',
    needs: [edits('market')],
    params: ById,
    query: NoQuery,
    body: patches(UpdateMarketplace.meta({ id: 'UpdateMarketplace' }), MarketplaceEdit),
    answer: shows(MarketplaceResource),
    problems: ['not_found', 'name_taken'],
    examples: [{ params: { id: '100' }, body: { state: 'disabled' }, answer: { ...corporate, state: 'DISABLED' } }],
    handle: (operations, { caller, params, body: revise, precondition }) =>
      operations.marketplaces.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'deleteMarket',
    method: 'delete',
    path: '/marketplaces/{id}',
    tag: 'Marketplaces',
    summary: 'Remove a marketplace that has no apps',
    needs: [edits('market')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'wrong_state', 'in_use'],
    examples: [{ params: { id: '100' }, answer: null }],
    handle: (operations, { caller, params, precondition }) =>
      operations.marketplaces.remove(caller, params.id, precondition),
  }),
  ...ownershipRoutes('market', {
    schema: MarketplaceResource,
    examples: { chmod: sharing('100', corporate), chown: giving('100', corporate) },
    of: (operations) => operations.marketplaces,
  }),
];
