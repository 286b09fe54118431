import { z } from 'zod';
import { beyond, measureServiceTemplate } from '../../domain/bounds.js';
import { brief, longest } from '../../domain/brief.js';
import type { Caller } from '../../domain/identity/caller.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import { isSameValue } from '../../domain/same-value.js';
import { editedService, type ServiceChange } from '../../domain/scaling/edit-service.js';
import { rescheduled } from '../../domain/services/schedule.js';
import type { Schedule, Service } from '../../schemas/services/service.js';
import type { ServiceAddition } from '../../schemas/services/service-edit.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

/**
 * Puts a document in the place of what may be edited of a service that is there: what is about all of it, and of its roles
 * their ranges, cooldowns and policies. `append`: members that it does not name stay.
 */
export async function editService(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: ServiceAddition,
  { append }: { append: boolean },
): Promise<void> {
  const { store } = context;
  // Asked before the transaction, too: who may not do it holds nobody up.
  authorised(caller, 'service', await store.services.find(id), 'manage', id);
  const done = await store.edit('service', id, async (stored, transaction) => {
    const service = authorised(caller, 'service', stored, 'manage', id);
    if (service.state === 'DONE') throw new Problem('wrong_state', 'Service cannot be updated in state: DONE');
    const edited = editedService(service, wish, append);
    if (edited instanceof Problem) throw edited;
    const what = namesOf(edited);
    if (what.length > 0) {
      const now = new Date();
      const log = { timestamp: now, severity: 'I', message: `Edited by ${caller.name}: ${what.join(', ')}` } as const;
      const schedule = scheduleAfter(context, service, edited, now);
      await store.elasticity.changeService({ service: id, ...edited, ...(schedule && { schedule }), log }, transaction);
    }
    return true;
  });
  if (!done) throw new Problem('not_found', `There is no ${nameOf({ type: 'service', id })}.`);
}

/** Puts attributes over those that stand beside what a service is made of, which nobody looks into. They stay until it goes. */
export async function addRawAttributes(
  { store }: OperationsContext,
  caller: Caller,
  id: number,
  added: Readonly<Record<string, unknown>>,
): Promise<void> {
  authorised(caller, 'service', await store.services.find(id), 'manage', id);
  const done = await store.edit('service', id, async (stored, transaction) => {
    const service = authorised(caller, 'service', stored, 'manage', id);
    if (service.state === 'DONE') throw new Problem('wrong_state', 'Service cannot be updated in state: DONE');
    const before = Raw.parse(service.body.template_raw ?? {});
    const template_raw = { ...before, ...added };
    const whole = { ...service.body, roles: service.roles };
    const findings = beyond(measureServiceTemplate({ ...whole, template_raw }), measureServiceTemplate(whole));
    if (findings.length > 0) throw new Problem('invalid_request', 'The service would become too large.', { findings });
    if (isSameValue(template_raw, before)) return true;
    const message = `Edited by ${caller.name}: ${Object.keys(added).join(', ')}`;
    const log = { timestamp: new Date(), severity: 'I', message: brief(message, longest.role) } as const;
    await store.elasticity.changeService({ service: id, body: { template_raw }, roles: [], log }, transaction);
    return true;
  });
  if (!done) throw new Problem('not_found', `There is no ${nameOf({ type: 'service', id })}.`);
}

/** It came with the template, where that has some. */
const Raw = z.record(z.string(), z.unknown()).catch({});

const namesOf = ({ body, roles }: ServiceChange): string[] => [
  ...Object.keys(body),
  ...roles.map(({ name, change }) => `role ${name} (${Object.keys(change).join(', ')})`),
];

/** What is kept of scheduled policies where some have changed. A tick that has read what was before finds another version. */
function scheduleAfter(
  { settings: { timeZone = 'UTC' } }: OperationsContext,
  service: Service,
  { roles }: ServiceChange,
  now: Date,
): Schedule | undefined {
  const before = service.schedule ?? null;
  let schedule = before;
  for (const { name, change } of roles)
    if ('scheduled_policies' in change)
      schedule = rescheduled({ name, scheduled_policies: change.scheduled_policies }, schedule, {
        zone: timeZone,
        now,
      });
  if (schedule === null || schedule === before) return undefined;
  return { ...schedule, version: (before?.version ?? 0) + 1 };
}
