import { Why } from '../../../schemas/operations/why.js';
import { VmPlacement } from '../../../schemas/placement/placement.js';
import { whyDisabled } from '../hosts/hosts-examples.js';
import { ByOperationId } from '../operations/operations.js';
import { ids, whySecond } from '../operations/operations-examples.js';
import { ById, NoQuery, noBody, type Route, route, shows } from '../route.js';
import { whyShopOfMay } from '../services/services-examples.js';
import { whyData } from '../storage/images-examples.js';
import { placementOfBuildServer, whyBuildServer } from '../vms/vms-examples.js';

const description =
  'In one paragraph: what goes on, what failed with its own error, how often it was tried, when next, and what you can do. Temporal is asked for a second at most.';

export const whyRoutes: readonly Route[] = [
  route({
    id: 'whyOperation',
    method: 'get',
    path: '/operations/{id}/why',
    tag: 'Operations',
    summary: 'Tell why an operation is where it is',
    needs: [['use', 'operation']],
    description,
    params: ByOperationId,
    query: NoQuery,
    body: noBody,
    answer: shows(Why),
    problems: ['not_found'],
    examples: [{ params: { id: ids.second }, answer: whySecond }],
    handle: ({ why }, { caller, params }) => why.operation(caller, params.id),
  }),
  route({
    id: 'whyService',
    method: 'get',
    path: '/services/{id}/why',
    tag: 'Services',
    summary: 'Tell why a service is as it is',
    needs: [['use', 'service']],
    description,
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(Why),
    problems: ['not_found'],
    examples: [{ params: { id: '1' }, answer: whyShopOfMay }],
    handle: ({ why }, { caller, params }) => why.service(caller, params.id),
  }),
  route({
    id: 'whyVm',
    method: 'get',
    path: '/vms/{id}/why',
    tag: 'VMs',
    summary: 'Tell why a VM is as it is',
    needs: [['use', 'vm']],
    description,
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(Why),
    problems: ['not_found'],
    examples: [{ params: { id: '3' }, answer: whyBuildServer }],
    handle: ({ why }, { caller, params }) => why.vm(caller, params.id),
  }),
  route({
    id: 'showVmPlacement',
    method: 'get',
    path: '/vms/{id}/placement',
    tag: 'VMs',
    summary: 'Tell why a VM is on its host, or why it has none',
    needs: [['use', 'vm']],
    description:
      'Of a VM with a host: which hosts could have taken it, what their ranks were, and what excluded the others, as written down when it was placed. Of one that waits: what excludes each host now.',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(VmPlacement),
    problems: ['not_found'],
    examples: [{ params: { id: '3' }, answer: placementOfBuildServer }],
    handle: ({ vmPlacement }, { caller, params }) => vmPlacement.show(caller, params.id),
  }),
  route({
    id: 'whyHost',
    method: 'get',
    path: '/hosts/{id}/why',
    tag: 'Hosts',
    summary: 'Tell why a host takes VMs or does not',
    needs: [['use', 'host']],
    description,
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(Why),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: whyDisabled }],
    handle: ({ why }, { caller, params }) => why.host(caller, params.id),
  }),
  route({
    id: 'whyImage',
    method: 'get',
    path: '/images/{id}/why',
    tag: 'Images',
    summary: 'Tell why an image is as it is',
    needs: [['use', 'image']],
    description,
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(Why),
    problems: ['not_found'],
    examples: [{ params: { id: '0' }, answer: whyData }],
    handle: ({ why }, { caller, params }) => why.image(caller, params.id),
  }),
];
