import type { ActionFacts } from '../../domain/acts/facts.js';
import { nextActions } from '../../domain/acts/next-actions.js';
import type { Caller } from '../../domain/identity/caller.js';
import { allowed } from '../../domain/identity/permissions.js';
import { isOpen } from '../../domain/operation-states.js';
import { operationAtWork, operationOnAny } from '../../domain/operations/at-work.js';
import { seenSteps } from '../../domain/operations/steps.js';
import { uploadOf } from '../../domain/storage/uploads.js';
import type { EngineFacts, Subject, WhyFacts } from '../../domain/why/facts.js';
import { hindrance } from '../../domain/why/host-story.js';
import { why } from '../../domain/why/why.js';
import type { NextAction } from '../../schemas/operations/next-action.js';
import { isFlush, type Operation } from '../../schemas/operations/operation.js';
import type { Why } from '../../schemas/operations/why.js';
import type { Service } from '../../schemas/services/service.js';
import { actionFacts, findResource, type Resource } from '../acts/action-facts.js';
import { authorised, authorisedOperation, operationSubject, subjectOf } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { etaNow, progressNow, stepsShown } from './operation-detail.js';
import { hostSubject, serviceSubject, vmSubject } from './why-subjects.js';

// Why things are as they are. Each reads what is, asks the engine for a second at most, and leaves the words to domain/why.

export async function whyOperation(context: OperationsContext, caller: Caller, id: string): Promise<Why> {
  const { store } = context;
  const operation = authorisedOperation(caller, id, await store.operations.find(id), 'use');
  return answer(context, caller, 'operation', operation, await findResource(store, operation.resource));
}

export async function whyService(context: OperationsContext, caller: Caller, id: number): Promise<Why> {
  const { store } = context;
  const service = authorised(caller, 'service', await store.services.find(id), 'use', id);
  return answer(context, caller, 'resource', await operationOn(context, service), { type: 'service', service });
}

export async function whyVm(context: OperationsContext, caller: Caller, id: number): Promise<Why> {
  const { store } = context;
  const vm = authorised(caller, 'vm', await store.vms.find(id), 'use', id);
  const its = vm.service ? await store.services.find(vm.service.id) : null;
  // A VM can be shared by itself: who sees it need not see its service, nor what is done to that and its other VMs.
  const service = its && allowed(caller, subjectOf('service', its), 'use') ? its : null;
  const current = operationAtWork(vm);
  const atWork = current === null ? null : await store.operations.find(current);
  const operation =
    (atWork && allowed(caller, operationSubject(atWork), 'use') && atWork) ||
    (await store.operations.lastOf({ type: 'vm', id })) ||
    (service && (await operationOn(context, service)));
  return answer(context, caller, 'resource', operation, { type: 'vm', vm, service });
}

export async function whyHost(context: OperationsContext, caller: Caller, id: number): Promise<Why> {
  const { store } = context;
  const host = authorised(caller, 'host', await store.hosts.find(id), 'use', id);
  const current = host.operation ?? null;
  const operation =
    (current === null ? null : await store.operations.find(current)) ??
    (await store.operations.lastOf({ type: 'host', id }));
  const isSeen = operation !== null && allowed(caller, operationSubject(operation), 'use');
  return answer(context, caller, 'resource', isSeen ? operation : null, { type: 'host', host });
}

export async function whyImage(context: OperationsContext, caller: Caller, id: number): Promise<Why> {
  const { store } = context;
  const image = authorised(caller, 'image', await store.images.find(id), 'use', id);
  const current = operationAtWork(image);
  const operation =
    (current === null ? null : await store.operations.find(current)) ??
    (await store.operations.lastOf({ type: 'image', id }));
  const isSeen = operation !== null && allowed(caller, operationSubject(operation), 'use');
  return answer(context, caller, 'resource', isSeen ? operation : null, { type: 'image', image });
}

export async function whyApp(context: OperationsContext, caller: Caller, id: number): Promise<Why> {
  const { store } = context;
  const app = authorised(caller, 'app', await store.apps.find(id), 'use', id);
  const current = operationAtWork(app);
  const operation =
    (current === null ? null : await store.operations.find(current)) ??
    (await store.operations.lastOf({ type: 'app', id }));
  const isSeen = operation !== null && allowed(caller, operationSubject(operation), 'use');
  return answer(context, caller, 'resource', isSeen ? operation : null, { type: 'app', app });
}

/** What is at work on a service, or was last. */
async function operationOn(context: OperationsContext, service: Service): Promise<Operation | null> {
  const { store } = context;
  const current = operationOnAny(service);
  return (
    (current === null ? null : await store.operations.find(current)) ??
    store.operations.lastOf({ type: 'service', id: service._id })
  );
}

