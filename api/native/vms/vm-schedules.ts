import { AddVmSchedule, VmSchedulesResource } from '../../../schemas/vms/vm-schedules.js';
import { PathId } from '../../http/path-id.js';
import { ById, json, NoQuery, noBody, type Route, removes, route, shows } from '../route.js';

const path = '/vms/{id}/schedules';

const nightly = { action: 'poweroff', recurrence: '0 22 * * mon-fri', time_zone: 'Europe/Madrid' } as const;
const schedules = {
  ...{ vm: 3, time_zone: 'UTC' },
  schedules: [
    {
      ...{ id: 0, ...nightly, start_time: null, by: 0 },
      ...{ disk_id: null, image_name: null, datastore_id: null, keep: null },
      ...{ next_at: '2026-11-23T21:00:00.000Z', last: null },
    },
  ],
} satisfies VmSchedulesResource;

/** What is to be done to a VM at its time. */
export const vmScheduleRoutes: readonly Route[] = [
  route({
    ...{ id: 'showVmSchedules', method: 'get', path, tag: 'VMs' },
    summary: 'Show what is to be done to a VM at its time, and what became of each last',
    needs: [['use', 'vm']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(VmSchedulesResource),
    problems: ['not_found'],
    examples: [{ params: { id: '3' }, answer: schedules }],
    handle: ({ vmSchedules }, { caller, params }) => vmSchedules.show(caller, params.id),
  }),
  route({
    ...{ id: 'addVmSchedule', method: 'post', path, tag: 'VMs' },
    summary: 'Have something done to a VM at a time, or again and again',
    needs: [
      ['manage', 'vm'],
      ['admin', 'vm', { when: 'for `migrate`, `resched` and `unresched`' }],
    ],
    description:
      'It is done as if you asked for it then, with the rights that you have then: within ten seconds, once; for up to an hour later, where nothing could do it before or another operation was at work. What the state of the VM forbids is refused, which is kept in `last`, and not tried again. `disk-saveas` makes images of yours of the disks of the VM each time, which takes CREATE on IMAGE, too. docs/vm-actions.md tells more.',
    params: ById,
    query: NoQuery,
    body: json(AddVmSchedule.meta({ id: 'AddVmSchedule' })),
    answer: shows(VmSchedulesResource),
    problems: ['not_found', 'wrong_state'],
    examples: [{ params: { id: '3' }, body: nightly, answer: schedules }],
    handle: ({ vmSchedules }, { caller, params, body, precondition }) =>
      vmSchedules.add(caller, params.id, body, precondition),
  }),
  route({
    ...{ id: 'removeVmSchedule', method: 'delete', path: `${path}/{schedule}`, tag: 'VMs' },
    summary: 'Have a scheduled action of a VM not done any more',
    needs: [['manage', 'vm']],
    params: ById.extend({ schedule: PathId.describe('Its id, as the list of them has it') }),
    query: NoQuery,
    body: noBody,
    answer: removes,
    problems: ['not_found'],
    examples: [{ params: { id: '3', schedule: '0' }, answer: null }],
    handle: ({ vmSchedules }, { caller, params, precondition }) =>
      vmSchedules.remove(caller, params.id, params.schedule, precondition),
  }),
];
