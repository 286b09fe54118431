import { z } from 'zod';
import { ObjectId } from '../../../schemas/common/common.js';
import {
  InstantiateService,
  RecoverService,
  ReleaseService,
  ServiceEdit,
  ServiceResource,
  ServiceState,
  ServiceSummary,
  serviceFields,
  UndeployService,
  UpdateService,
} from '../../../schemas/services/service.js';
import { patches } from '../../http/edit-body.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import {
  accepted,
  acceptedOnRoles,
  heldShop,
  ids,
  secondShop,
  shopOfMay as shop,
} from '../operations/operations-examples.js';
import { ownershipRoutes } from '../ownership.js';
import { accepts, ById, json, lists, NoParams, NoQuery, noBody, type Route, route, shows } from '../route.js';
import { makingService } from './service-templates.js';
import { shopOfMay, shopOfMayInList } from './services-examples.js';

const ServiceQuery = listQuery(serviceFields, ServiceSummary).extend({
  state: ServiceState.optional().describe('Only services in this state'),
});

const MonitoringQuery = z.strictObject({
  monitoring: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false)
    .describe('Whether what each VM uses is told, too'),
});

const CreateService = InstantiateService.extend({ template_id: ObjectId.describe('Service template to deploy') });

const reaches = 'Its VMs and the operations of all have the same then, or nothing has changed.';

