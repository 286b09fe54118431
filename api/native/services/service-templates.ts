import { templateIn } from '../../../domain/services/later-names.js';
import { namedFields } from '../../../schemas/common/list.js';
import { InstantiateService } from '../../../schemas/services/service.js';
import {
  CloneServiceTemplate,
  ServiceTemplateBody,
  ServiceTemplateResource,
  ServiceTemplateRevision,
  ServiceTemplateRevisions,
  UpdateServiceTemplate,
} from '../../../schemas/services/service-template.js';
import { TemplateInputs } from '../../../schemas/services/template-inputs.js';
import { patches, replaces } from '../../http/edit-body.js';
import { PathId } from '../../http/path-id.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { accepted, ids, shopOfMay } from '../operations/operations-examples.js';
import { ownershipRoutes } from '../ownership.js';
import {
  accepts,
  apiRoot,
  ById,
  creates,
  json,
  lists,
  NoParams,
  NoQuery,
  noBody,
  type Route,
  removes,
  route,
  shows,
} from '../route.js';
import { shop, shopBody } from './service-templates-examples.js';

/** OneFlow's service template: JSON, in which comments are allowed. What is of OneFlow 7 is taken with its names, and what OpenNebula prints of one as it is. */
const template = {
  schema: ServiceTemplateBody.meta({ id: 'ServiceTemplateBody' }),
  taken: 'required',
  comments: true,
  understood: templateIn,
} as const;

const ofRoles = { as: 'the VM templates that its roles name' } as const;
const useOfRoles = ['use', 'vm_template', { at: '/roles/*/vm_template', ...ofRoles }] as const;
/** What it takes to make a service, beside its template. */
export const makingService = [
  ['create', 'service'],
  ['create', 'vm'],
  ['use', 'vm_template', { at: '/merge_template/roles/*/vm_template', ...ofRoles }],
  ['use', 'network', { at: '/networks/*/network_id', as: 'the networks that are chosen' }],
  ['use', 'network_template', { at: '/networks/*/template_id', as: 'the templates that networks are made of' }],
  ['manage', 'network', { at: '/networks/*/reserve_from', as: 'those of which addresses are reserved' }],
] as const;

/** The new one is not below the one that it is made of. */
const clonedReply = (template: ServiceTemplateResource) => ({
  status: 201,
  body: template,
  headers: { Location: `${apiRoot}/service-templates/${template.id}` },
});

