import { nextActions } from '../../domain/acts/next-actions.js';
import type { Caller } from '../../domain/identity/caller.js';
import { hasEnded } from '../../domain/operation-states.js';
import { type SeenStep, seenSteps, stepResource } from '../../domain/operations/steps.js';
import { etaOf, type Progress, serviceProgress, vmProgress } from '../../domain/services/progress.js';
import { mebi } from '../../schemas/common/mebi.js';
import type { FailedOver } from '../../schemas/operations/failed-over.js';
import type { Flushed } from '../../schemas/operations/flushed.js';
import { isFailover, isFlush, isPerformance, type Operation } from '../../schemas/operations/operation.js';
import type { OperationDetail } from '../../schemas/operations/operation-resource.js';
import type { Performed } from '../../schemas/operations/vm-action.js';
import type { OperationKind } from '../../schemas/operations.js';
import { actionFacts, findResource, type Resource } from '../acts/action-facts.js';
import { authorisedOperation } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { operationResource } from '../operations/operation-resource.js';

/** Steps that are shown, and earlier operations that an ETA is taken from. */
export const stepsShown = 200;
const earlierRuns = 20;
/** VMs of an action that are told of one by one. */
const performedShown = 200;
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
    moved: movedResource(operation),
    performed: performedResource(operation),
    flushed: flushedResource(operation),
    failed_over: failedOverResource(operation),
    actions: nextActions(facts),
    asked_engine: askedEngine,
  };
}

/** How far the bytes are that it moves, and what that comes to. */
function movedResource({ moved }: Operation): OperationDetail['moved'] {
  if (!moved) return null;
  const { phase, done, total, at, since } = moved;
  const seconds = (at.getTime() - since.at.getTime()) / 1_000;
  const rate = seconds <= 0 ? null : Math.max(0, Math.round((done - since.done) / seconds));
  const left = total === null || !rate ? null : Math.ceil((total - done) / rate);
  return { phase, bytes: done, total, rate, seconds_left: left, at: at.toISOString() };
}

/** What an action has come to at its VMs, those first that did not take it. */
function performedResource(operation: Operation): OperationDetail['performed'] {
  if (!isPerformance(operation)) return null;
  const { action, number, period, vms } = operation.input;
  const done = vms.flatMap((vm) => {
    const its = operation.performed?.[vm];
    return its ? [{ vm, outcome: its.outcome, operation: its.op, why: its.why, at: its.at.toISOString() }] : [];
  });
  const those = (outcome: Performed['outcome']) => done.filter((one) => one.outcome === outcome);
  const [asked, refused, gone] = [those('asked'), those('refused'), those('gone')];
  return {
    ...{ action, number, period },
    ...{ asked: asked.length, refused: refused.length, gone: gone.length, left: vms.length - done.length },
    vms: [...refused, ...gone, ...asked].slice(0, performedShown),
  };
}

/** What a flush has come to at each VM, those first that stay. */
function flushedResource(operation: Operation): OperationDetail['flushed'] {
  if (!isFlush(operation)) return null;
  const all = Object.entries(operation.flushed ?? {}).map(([vm, { outcome, live, op, why, at }]) => ({
    ...{ vm: Number(vm), outcome, live, operation: op, why, at: at.toISOString() },
  }));
  const those = (outcome: Flushed['outcome']) => all.filter((one) => one.outcome === outcome);
  const [stays, waits, moving, moved, gone] = flushOutcomes.map(those);
  const told = [stays, waits, moving, moved, gone].flatMap((some = []) => some);
  const count = (some: typeof all | undefined): number => some?.length ?? 0;
  return {
    ...{ moved: count(moved), gone: count(gone), moving: count(moving), waits: count(waits), stays: count(stays) },
    vms: told.slice(0, performedShown),
  };
}

/** The same of a failover. */
function failedOverResource(operation: Operation): OperationDetail['failed_over'] {
  if (!isFailover(operation)) return null;
  const all = Object.entries(operation.failed_over ?? {}).map(([vm, { outcome, was, op, why, at }]) => ({
    ...{ vm: Number(vm), outcome, was, operation: op, why, at: at.toISOString() },
  }));
  const those = (outcome: FailedOver['outcome']) => all.filter((one) => one.outcome === outcome);
  const count = (outcome: FailedOver['outcome']): number => those(outcome).length;
  return {
    ...{ recovered: count('recovered'), gone: count('gone'), pending: count('pending') },
    ...{ under_way: count('under_way'), waits: count('waits'), stays: count('stays') },
    vms: failoverOutcomes.flatMap(those).slice(0, performedShown),
  };
}
const failoverOutcomes = ['stays', 'waits', 'pending', 'under_way', 'recovered', 'gone'] as const;

const flushOutcomes = ['stays', 'waits', 'moving', 'moved', 'gone'] as const;

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
export async function progressNow<K extends OperationKind>(
  { store }: OperationsContext,
  operation: Operation<K>,
  resource: Resource | null,
): Promise<Progress | null> {
  const counted: Counted<K> = countedBy[operation.kind];
  if (typeof counted === 'function') return counted(operation);
  if (operation.moved?.total != null) {
    const { done, total } = operation.moved;
    return { done: Math.floor(done / mebi), total: Math.ceil(total / mebi), unit: 'MB', roles: [] };
  }
  if (resource === null || counted === null) return null;
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
      return vmProgress(operation, resource.vm);
    case 'host':
    case 'image':
    case 'app':
    case 'zone':
      return null;
  }
}

/** By what it has written down itself, or by what there is of its resource; null: there is nothing to count but bytes. */
type Counted<K extends OperationKind> = ((operation: Operation<K>) => Progress) | 'resource' | null;
const countedBy: { readonly [K in OperationKind]: Counted<K> } = {
  deployService: 'resource',
  undeployService: 'resource',
  repairService: 'resource',
  scaleRole: 'resource',
  performOnRole: ({ performed = {}, input }) => progressOf(Object.keys(performed).length, input.vms.length),
  deployVm: 'resource',
  terminateVm: 'resource',
  recoverVm: 'resource',
  performOnVm: 'resource',
  migrateVm: 'resource',
  importVm: 'resource',
  changeDevices: 'resource',
  saveDisk: 'resource',
  restoreDisk: 'resource',
  debugVm: 'resource',
  flushHost: ({ flushed = {} }) => {
    const all = Object.values(flushed);
    return progressOf(all.filter(({ outcome }) => outcome === 'moved' || outcome === 'gone').length, all.length);
  },
  failoverHost: ({ failed_over = {} }) => {
    const all = Object.values(failed_over).filter(({ outcome, was }) => outcome !== 'stays' || was === 'running');
    return progressOf(all.filter(({ outcome }) => outcome === 'recovered' || outcome === 'gone').length, all.length);
  },
  testFencing: null,
  createImage: null,
  cloneImage: null,
  resizeImage: null,
  snapshotImage: null,
  deleteImage: null,
  exportApp: null,
  publishApp: null,
  deleteApp: null,
  checkConsistency: null,
};
const progressOf = (done: number, total: number): Progress => ({ done, total, unit: 'VMs', roles: [] });