export const serviceRoutes: readonly Route[] = [
  route({
    id: 'listServices',
    method: 'get',
    path: '/services',
    tag: 'Services',
    summary: 'List services',
    needs: [['see', 'service']],
    params: NoParams,
    query: ServiceQuery,
    body: noBody,
    answer: lists('ServicePage', ServiceSummary),
    problems: [],
    examples: [
      {
        query: { filter: 'state=RUNNING|WARNING,name~shop*', sort: '-created_at' },
        answer: { items: [shopOfMayInList], next_cursor: null },
      },
    ],
    handle: ({ services }, { caller, query }) => services.list(caller, query),
  }),
  route({
    id: 'createService',
    method: 'post',
    path: '/services',
    tag: 'Services',
    summary: 'Deploy a service from a service template',
    needs: [['use', 'service_template', { at: '/template_id' }], ...makingService],
    description: 'The same as instantiating the template.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateService.meta({ id: 'CreateService' })),
    answer: accepts,
    problems: ['not_found', 'quota_exceeded', 'idempotency_key_reused'],
    examples: [{ body: { template_id: 0 }, answer: accepted(ids.second, 'deployService', secondShop, '09:42:00') }],
    handle: ({ serviceTemplates }, { caller, body: { template_id, ...request }, admission }) =>
      serviceTemplates.instantiate(caller, template_id, request, admission),
  }),
  route({
    id: 'showService',
    method: 'get',
    path: '/services/{id}',
    tag: 'Services',
    summary: 'Show a service with its roles and nodes',
    needs: [['use', 'service']],
    params: ById,
    query: MonitoringQuery,
    body: noBody,
    answer: shows(ServiceResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1' }, answer: shopOfMay }],
    handle: ({ services }, { caller, params, query }) => services.show(caller, params.id, query),
  }),
  route({
    id: 'updateService',
    method: 'patch',
    path: '/services/{id}',
    tag: 'Services',
    summary: 'Give a service another name',
    needs: [edits('service')],
    description: 'Its VMs keep the names that they have.',
    params: ById,
    query: NoQuery,
    body: patches(UpdateService.meta({ id: 'UpdateService' }), ServiceEdit),
    answer: shows(ServiceResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1' }, body: { name: 'shop of May' }, answer: shopOfMay }],
    handle: ({ services }, { caller, params, body: revise, precondition }) =>
      services.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'undeployService',
    method: 'post',
    path: '/services/{id}/undeploy',
    tag: 'Services',
    summary: 'End the VMs of a service; the service stays as DONE',
    needs: [['manage', 'service']],
    description: 'Pre-empts a deployment that is running.',
    params: ById,
    query: NoQuery,
    body: json(UndeployService.meta({ id: 'UndeployService' }), 'optional'),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [
      {
        params: { id: '2' },
        body: { hard: true },
        answer: accepted(ids.undeployment, 'undeployService', secondShop, '09:48:00'),
      },
    ],
    handle: ({ services }, { caller, params, body, admission }) =>
      services.undeploy(caller, params.id, body, admission),
  }),
  route({
    id: 'recoverService',
    method: 'post',
    path: '/services/{id}/recover',
    tag: 'Services',
    summary: 'Go on with what failed, or end a cooldown',
    needs: [['manage', 'service']],
    description:
      'A new run that skips what is done and replaces failed VMs; of a failed deployment it takes the roles that need it, and others are scaled meanwhile. Of roles whose scaling has failed, the first, or the one that is named, goes on to the cardinality that it was to have, or with `give_up` keeps what runs. A role that rests after a scaling is done with it. What is in WARNING is acceptedOnRoles, or the role that is named.',
    params: ById,
    query: NoQuery,
    body: json(RecoverService.meta({ id: 'RecoverService' }), 'optional'),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [
      {
        params: { id: '2' },
        body: {},
        answer: { ...acceptedOnRoles(ids.recovery, 'deployService', secondShop, '09:44:00'), retry_of: ids.second },
      },
    ],
    handle: ({ services }, { caller, params, body, admission }) => services.recover(caller, params.id, body, admission),
  }),
  route({
    id: 'repairService',
    method: 'post',
    path: '/services/{id}/repair',
    tag: 'Services',
    summary: 'Bring roles in WARNING back to what they should be',
    needs: [['manage', 'service']],
    description:
      'Looks for VMs whose state is not known, replaces those that failed, and makes those that are missing, up to the cardinality of each role. What runs goes on running. Takes the roles that are in WARNING, with those that are to be on one host with them, all or none: others may be scaled meanwhile.',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [{ params: { id: '1' }, answer: acceptedOnRoles(ids.repair, 'repairService', shop, '09:40:00') }],
    handle: ({ services }, { caller, params, admission }) => services.repair(caller, params.id, admission),
  }),
  route({
    id: 'releaseService',
    method: 'post',
    path: '/services/{id}/release',
    tag: 'Services',
    summary: 'Deploy what is on hold',
    needs: [['manage', 'service']],
    description:
      'A service that was instantiated with `on_hold`, or roles of it that have that, wait in HOLD, without VMs and charged to quotas. Takes a service in HOLD, and all its roles that are, or the one that is named; roles that waited for these go on then.',
    params: ById,
    query: NoQuery,
    body: json(ReleaseService.meta({ id: 'ReleaseService' }), 'optional'),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [
      { params: { id: '4' }, body: {}, answer: acceptedOnRoles(ids.release, 'deployService', heldShop, '09:56:00') },
    ],
    handle: ({ services }, { caller, params, body, admission }) => services.release(caller, params.id, body, admission),
  }),
  route({
    id: 'deleteService',
    method: 'delete',
    path: '/services/{id}',
    tag: 'Services',
    summary: 'Remove a service and its VMs, from any state',
    needs: [edits('service')],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [{ params: { id: '2' }, answer: accepted(ids.deletion, 'undeployService', secondShop, '09:50:00') }],
    handle: ({ services }, { caller, params, admission }) => services.remove(caller, params.id, admission),
  }),
  ...ownershipRoutes('service', {
    schema: ServiceResource,
    examples: { chmod: sharing('1', shopOfMay), chown: giving('1', shopOfMay) },
    of: ({ ownership }) => ownership.service,
    also: { chmod: reaches, chown: `${reaches} What it is charged goes to the quotas of the new owner and group.` },
    problems: { chown: ['operation_in_progress'] },
  }),
];
