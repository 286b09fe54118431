import { z } from 'zod';
import { json } from '../../client/message.js';
import { RoleSchedulesResource } from '../../schemas/scaling/schedules.js';
import { schedulesTable } from '../services/schedules-text.js';
import { services } from '../services/service.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { inFile, readInput } from '../shell/files/input.js';
import { pairs } from '../shell/output.js';
import { report, resolve, shown } from '../shell/resource.js';

const Options = z.object({ until: z.string().optional(), file: z.string().optional() });
type Wish = { path: string; role: string; schedule: string | undefined; options: z.output<typeof Options> };

/** What can be done with scheduled policies, by its word. */
const deeds: Readonly<Record<string, (context: Context, wish: Wish) => Promise<void>>> = {
  async list(context, { path }) {
    const { value, raw } = await context.client().get(path, RoleSchedulesResource);
    shown(context, () => schedulesText(value, context.now()), raw);
  },

  async pause(context, { path, role, schedule, options: { until } }) {
    const at = `${path}/${numberOf(schedule, 'pause')}/pause`;
    const { raw } = await context.client().send('POST', at, RoleSchedulesResource, json({ ...(until && { until }) }));
    report(context, `scheduled policy ${schedule} of role ${role} is paused${until ? ` until ${until}` : ''}.`, raw);
  },

  async resume(context, { path, role, schedule }) {
    const at = `${path}/${numberOf(schedule, 'resume')}/resume`;
    const { raw } = await context.client().send('POST', at, RoleSchedulesResource);
    report(context, `scheduled policy ${schedule} of role ${role} is resumed.`, raw);
  },

  async update(context, { path, role, options: { file } }) {
    if (file === undefined)
      throw new Complaint('usage', '--file: is needed: a file, or - for standard input.', {
        next: 'Such as: arcus service schedule update my_service web -f schedules.json',
      });
    const document = readInput(file);
    const { value, raw } = await context
      .client()
      .send('PUT', path, RoleSchedulesResource, json(document.content))
      .catch(inFile(document));
    report(context, `role ${role} has ${value.schedules.length} scheduled policies now.`, raw);
  },
};

/** `arcus service schedule`. */
export const scheduleLeaf: Leaf = leaf({
  usage: 'schedule <deed> <service> <role> [schedule]',
  summary: 'List, pause, resume or update the scheduled policies of a role',
  examples: [
    'arcus service schedule list my_service worker',
    'arcus service schedule pause my_service worker 0 --until 2026-12-01T06:00:00Z',
    'arcus service schedule resume my_service worker 0',
    'arcus service schedule update my_service worker -f schedules.json',
  ],
  options: [
    ['--until <time>', 'with pause: when it resumes by itself, as in 2026-12-01T06:00:00Z'],
    [
      '-f, --file <file>',
      'with update: JSON or YAML, {"scheduled_policies": [...]}: all that the role is to have; min_vms and max_vms, if they change; - for standard input',
    ],
  ],
  schema: Options,
  run: async (context, [deed = '', wish, role = '', schedule], options) => {
    const act = Object.hasOwn(deeds, deed) ? deeds[deed] : undefined;
    if (!act)
      throw new Complaint('usage', `${JSON.stringify(deed)} is none of ${Object.keys(deeds).join(', ')}.`, {
        next: 'Such as: arcus service schedule list my_service worker',
      });
    const id = await resolve(context.client(), services, wish);
    await act(context, {
      ...{ role, schedule, options },
      path: `/services/${id}/roles/${encodeURIComponent(role)}/schedules`,
    });
  },
});

function schedulesText(resource: RoleSchedulesResource, now: Date): string {
  const { role, cardinality, min_vms, max_vms, time_zone, schedules } = resource;
  return [
    `SCHEDULES OF ROLE ${role}`,
    pairs([
      ['CARDINALITY', String(cardinality)],
      ['MIN VMS', min_vms === null ? null : String(min_vms)],
      ['MAX VMS', max_vms === null ? null : String(max_vms)],
      ['TIME ZONE', time_zone],
    ]),
    '',
    schedules.length === 0
      ? 'It has no scheduled policies.'
      : schedulesTable(
          schedules.map(({ definition, next_at, last }) => ({ ...definition, next_at, last })),
          now.getTime(),
        ),
  ].join('\n');
}

function numberOf(schedule: string | undefined, deed: string): string {
  if (schedule !== undefined && /^\d+$/.test(schedule)) return schedule;
  throw new Complaint('usage', 'Say which scheduled policy, by its number.', {
    next: `Such as: arcus service schedule ${deed} my_service worker 0. Their numbers: arcus service schedule list my_service worker`,
  });
}
