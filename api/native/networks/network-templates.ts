import { namedFields } from '../../../schemas/common/list.js';
import { NetworkResource } from '../../../schemas/networks/network.js';
import {
  CreateNetworkTemplate,
  InstantiateNetwork,
  NetworkTemplateEdit,
  NetworkTemplateResource,
  UpdateNetworkTemplate,
} from '../../../schemas/networks/network-template.js';
import { patches, upperCaseBelow } from '../../http/edit-body.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { ownershipRoutes } from '../ownership.js';
import { ById, creates, json, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { isolated, ofIsolated } from './network-templates-examples.js';

const path = '/network-templates';
const tag = 'Network templates';
const params = { id: '0' };

export const networkTemplateRoutes: readonly Route[] = [
  route({
    ...{ id: 'listNetworkTemplates', method: 'get', path, tag },
    summary: 'List templates of virtual networks',
    needs: [['see', 'network_template']],
    params: NoParams,
    query: listQuery(namedFields, NetworkTemplateResource),
    body: noBody,
    answer: lists('NetworkTemplatePage', NetworkTemplateResource),
    problems: [],
    examples: [{ query: { filter: 'name~iso*' }, answer: { items: [isolated], next_cursor: null } }],
    handle: ({ networkTemplates }, { caller, query }) => networkTemplates.list(caller, query),
  }),
  route({
    ...{ id: 'createNetworkTemplate', method: 'post', path, tag },
    summary: 'Add a template of virtual networks',
    needs: [['create', 'network_template']],
    description:
      'What a network would be made of. How VMs are connected (`vn_mad`, `bridge`, `phydev`, `vlan_id`) is for administrators to say; whoever may USE the template makes networks that are connected so.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateNetworkTemplate.meta({ id: 'CreateNetworkTemplate' })),
    answer: creates(NetworkTemplateResource),
    problems: ['name_taken', 'quota_exceeded'],
    examples: [
      {
        body: {
          ...{ name: 'isolated', vn_mad: 'vxlan', phydev: 'eth0', attributes: { MTU: '1450' } },
          address_ranges: isolated.address_ranges,
        },
        answer: isolated,
      },
    ],
    handle: ({ networkTemplates }, { caller, body }) => networkTemplates.create(caller, body),
  }),
  route({
    ...{ id: 'showNetworkTemplate', method: 'get', path: `${path}/{id}`, tag },
    summary: 'Show a template of virtual networks',
    needs: [['use', 'network_template']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(NetworkTemplateResource),
    problems: ['not_found'],
    examples: [{ params, answer: isolated }],
    handle: ({ networkTemplates }, { caller, params: { id } }) => networkTemplates.show(caller, id),
  }),
  route({
    ...{ id: 'updateNetworkTemplate', method: 'patch', path: `${path}/{id}`, tag },
    summary: 'Change a template of virtual networks',
    needs: [edits('network_template')],
    description: 'Networks that were made of it stay as they are.',
    params: ById,
    query: NoQuery,
    body: patches(
      UpdateNetworkTemplate.meta({ id: 'UpdateNetworkTemplate' }),
      NetworkTemplateEdit,
      upperCaseBelow('attributes'),
    ),
    answer: shows(NetworkTemplateResource),
    problems: ['not_found', 'name_taken'],
    examples: [
      {
        params,
        body: { attributes: { DNS: '9.9.9.9' } },
        answer: { ...isolated, attributes: { MTU: '1450', DNS: '9.9.9.9' } },
      },
    ],
    handle: ({ networkTemplates }, { caller, params: { id }, body: revise, precondition }) =>
      networkTemplates.update(caller, id, { revise, precondition }),
  }),
  route({
    ...{ id: 'deleteNetworkTemplate', method: 'delete', path: `${path}/{id}`, tag },
    summary: 'Remove a template of virtual networks',
    needs: [edits('network_template')],
    description: 'Networks that were made of it stay.',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found'],
    examples: [{ params, answer: null }],
    handle: ({ networkTemplates }, { caller, params: { id }, precondition }) =>
      networkTemplates.remove(caller, id, precondition),
  }),
  route({
    ...{ id: 'instantiateNetworkTemplate', method: 'post', path: `${path}/{id}/instantiate`, tag },
    summary: 'Make a virtual network of a template',
    needs: [['use', 'network_template']],
    description:
      'It is yours, and counted among your networks. No right to make networks is needed but USE on the template. A number of a VLAN that the template leaves open is drawn.',
    params: ById,
    query: NoQuery,
    body: json(InstantiateNetwork.meta({ id: 'InstantiateNetwork' })),
    answer: creates(NetworkResource),
    problems: ['not_found', 'name_taken', 'quota_exceeded', 'wrong_state'],
    examples: [{ params, body: { name: 'lab', attributes: { GATEWAY: '10.0.0.254' } }, answer: ofIsolated }],
    handle: ({ networkTemplates }, { caller, params: { id }, body }) => networkTemplates.instantiate(caller, id, body),
  }),
  ...ownershipRoutes('network_template', {
    schema: NetworkTemplateResource,
    examples: { chmod: sharing('0', isolated), chown: giving('0', isolated) },
    of: ({ networkTemplates }) => networkTemplates,
  }),
];
