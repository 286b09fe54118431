import type { Caller } from '../../domain/identity/caller.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import {
  pausedSchedules,
  replacedSchedules,
  type ScheduleChange,
  wrongUntil,
} from '../../domain/scaling/change-policies.js';
import { pauseOf } from '../../domain/scaling/evaluate-policy.js';
import { rescheduled } from '../../domain/services/schedule.js';
import type { PausePolicy } from '../../schemas/scaling/policies.js';
import type { RoleSchedules, RoleSchedulesResource } from '../../schemas/scaling/schedules.js';
import type { Role, Service } from '../../schemas/services/service.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { keptOfPolicies, numbersOf, shownSchedules } from '../policy-resources.js';
import type { Precondition } from '../precondition.js';
import { roleOf } from '../services/role-of.js';

/** The scheduled policies of a role, with when each is due, and what became of it last. */
export async function showSchedules(
  context: OperationsContext,
  caller: Caller,
  id: number,
  name: string,
): Promise<RoleSchedulesResource> {
  const service = authorised(caller, 'service', await context.store.services.find(id), 'use', id);
  return shown(context, service, name);
}

/** Gives a role other scheduled policies, while it runs. Those that say the same in the same place stay as they are. */
export const replaceSchedules = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  name: string,
  wish: RoleSchedules,
  precondition: Precondition,
): Promise<RoleSchedulesResource> =>
  change(context, caller, { id, name, precondition }, (role, service) => {
    const replaced = replacedSchedules(service, role, wish);
    if (replaced instanceof Problem) throw replaced;
    const count = wish.scheduled_policies.length;
    return {
      made: replaced,
      log: `has ${count === 1 ? 'one scheduled policy' : `${count} scheduled policies`} from now on`,
    };
  });

/** Has a scheduled policy do nothing when it is due, until it is resumed, or until a time. */
export const pauseSchedule = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  name: string,
  schedule: number,
  { until }: PausePolicy,
  precondition: Precondition,
): Promise<RoleSchedulesResource> =>
  change(context, caller, { id, name, precondition }, (role) => {
    const wrong = wrongUntil(until, new Date());
    if (wrong) throw wrong;
    return {
      made: { scheduled_policies: withPause(role, id, schedule, { until: until ?? null }) },
      log: `scheduled policy ${schedule} is paused${until === undefined ? '' : ` until ${until}`}`,
    };
  });

export const resumeSchedule = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  name: string,
  schedule: number,
  precondition: Precondition,
): Promise<RoleSchedulesResource> =>
  change(context, caller, { id, name, precondition }, (role) => ({
    made: { scheduled_policies: withPause(role, id, schedule, null) },
    log: `scheduled policy ${schedule} is resumed`,
  }));

function withPause(role: Role, id: number, schedule: number, pause: { until: string | null } | null) {
  const policies = pausedSchedules(role.scheduled_policies ?? [], schedule, pause);
  if (policies) return policies;
  throw new Problem(
    'not_found',
    `Role ${role.name} of service ${id} has no scheduled policy ${schedule}: ${numbersOf(role.scheduled_policies)}.`,
  );
}

async function change(
  context: OperationsContext,
  caller: Caller,
  { id, name, precondition }: { id: number; name: string; precondition: Precondition },
  revise: (role: Role, service: Service) => { made: ScheduleChange; log: string },
): Promise<RoleSchedulesResource> {
  const { store } = context;
  // Asked before the transaction, too: who may not do it holds nobody up.
  authorised(caller, 'service', await store.services.find(id), 'manage', id);
  const done = await store.edit('service', id, async (stored, transaction): Promise<Service> => {
    const service = authorised(caller, 'service', stored, 'manage', id);
    const role = roleOf(service, name);
    await precondition.demand(async () => shown(context, service, name));
    const { made, log } = revise(role, service);
    const now = new Date();
    const after = { ...role, ...made };
    // A tick that has read the one before finds another version, and does nothing by it.
    const schedule = rescheduled(after, service.schedule ?? null, { zone: zoneOf(context), now });
    const entry = { timestamp: now, severity: 'I', message: `Role ${name} : ${log}, by ${caller.name}` } as const;
    await store.schedules.change({ service: id, role: name, change: made, schedule, log: entry }, transaction);
    return { ...service, schedule, roles: service.roles.map((one) => (one === role ? after : one)) };
  });
  if (!done) throw new Problem('not_found', `There is no ${nameOf({ type: 'service', id })}.`);
  return shown(context, done, name);
}

const zoneOf = ({ settings: { timeZone = 'UTC' } }: OperationsContext): string => timeZone;

async function shown(context: OperationsContext, service: Service, name: string): Promise<RoleSchedulesResource> {
  const { scheduled_policies: policies = [], min_vms = null, max_vms = null, cardinality } = roleOf(service, name);
  const now = new Date();
  const { endings } = await keptOfPolicies(context.store, [service]);
  const seen = shownSchedules(service.schedule, name, policies, endings);
  return {
    ...{ role: name, cardinality, min_vms, max_vms, time_zone: service.schedule?.zone ?? zoneOf(context) },
    schedules: policies.map((definition, schedule) => {
      const { next_at = null, last = null } = seen[schedule] ?? {};
      return { schedule, definition, paused: pauseOf(definition, now), next_at, last };
    }),
  };
}
