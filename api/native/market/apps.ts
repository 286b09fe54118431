import { AppEdit, AppResource, appFields, CreateApp, ExportApp, UpdateApp } from '../../../schemas/market/app.js';
import { patches, upperCaseBelow } from '../../http/edit-body.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { accepted, exportedData, ids, dataApp as ref } from '../operations/operations-examples.js';
import { ownershipRoutes } from '../ownership.js';
import { accepts, ById, json, lists, NoParams, NoQuery, noBody, type Route, route, shows } from '../route.js';
import { dataApp } from './apps-examples.js';

const intoDatastore = ['use', 'datastore', { at: '/datastore_id', as: 'the datastore that it is kept in' }] as const;
const intoMarket = ['use', 'market', { at: '/market_id', as: 'the marketplace' }] as const;
const ofWhat = [
  ['use', 'image', { at: '/image_id', as: 'the image' }],
  ['use', 'vm_template', { at: '/vm_template_id', as: 'the VM template' }],
  ['use', 'service_template', { at: '/service_template_id', as: 'the service template' }],
] as const;

export const appRoutes: readonly Route[] = [
  route({
    id: 'listApps',
    method: 'get',
    path: '/marketplace-apps',
    tag: 'Apps',
    summary: 'List apps of marketplaces',
    needs: [['see', 'app']],
    params: NoParams,
    query: listQuery(appFields, AppResource),
    body: noBody,
    answer: lists('AppPage', AppResource),
    problems: [],
    examples: [
      {
        query: { filter: 'state=READY', fields: 'id,name,version' },
        answer: { items: [{ id: 0, name: dataApp.name, version: dataApp.version }], next_cursor: null },
      },
    ],
    handle: ({ apps }, { caller, query }) => apps.list(caller, query),
  }),
  route({
    id: 'publishApp',
    method: 'post',
    path: '/marketplace-apps',
    tag: 'Apps',
    summary: 'Publish an image, or a template with its images, in a marketplace',
    description:
      'Of a template, you need USE on the VM templates of its roles and on the images of their disks, too; each image is carried once. The app is LOCKED until its bytes are there, with their checksums; the images stay as they are meanwhile. A worker that dies is gone on for by another one, which sends what is missing. What fails, or is cancelled, leaves nothing in the marketplace.',
    needs: [['create', 'app'], intoMarket, ...ofWhat],
    params: NoParams,
    query: NoQuery,
    body: json(CreateApp.meta({ id: 'CreateApp' })),
    answer: accepts,
    problems: [
      'not_found',
      'name_taken',
      'wrong_state',
      'operation_in_progress',
      'not_implemented',
      'idempotency_key_reused',
    ],
    examples: [
      {
        body: {
          ...{ name: 'data', market_id: 101, image_id: 0, description: 'What every build needs', version: '1.0' },
          ...{ tags: ['data'], vm_template: { CPU: 1, MEMORY: 512 } },
        },
        answer: accepted(ids.publication, 'publishApp', ref, '11:10:00'),
      },
    ],
    handle: ({ apps }, { caller, body, admission }) => apps.publish(caller, body, admission),
  }),
  route({
    id: 'showApp',
    method: 'get',
    path: '/marketplace-apps/{id}',
    tag: 'Apps',
    summary: 'Show an app',
    needs: [['use', 'app']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(AppResource),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: dataApp }],
    handle: ({ apps }, { caller, params }) => apps.show(caller, params.id),
  }),
  route({
    id: 'updateApp',
    method: 'patch',
    path: '/marketplace-apps/{id}',
    tag: 'Apps',
    summary: 'Rename, describe, enable or disable an app, or change what comes with it',
    needs: [edits('app')],
    description: 'Its bytes stay as they are.',
    params: ById,
    query: NoQuery,
    body: patches(UpdateApp.meta({ id: 'UpdateApp' }), AppEdit, upperCaseBelow('app_template')),
    answer: shows(AppResource),
    problems: ['not_found', 'name_taken', 'wrong_state', 'operation_in_progress'],
    examples: [
      {
        title: 'Disabled',
        params: { id: '0' },
        body: { state: 'disabled' },
        answer: { ...dataApp, state: 'DISABLED' },
      },
      { title: 'Enabled', params: { id: '0' }, body: { state: 'enabled' }, answer: dataApp },
    ],
    handle: ({ apps }, { caller, params, body: revise, precondition }) =>
      apps.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'exportApp',
    method: 'post',
    path: '/marketplace-apps/{id}/export',
    tag: 'Apps',
    summary: 'Make images of an app, and the templates that come with them',
    description:
      'An app of a service template becomes one (`service_template_id`), with its VM templates and images, which are called after it. Of an image: both are there at once, and yours: the image, which is the resource of the operation, is LOCKED until its bytes are there, and the VM template (`vm_template_id`) has it as its first disk. Room and names are taken before a byte is fetched, checksums compared, and the fetch goes on where it broke off. What fails, or is cancelled, leaves neither.',
    needs: [['use', 'app'], ['create', 'image'], intoDatastore],
    params: ById,
    query: NoQuery,
    body: json(ExportApp.meta({ id: 'ExportApp' })),
    answer: accepts,
    problems: [
      ...(['not_found', 'name_taken', 'wrong_state', 'operation_in_progress', 'quota_exceeded'] as const),
      ...(['datastore_full', 'idempotency_key_reused'] as const),
    ],
    examples: [
      {
        params: { id: '0' },
        body: { name: 'data of the marketplace' },
        answer: { ...accepted(ids.export, 'exportApp', exportedData, '11:12:00'), vm_template_id: 2 },
      },
    ],
    handle: ({ apps }, { caller, params, body, admission }) => apps.export(caller, params.id, body, admission),
  }),
  route({
    id: 'deleteApp',
    method: 'delete',
    path: '/marketplace-apps/{id}',
    tag: 'Apps',
    summary: 'Remove an app that nothing is made of',
    description: 'What publishes it gives way. Nothing of it is left in its marketplace.',
    needs: [edits('app')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [{ params: { id: '0' }, answer: accepted(ids.appDeletion, 'deleteApp', ref, '11:14:00') }],
    handle: ({ apps }, { caller, params, admission }) => apps.remove(caller, params.id, admission),
  }),
  ...ownershipRoutes('app', {
    schema: AppResource,
    examples: { chmod: sharing('0', dataApp), chown: giving('0', dataApp) },
    of: ({ apps }) => apps,
  }),
];
