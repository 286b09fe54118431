import { nextActions } from '../../domain/acts/next-actions.js';
import type { Caller } from '../../domain/identity/caller.js';
import { hasEnded } from '../../domain/operation-states.js';
import { type SeenStep, seenSteps, stepResource } from '../../domain/operations/steps.js';
import { etaOf, type Progress, serviceProgress, vmProgress } from '../../domain/services/progress.js';
import type { OperatedKind } from '../../schemas/kinds.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { OperationDetail } from '../../schemas/operations/operation-resource.js';
import { actionFacts, findResource, type Resource } from '../acts/action-facts.js';
import { authorisedOperation } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { operationResource } from '../resources.js';

/** Steps that are shown, and earlier operations that an ETA is taken from. */
export const stepsShown = 200;
const earlierRuns = 20;
/** A step that is at work for longer may be waiting for something that only the engine knows. */
const soon = 1_000;

/** An operation with all that a list leaves out, for this caller. */
export async function showOperation(context: OperationsContext, caller: Caller, id: string): Promise<OperationDetail> {
  const { store, settings } = context;
  const operation = authorisedOperation(caller, id, await store.operations.find(id), 'use');
  const now = new Date();
  const [{ steps, askedEngine }, resource, eta] = await Promise.all([
    stepsOf(context, operation, now),
    findResource(store, operation.resource),
    etaNow(context, operation, now),
  ]);
  const [progress, facts] = await Promise.all([
    progressNow(context, operation, resource),
    actionFacts(store, caller, 'operation', operation, resource),
  ]);
  return {
    ...operationResource(operation, settings),
    steps: steps.map(stepResource),
    progress,
    eta: eta && {
      at: eta.at.toISOString(),
      typical_seconds: Math.round(eta.typicalMilliseconds / 100) / 10,
      runs: eta.runs,
    },
    actions: nextActions(facts),
    asked_engine: askedEngine,
  };
}

/** What was written down of its steps; the engine is asked only where it may know more, so that looking stays cheap. */
async function stepsOf(
  { store, engine }: OperationsContext,
  operation: Operation,
  now: Date,
): Promise<{ steps: SeenStep[]; askedEngine: boolean }> {
  // Before the engine: a step that is written down and no longer pending has then ended.
  const written = await store.steps.ofOperation(operation._id, stepsShown);
  const stalls =
    operation.state === 'running' &&
    (written.length === 0 ||
      written.some(
        ({ state, error, started_at }) =>
          state === 'running' && (error !== null || now.getTime() - started_at.getTime() > soon),
      ));
  if (!stalls) return { steps: seenSteps(written, operation, null), askedEngine: true };
  const pending = await engine.pendingSteps(operation.workflow_id).catch(() => undefined);
  const its = pending?.op === operation._id ? pending.steps : null;
  return { steps: seenSteps(written, operation, its), askedEngine: pending !== undefined };
}

export async function etaNow({ store }: OperationsContext, operation: Operation, now: Date) {
  if (operation.state !== 'running') return null;
  return etaOf(operation, await store.operations.durations(operation, earlierRuns), now);
}

/** null: nothing is counted, or another operation has come since: what is there now says nothing of this one. */
export async function progressNow(
  { store }: OperationsContext,
  operation: Operation,
  resource: Resource | null,
): Promise<Progress | null> {
  if (resource === null || !isCounted[operation.resource.type]) return null;
  if (hasEnded(operation) && (await store.operations.lastOf(operation.resource, operation.role))?._id !== operation._id)
    return null;
  switch (resource.type) {
    case 'service': {
      const vms = await store.vms.toldSince(resource.service._id, operation.created_at);
      const { roles, body } = resource.service;
      const its = operation.role === undefined ? roles : roles.filter(({ name }) => name === operation.role);
      return serviceProgress(operation.kind, { roles: its, body }, vms);
    }
    case 'vm':
      return vmProgress(operation.kind, resource.vm);
    case 'host':
    case 'zone':
      return null;
  }
}

/** Whether there is something of a resource that is counted while an operation goes on. */
const isCounted: Record<OperatedKind, boolean> = { service: true, vm: true, zone: false };
