import { namedFields } from '../../schemas/list.js';
import { CreateVmTemplate, VmTemplateResource } from '../../schemas/vm-template.js';
import { large, largeText, small } from '../examples/vm-templates.js';
import { listQuery } from '../list-query.js';
import { ById, creates, lists, NoParams, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';
import { bodyOfTemplateText } from '../template-text-body.js';

const UpdateVmTemplate = CreateVmTemplate.partial();

export const vmTemplateRoutes: readonly Route[] = [
  route({
    id: 'listVmTemplates',
    method: 'get',
    path: '/vm-templates',
    tag: 'VM templates',
    summary: 'List VM templates',
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
    description:
      'JSON, in which comments are allowed, or OpenNebula’s text as `text/plain`: lines of `KEY = VALUE`, of which `NAME` names the template.',
    params: NoParams,
    query: NoQuery,
    body: {
      schema: CreateVmTemplate.meta({ id: 'CreateVmTemplate' }),
      taken: 'required',
      comments: true,
      text: bodyOfTemplateText,
    },
    answer: creates(VmTemplateResource),
    problems: ['name_taken'],
    examples: [
      { title: 'JSON', body: { name: small.name, template: small.template }, answer: small },
      { title: 'OpenNebula’s text', body: { text: largeText }, answer: large },
    ],
    handle: ({ vmTemplates }, { caller, body }) => vmTemplates.create(caller, body),
  }),
  route({
    id: 'showVmTemplate',
    method: 'get',
    path: '/vm-templates/{id}',
    tag: 'VM templates',
    summary: 'Show a VM template',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(VmTemplateResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: small }],
    handle: ({ vmTemplates }, { caller, params }) => vmTemplates.show(caller, params.id),
  }),
  route({
    id: 'updateVmTemplate',
    method: 'patch',
    path: '/vm-templates/{id}',
    tag: 'VM templates',
    summary: 'Rename a VM template or replace its contents',
    description: 'A template that is given replaces the stored one whole. VMs made before keep what they were made of.',
    params: ById,
    query: NoQuery,
    body: {
      schema: UpdateVmTemplate.meta({ id: 'UpdateVmTemplate' }),
      taken: 'required',
      comments: true,
      text: bodyOfTemplateText,
    },
    answer: shows(VmTemplateResource),
    problems: ['not_found', 'name_taken'],
    examples: [
      { title: 'JSON', params: { id: '1' }, body: { name: 'huge' }, answer: { ...large, name: 'huge' } },
      { title: 'OpenNebula’s text', params: { id: '1' }, body: { text: largeText }, answer: large },
    ],
    handle: ({ vmTemplates }, { caller, params, body }) => vmTemplates.update(caller, params.id, body),
  }),
  route({
    id: 'deleteVmTemplate',
    method: 'delete',
    path: '/vm-templates/{id}',
    tag: 'VM templates',
    summary: 'Remove a VM template',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found', 'in_use'],
    examples: [{ params: { id: '1' }, answer: null }],
    handle: ({ vmTemplates }, { caller, params }) => vmTemplates.remove(caller, params.id),
  }),
];
