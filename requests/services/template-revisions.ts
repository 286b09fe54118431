import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import {
  firstRevision,
  type ServiceTemplate,
  type ServiceTemplateRevision,
  type ServiceTemplateRevisions,
} from '../../schemas/services/service-template.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

/** What a template is now and was before, the newest first. */
export async function listRevisions(
  context: OperationsContext,
  caller: Caller,
  id: number,
): Promise<ServiceTemplateRevisions> {
  const { revision, created_at, body } = await now(context, caller, id);
  const past = await context.store.serviceTemplates.pastOf(id);
  return {
    items: [{ revision, created_at, roles: body.roles.length }, ...past].map((one) => ({
      revision: one.revision,
      created_at: one.created_at.toISOString(),
      roles: one.roles,
    })),
  };
}

/** One of them, whole. */
export async function showRevision(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wished: number,
): Promise<ServiceTemplateRevision> {
  const newest = await now(context, caller, id);
  const past = () => context.store.serviceTemplates.pastRevision(id, wished);
  const found = wished === newest.revision ? newest : await past();
  if (!found)
    throw new Problem(
      'not_found',
      `Service template ${id} has no revision ${wished}: the newest is ${newest.revision}.`,
    );
  return { revision: found.revision, body: found.body, created_at: found.created_at.toISOString() };
}

/** Whoever may USE a template may know what it was. */
async function now({ store }: OperationsContext, caller: Caller, id: number) {
  const template = authorised(caller, 'service_template', await store.serviceTemplates.find(id), 'use', id);
  const { body, revision = firstRevision, revised_at, created_at }: ServiceTemplate = template;
  return { revision, body, created_at: revised_at ?? created_at };
}