export const serviceTemplateRoutes: readonly Route[] = [
  route({
    id: 'listServiceTemplates',
    method: 'get',
    path: '/service-templates',
    tag: 'Service templates',
    summary: 'List service templates',
    needs: [['see', 'service_template']],
    params: NoParams,
    query: listQuery(namedFields, ServiceTemplateResource),
    body: noBody,
    answer: lists('ServiceTemplatePage', ServiceTemplateResource),
    problems: [],
    examples: [{ query: { filter: 'name=shop' }, answer: { items: [shop], next_cursor: null } }],
    handle: ({ serviceTemplates }, { caller, query }) => serviceTemplates.list(caller, query),
  }),
  route({
    id: 'createServiceTemplate',
    method: 'post',
    path: '/service-templates',
    tag: 'Service templates',
    summary: 'Add a service template',
    needs: [['create', 'service_template'], useOfRoles],
    description:
      'OneFlow’s JSON, in which comments are allowed, with the names of OneFlow 5 or 7. Everything wrong with it is reported at once.',
    params: NoParams,
    query: NoQuery,
    body: template,
    answer: creates(ServiceTemplateResource),
    problems: ['name_taken', 'quota_exceeded'],
    examples: [{ body: shopBody, answer: shop }],
    handle: ({ serviceTemplates }, { caller, body }) => serviceTemplates.create(caller, body),
  }),
  route({
    id: 'showServiceTemplate',
    method: 'get',
    path: '/service-templates/{id}',
    tag: 'Service templates',
    summary: 'Show a service template',
    needs: [['use', 'service_template']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(ServiceTemplateResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: shop }],
    handle: ({ serviceTemplates }, { caller, params }) => serviceTemplates.show(caller, params.id),
  }),
  route({
    id: 'replaceServiceTemplate',
    method: 'put',
    path: '/service-templates/{id}',
    tag: 'Service templates',
    summary: 'Replace a service template',
    needs: [edits('service_template'), useOfRoles],
    description: 'Services made before keep what they were made of.',
    params: ById,
    query: NoQuery,
    body: replaces(template.schema, { comments: true, understood: templateIn }),
    answer: shows(ServiceTemplateResource),
    problems: ['not_found', 'name_taken'],
    examples: [
      {
        params: { id: '0' },
        body: { ...shopBody, ready_status_gate: true },
        answer: { ...shop, revision: 2, body: { ...shop.body, ready_status_gate: true } },
      },
    ],
    handle: ({ serviceTemplates }, { caller, params, body: revise, precondition }) =>
      serviceTemplates.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'updateServiceTemplate',
    method: 'patch',
    path: '/service-templates/{id}',
    tag: 'Service templates',
    summary: 'Change members of a service template',
    needs: [edits('service_template'), useOfRoles],
    description:
      'A merge patch of its `body`; a list, roles among them, is replaced whole. Services made before keep what they were made of.',
    params: ById,
    query: NoQuery,
    body: patches(UpdateServiceTemplate.meta({ id: 'UpdateServiceTemplate' }), template.schema),
    answer: shows(ServiceTemplateResource),
    problems: ['not_found', 'name_taken'],
    examples: [{ params: { id: '0' }, body: { ready_status_gate: null }, answer: { ...shop, revision: 3 } }],
    handle: ({ serviceTemplates }, { caller, params, body: revise, precondition }) =>
      serviceTemplates.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'deleteServiceTemplate',
    method: 'delete',
    path: '/service-templates/{id}',
    tag: 'Service templates',
    summary: 'Remove a service template',
    needs: [edits('service_template')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'in_use'],
    examples: [{ params: { id: '0' }, answer: null }],
    handle: ({ serviceTemplates }, { caller, params, precondition }) =>
      serviceTemplates.remove(caller, params.id, precondition),
  }),
  route({
    id: 'showServiceTemplateRevisions',
    method: 'get',
    path: '/service-templates/{id}/revisions',
    tag: 'Service templates',
    summary: 'Show what a service template has been',
    needs: [['use', 'service_template']],
    description:
      'Each change of its body makes another revision; what it was before is kept and never changes. A service says which it was made of.',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(ServiceTemplateRevisions),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: { items: [{ revision: 1, created_at: shop.created_at, roles: 2 }] } }],
    handle: ({ serviceTemplates }, { caller, params }) => serviceTemplates.revisions(caller, params.id),
  }),
  route({
    id: 'showServiceTemplateRevision',
    method: 'get',
    path: '/service-templates/{id}/revisions/{revision}',
    tag: 'Service templates',
    summary: 'Show a service template as it is or was',
    needs: [['use', 'service_template']],
    params: ById.extend({ revision: PathId.describe('Its number') }),
    query: NoQuery,
    body: noBody,
    answer: shows(ServiceTemplateRevision),
    problems: ['not_found'],
    examples: [
      {
        params: { id: '0', revision: '1' },
        answer: { revision: 1, body: shop.body, created_at: shop.created_at },
      },
    ],
    handle: ({ serviceTemplates }, { caller, params }) => serviceTemplates.revision(caller, params.id, params.revision),
  }),
  route({
    id: 'showServiceTemplateInputs',
    method: 'get',
    path: '/service-templates/{id}/inputs',
    tag: 'Service templates',
    summary: 'Show what a service template asks for',
    needs: [['use', 'service_template']],
    description:
      'What a form has to ask for when it is instantiated: its networks, its custom attributes, and the inputs of its roles. Values are given in `networks` and `inputs` of the instantiation.',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(TemplateInputs),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: { items: [] } }],
    handle: ({ serviceTemplates }, { caller, params }) => serviceTemplates.inputs(caller, params.id),
  }),
  route({
    id: 'cloneServiceTemplate',
    method: 'post',
    path: '/service-templates/{id}/clone',
    tag: 'Service templates',
    summary: 'Make another service template of one',
    needs: [
      ['use', 'service_template'],
      ['create', 'service_template'],
    ],
    description:
      'The new one is yours, in your group, with your umask. You need USE on the VM templates that its roles name. With `vm_templates` those are cloned first, each as `<name>-<its name>`, and the new roles name the clones; then you need to be allowed to create VM templates. With `images` what the disks of these are made of is cloned, too, each image once, as `<name>-<VM template>-disk-<n>`: it is LOCKED until an operation of its own, `cloneImage`, has copied it. All of it is there, or nothing is.',
    params: ById,
    query: NoQuery,
    body: json(CloneServiceTemplate.meta({ id: 'CloneServiceTemplate' })),
    answer: { ...creates(ServiceTemplateResource), reply: clonedReply },
    problems: ['not_found', 'name_taken', 'quota_exceeded'],
    examples: [
      {
        params: { id: '0' },
        body: { name: 'second shop' },
        answer: { ...shop, id: 3, name: 'second shop', body: { ...shop.body, name: 'second shop' } },
      },
    ],
    handle: ({ serviceTemplates }, { caller, params, body }) => serviceTemplates.clone(caller, params.id, body),
  }),
  route({
    id: 'instantiateServiceTemplate',
    method: 'post',
    path: '/service-templates/{id}/instantiate',
    tag: 'Service templates',
    summary: 'Deploy a service from a service template',
    needs: [['use', 'service_template'], ...makingService],
    params: ById,
    query: NoQuery,
    body: json(InstantiateService.meta({ id: 'InstantiateService' }), 'optional'),
    answer: accepts,
    problems: ['not_found', 'quota_exceeded', 'idempotency_key_reused', 'in_use'],
    examples: [
      {
        params: { id: '0' },
        body: { merge_template: { name: 'shop of May' } },
        answer: accepted(ids.deployment, 'deployService', shopOfMay, '09:32:10'),
      },
    ],
    handle: ({ serviceTemplates }, { caller, params, body, admission }) =>
      serviceTemplates.instantiate(caller, params.id, body, admission),
  }),
  ...ownershipRoutes('service_template', {
    schema: ServiceTemplateResource,
    examples: { chmod: sharing('0', shop), chown: giving('0', shop) },
    of: ({ serviceTemplates }) => serviceTemplates,
  }),
];
