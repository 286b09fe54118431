import { CreateToken, NewToken, TokenResource, tokenFields } from '../../../schemas/identity/token.js';
import { PathId } from '../../http/path-id.js';
import { listQuery } from '../list-query.js';
import { ById, creates, json, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { newBackups, newPipeline, pipeline } from './identity-examples.js';

const tag = 'Tokens';
const pages = lists('TokenPage', TokenResource);
const query = listQuery(tokenFields, TokenResource);
const OfUser = ById.extend({ token_id: PathId });

export const tokenRoutes: readonly Route[] = [
  route({
    id: 'listTokens',
    method: 'get',
    path: '/tokens',
    tag,
    summary: 'List your tokens',
    needs: ['credentials'],
    params: NoParams,
    query,
    body: noBody,
    answer: pages,
    problems: [],
    examples: [{ query: { filter: 'name=pipeline' }, answer: { items: [pipeline], next_cursor: null } }],
    handle: ({ tokens }, { caller, query: asked }) => tokens.list(caller, caller.id, asked),
  }),
  route({
    id: 'createToken',
    method: 'post',
    path: '/tokens',
    tag,
    summary: 'Make a token, which is shown this once',
    needs: ['credentials'],
    description:
      'With it you sign in without your password: as `Authorization: Bearer`, or in the place of the password. It takes the password to make one, not another token.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateToken.meta({ id: 'CreateToken' })),
    // What is shown here is not shown again: no tag would stand for it.
    answer: { ...creates(NewToken), tagged: false },
    problems: ['quota_exceeded'],
    examples: [
      { title: 'for a day', body: { name: 'pipeline', expires_in: 86_400 }, answer: newPipeline },
      { title: 'for ever', body: { name: 'backups', expires_in: null }, answer: newBackups },
    ],
    handle: ({ tokens }, { caller, body }) => tokens.create(caller, body),
  }),
  route({
    id: 'showToken',
    method: 'get',
    path: '/tokens/{id}',
    tag,
    summary: 'Show one of your tokens, without its secret',
    needs: [['own', 'token']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(TokenResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: pipeline }],
    handle: ({ tokens }, { caller, params }) => tokens.show(caller, caller.id, params.id),
  }),
  route({
    id: 'revokeToken',
    method: 'delete',
    path: '/tokens/{id}',
    tag,
    summary: 'Revoke one of your tokens',
    needs: [['own', 'token']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: null }],
    handle: ({ tokens }, { caller, params, precondition }) => tokens.revoke(caller, caller.id, params.id, precondition),
  }),
  route({
    id: 'listUserTokens',
    method: 'get',
    path: '/users/{id}/tokens',
    tag,
    summary: 'List the tokens of a user',
    needs: [['stead', 'user', 'tokens']],
    description: 'For the user, and for whoever may act in the user’s stead.',
    params: ById,
    query,
    body: noBody,
    answer: pages,
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, query: { limit: 1 }, answer: { items: [pipeline], next_cursor: 'MA' } }],
    handle: ({ tokens }, { caller, params, query: asked }) => tokens.list(caller, params.id, asked),
  }),
  route({
    id: 'revokeUserToken',
    method: 'delete',
    path: '/users/{id}/tokens/{token_id}',
    tag,
    summary: 'Revoke a token of a user',
    needs: [['stead', 'user', 'tokens']],
    params: OfUser,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found'],
    examples: [{ params: { id: '0', token_id: '1' }, answer: null }],
    handle: ({ tokens }, { caller, params, precondition }) =>
      tokens.revoke(caller, params.id, params.token_id, precondition),
  }),
];
