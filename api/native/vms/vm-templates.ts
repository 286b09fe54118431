import { namedFields } from '../../../schemas/common/list.js';
import {
  CreateVmTemplate,
  UpdateVmTemplate,
  VmTemplateResource,
  withNamesOfTemplate,
} from '../../../schemas/vms/vm-template.js';
import { patches, replaces } from '../../http/edit-body.js';
import { bodyOfTemplateText } from '../../http/template-text-body.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { ownershipRoutes } from '../ownership.js';
import { ById, creates, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { large, largeText, small } from './vm-templates-examples.js';

const Whole = CreateVmTemplate.meta({ id: 'CreateVmTemplate' });

const namesOfTemplate = (patch: unknown): unknown =>
  typeof patch === 'object' && patch !== null && 'template' in patch
    ? { ...patch, template: withNamesOfTemplate(patch.template) }
    : patch;

export const vmTemplateRoutes: readonly Route[] = [
  route({
    id: 'listVmTemplates',
    method: 'get',
    path: '/vm-templates',
    tag: 'VM templates',
    summary: 'List VM templates',
    needs: [['see', 'vm_template']],
    params: NoParams,
    query: listQuery(namedFields, VmTemplateResource),
    body: noBody,
    answer: lists('VmTemplatePage', VmTemplateResource),
    problems: [],
    examples: [
      {
        query: { sort: '-id', fields: 'id,name' },
        answer: {
          items: [
            { id: 1, name: 'large' },
            { id: 0, name: 'small' },
          ],
          next_cursor: null,
        },
      },
    ],
    handle: ({ vmTemplates }, { caller, query }) => vmTemplates.list(caller, query),
  }),
  route({
    id: 'createVmTemplate',
    method: 'post',
    path: '/vm-templates',
    tag: 'VM templates',
    summary: 'Add a VM template',
    needs: [['create', 'vm_template']],
    description:
      'JSON, in which comments are allowed, or OpenNebula’s text as `text/plain`: lines of `KEY = VALUE`, of which `NAME` names the template.',
    params: NoParams,
    query: NoQuery,
    body: {
      schema: Whole,
      taken: 'required',
      comments: true,
      text: bodyOfTemplateText,
    },
    answer: creates(VmTemplateResource),
    problems: ['name_taken', 'quota_exceeded'],
    examples: [
      { title: 'JSON', body: { name: small.name, template: small.template }, answer: small },
      { title: 'OpenNebula’s text', text: largeText, answer: large },
    ],
    handle: ({ vmTemplates }, { caller, body }) => vmTemplates.create(caller, body),
  }),
  route({
    id: 'showVmTemplate',
    method: 'get',
    path: '/vm-templates/{id}',
    tag: 'VM templates',
    summary: 'Show a VM template',
    needs: [['use', 'vm_template']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(VmTemplateResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: small }],
    handle: ({ vmTemplates }, { caller, params }) => vmTemplates.show(caller, params.id),
  }),
  route({
    id: 'replaceVmTemplate',
    method: 'put',
    path: '/vm-templates/{id}',
    tag: 'VM templates',
    summary: 'Replace a VM template',
    needs: [edits('vm_template')],
    description:
      'By JSON, in which comments are allowed, or by OpenNebula’s text. VMs made before keep what they were made of.',
    params: ById,
    query: NoQuery,
    body: replaces(Whole, { comments: true, text: bodyOfTemplateText }),
    answer: shows(VmTemplateResource),
    problems: ['not_found', 'name_taken'],
    examples: [
      {
        title: 'JSON',
        params: { id: '1' },
        body: { name: 'large', template: { CPU: 8, MEMORY: 8192 } },
        answer: { ...large, template: { CPU: 8, MEMORY: 8192 } },
      },
      { title: 'OpenNebula’s text', params: { id: '1' }, text: largeText, answer: large },
    ],
    handle: ({ vmTemplates }, { caller, params, body: revise, precondition }) =>
      vmTemplates.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'updateVmTemplate',
    method: 'patch',
    path: '/vm-templates/{id}',
    tag: 'VM templates',
    summary: 'Rename a VM template or change attributes',
    needs: [edits('vm_template')],
    description: 'A merge patch of its name and template. VMs made before keep what they were made of.',
    params: ById,
    query: NoQuery,
    body: patches(UpdateVmTemplate.meta({ id: 'UpdateVmTemplate' }), CreateVmTemplate, namesOfTemplate),
    answer: shows(VmTemplateResource),
    problems: ['not_found', 'name_taken'],
    examples: [
      {
        params: { id: '1' },
        body: { name: 'huge', template: { memory: 16384, SCHED_REQUIREMENTS: null } },
        answer: { ...large, name: 'huge', template: { CPU: 4, MEMORY: 16384 } },
      },
    ],
    handle: ({ vmTemplates }, { caller, params, body: revise, precondition }) =>
      vmTemplates.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'deleteVmTemplate',
    method: 'delete',
    path: '/vm-templates/{id}',
    tag: 'VM templates',
    summary: 'Remove a VM template',
    needs: [edits('vm_template')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'in_use'],
    examples: [{ params: { id: '1' }, answer: null }],
    handle: ({ vmTemplates }, { caller, params, precondition }) => vmTemplates.remove(caller, params.id, precondition),
  }),
  ...ownershipRoutes('vm_template', {
    schema: VmTemplateResource,
    examples: { chmod: sharing('0', small), chown: giving('0', small) },
    of: ({ vmTemplates }) => vmTemplates,
  }),
];
