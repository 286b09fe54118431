import { ScaleRole } from '../../../schemas/scaling/scaling.js';
import { ids, scaledUp } from '../operations/operations-examples.js';
import { accepts, json, NoQuery, type Route, route } from '../route.js';
import { RoleOfService } from './role-of-service.js';

export const scalingRoutes: readonly Route[] = [
  route({
    id: 'scaleRole',
    method: 'post',
    path: '/services/{id}/roles/{role}/scale',
    tag: 'Services',
    summary: 'Give a role another number of VMs',
    needs: [['manage', 'service']],
    description:
      'Makes VMs that the role lacks, or removes those that are too many, the oldest first, as its shutdown action says. Roles of one service are scaled side by side; one that is at work refuses. `cardinality` lies within `min_vms` and `max_vms` of the role, unless `force` says otherwise.',
    params: RoleOfService,
    query: NoQuery,
    body: json(ScaleRole.meta({ id: 'ScaleRole' })),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [{ params: { id: '1', role: 'web' }, body: { cardinality: 3 }, answer: scaledUp(ids.scaling) }],
    handle: ({ scaling }, { caller, params, body, admission }) =>
      scaling.scale(caller, params.id, params.role, body, admission),
  }),
];