async function answer(
  context: OperationsContext,
  caller: Caller,
  about: ActionFacts['about'],
  operation: Operation | null,
  resource: Resource | null,
): Promise<Why> {
  const { store } = context;
  const now = new Date();
  const [work, subject, facts] = await Promise.all([
    operation ? workOf(context, operation, now) : nothing,
    subjectFacts(context, operation, resource),
    actionFacts(store, caller, about, operation, resource),
  ]);
  return why({
    now,
    operation,
    isLast: facts.after === null,
    ...work,
    ...subject,
    actions: [...nextActions(facts), ...(await throughService(context, caller, resource))],
  });
}

async function workOf(
  context: OperationsContext,
  operation: Operation,
  now: Date,
): Promise<Pick<WhyFacts, 'steps' | 'eta' | 'progress' | 'engine' | 'hindered'>> {
  const { store, engine } = context;
  // Before the engine: a step that is written down and no longer pending has then ended.
  const written = await store.steps.ofOperation(operation._id, stepsShown);
  const hasRun = operation.state === 'accepted' || operation.state === 'running';
  const [pending, eta, progress, hindered] = await Promise.all([
    hasRun ? engine.pendingSteps(operation.workflow_id).catch(() => undefined) : null,
    etaNow(context, operation, now),
    findResource(store, operation.resource).then((its) => progressNow(context, operation, its)),
    hinderedMoves(context, operation),
  ]);
  const its = pending?.op === operation._id ? pending : null;
  const answered: EngineFacts = {
    answered: true,
    inTheWay: pending?.isOpen && !its ? pending.op : null,
    hasRun: its?.isOpen ?? false,
    queuedSince: its?.queuedSince ?? null,
    failing: its?.failing ?? null,
  };
  return {
    steps: seenSteps(written, operation, pending === undefined ? null : (its?.steps ?? [])),
    eta,
    progress,
    hindered,
    engine: !hasRun ? null : pending === undefined ? { answered: false } : answered,
  };
}

/** What the migrations of a flush that are under way fail with, as their steps have said it last. */
async function hinderedMoves({ store }: OperationsContext, operation: Operation): Promise<Map<number, string>> {
  if (!isFlush(operation) || !isOpen(operation)) return new Map();
  const moving = Object.entries(operation.flushed ?? {}).flatMap(([vm, { outcome, op }]) =>
    outcome === 'moving' && op !== null ? [{ vm: Number(vm), op }] : [],
  );
  const failing = await store.steps.failing(moving.map(({ op }) => op));
  return new Map(
    moving.flatMap(({ vm, op }) => {
      const step = failing.get(op);
      return step ? [[vm, hindrance(step)] as const] : [];
    }),
  );
}

async function subjectFacts(
  context: OperationsContext,
  operation: Operation | null,
  resource: Resource | null,
): Promise<{ subject: Subject; engine?: EngineFacts | null }> {
  const { store, engine } = context;
  if (resource === null) {
    const { type: was, id } = operation?.resource ?? { type: 'service', id: 0 };
    return { subject: { type: 'gone', was, id, name: operation?.resource_name ?? 'unknown' } };
  }
  switch (resource.type) {
    case 'service':
      return {
        subject: await serviceSubject(
          store,
          resource.service,
          operation && isOpen(operation) ? operation.role : undefined,
        ),
      };
    case 'vm':
      return { subject: await vmSubject(store, resource.vm, resource.service) };
    case 'host': {
      const { host } = resource;
      if (operation && isOpen(operation)) return { subject: await hostSubject(store, host) };
      if (host.state === 'DISABLED' || host.state === 'OFFLINE')
        return { subject: await hostSubject(store, host, null), engine: null };
      const next = await engine.nextMonitoring().catch(() => undefined);
      const engineFacts: EngineFacts =
        next === undefined
          ? { answered: false }
          : { answered: true, inTheWay: null, hasRun: true, queuedSince: null, failing: null };
      return { subject: await hostSubject(store, host, next ?? null), engine: engineFacts };
    }
    case 'image': {
      const { _id: id, name, state, reason, vms, clones, apps = [] } = resource.image;
      return {
        subject: { type: 'image', id, name, state, reason, vms, clones, apps, upload: uploadOf(resource.image) },
      };
    }
    case 'app': {
      const { _id: id, name, state, reason, exports } = resource.app;
      return { subject: { type: 'app', id, name, state, reason, exports } };
    }
    case 'zone':
      return { subject: { type: 'zone', id: resource.id, name: operation?.resource_name ?? 'this Arcus' } };
  }
}

/** A node that failed with its service is mended through the service. */
async function throughService(
  context: OperationsContext,
  caller: Caller,
  resource: Resource | null,
): Promise<NextAction[]> {
  const { store } = context;
  if (resource?.type !== 'vm' || !resource.service?.state.startsWith('FAILED')) return [];
  const of: Resource = { type: 'service', service: resource.service };
  const actions = nextActions(await actionFacts(store, caller, 'resource', null, of));
  return actions.filter(({ name }) => name === 'recover');
}

const nothing = { steps: [], eta: null, progress: null, engine: null };
