import { PausePolicy } from '../../../schemas/scaling/policies.js';
import { RoleSchedules, RoleSchedulesResource } from '../../../schemas/scaling/schedules.js';
import { PathId } from '../../http/path-id.js';
import { json, NoQuery, noBody, type Route, route, shows } from '../route.js';
import { RoleOfService } from './role-of-service.js';
import { pausedScheduleOfWeb, schedulesOfWeb, webSchedules } from './schedules-examples.js';

const path = '/services/{id}/roles/{role}/schedules';
const ScheduleOfRole = RoleOfService.extend({ schedule: PathId.describe('Its place in the list, from 0') });

export const scheduleRoutes: readonly Route[] = [
  route({
    ...{ id: 'showSchedules', method: 'get', path, tag: 'Services' },
    summary: 'Show the scheduled policies of a role, with when each is due and what became of it last',
    needs: [['use', 'service']],
    params: RoleOfService,
    query: NoQuery,
    body: noBody,
    answer: shows(RoleSchedulesResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1', role: 'web' }, answer: schedulesOfWeb }],
    handle: ({ schedules }, { caller, params }) => schedules.show(caller, params.id, params.role),
  }),
  route({
    ...{ id: 'replaceSchedules', method: 'put', path, tag: 'Services' },
    summary: 'Give a role of a service other scheduled policies',
    needs: [['manage', 'service']],
    description:
      'They are checked as in a service template. Those that say the same in the same place are due when they were. `min_vms` and `max_vms` stay as they are where they are not said.',
    params: RoleOfService,
    query: NoQuery,
    body: json(RoleSchedules.meta({ id: 'ReplaceSchedules' })),
    answer: shows(RoleSchedulesResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1', role: 'web' }, body: webSchedules, answer: schedulesOfWeb }],
    handle: ({ schedules }, { caller, params, body, precondition }) =>
      schedules.replace(caller, params.id, params.role, body, precondition),
  }),
  route({
    ...{ id: 'pauseSchedule', method: 'post', path: `${path}/{schedule}/pause`, tag: 'Services' },
    summary: 'Have a scheduled policy do nothing when it is due, until it is resumed or until a time',
    needs: [['manage', 'service']],
    params: ScheduleOfRole,
    query: NoQuery,
    body: json(PausePolicy.meta({ id: 'PausePolicy' }), 'optional'),
    answer: shows(RoleSchedulesResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1', role: 'web', schedule: '1' }, body: {}, answer: pausedScheduleOfWeb }],
    handle: ({ schedules }, { caller, params, body, precondition }) =>
      schedules.pause(caller, params.id, params.role, params.schedule, body, precondition),
  }),
  route({
    ...{ id: 'resumeSchedule', method: 'post', path: `${path}/{schedule}/resume`, tag: 'Services' },
    summary: 'Have a scheduled policy that is paused go on',
    needs: [['manage', 'service']],
    description: 'What was due while it was paused is not made up for.',
    params: ScheduleOfRole,
    query: NoQuery,
    body: noBody,
    answer: shows(RoleSchedulesResource),
    problems: ['not_found'],
    examples: [{ params: { id: '1', role: 'web', schedule: '1' }, answer: schedulesOfWeb }],
    handle: ({ schedules }, { caller, params, precondition }) =>
      schedules.resume(caller, params.id, params.role, params.schedule, precondition),
  }),
];
