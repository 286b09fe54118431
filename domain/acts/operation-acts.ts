import type { DebugStep } from '../../schemas/operations/debug-step.js';
import type { DeviceChange } from '../../schemas/operations/vm-devices.js';
import { isOpen } from '../operation-states.js';
import { nameOf } from '../operations/names.js';
import { switchOf } from '../vms/vm-switches.js';
import type { ActionFacts, OperationFacts, ResourceFacts } from './facts.js';
import { mayFlush } from './host-acts.js';
import { mayActOnImage } from './image-acts.js';
import { mayPerform, mayRecoverFailed, mayRepair, mayScaleAgain } from './service-acts.js';
import { notFound, type Refusal, type Verdict, wrongState } from './verdict.js';
import {
  mayChangeDevices,
  mayClaim,
  mayDebug,
  mayDeployAgain,
  mayMigrate,
  maySwitch,
  mayTerminate,
} from './vm-acts.js';

/** Asked for again it is the same: it is written down, and carried out until it has ended. */
export function mayCancel(operation: OperationFacts): Verdict {
  if (!isOpen(operation)) return endedAlready(operation);
  return operation.cancel_requested ? 'is so' : 'may';
}

/** What a question may be answered; the same for each answer. */
export function mayAnswer({ _id, state, answer, cancel_requested }: OperationFacts, on: ResourceFacts | null): Verdict {
  if (!isOpen({ state })) return endedAlready({ _id, state });
  if (answer)
    return wrongState(
      `${answer.by.name} answered ${answer.answer} at ${answer.at.toISOString()}: operation ${_id} goes on with that.`,
    );
  if (cancel_requested)
    return wrongState(`Operation ${_id} is being cancelled: ${cancel_requested.by.name} asked for it.`);
  if (state !== 'waiting_for_you') return wrongState(`Operation ${_id} is ${state}: it asks nothing.`);
  if (on?.type !== 'service' || !on.going || !on.work) return 'may';
  return {
    code: 'operation_in_progress',
    detail: `Operation ${on.work.op} takes over service ${on.id}.`,
    operation: on.work.op,
  };
}

/** A new operation of the same kind, where that can be asked of the resource as it is. */
export function mayRetry({ operation, after, resource }: ActionFacts & { operation: OperationFacts }): Verdict {
  const { _id: id, kind, state } = operation;
  if (isOpen(operation))
    return {
      code: 'operation_in_progress',
      detail: `Operation ${id} has not ended (${state}). Wait for it, or cancel it.`,
      operation: id,
    };
  if (state === 'succeeded') return wrongState(`Operation ${id} has succeeded: there is nothing to try again.`);
  const name = nameOf(operation.resource);
  if (after) return wrongState(`Operation ${after._id} (${after.kind}) came after it on ${name}: look at that one.`);
  switch (kind) {
    case 'deployService':
    case 'undeployService':
      return resource?.type === 'service' ? mayRecoverFailed(resource) : notFound(name);
    case 'repairService':
      return resource?.type === 'service' ? mayRepair(resource) : notFound(name);
    case 'scaleRole':
      return resource?.type === 'service' ? mayScaleAgain(resource, operation.role ?? '') : notFound(name);
    case 'performOnRole':
      return resource?.type === 'service' ? mayPerform(resource) : notFound(name);
    case 'deployVm':
      return resource?.type === 'vm' ? mayDeployAgain(resource) : notFound(name);
    case 'recoverVm':
      return resource?.type === 'vm' ? mayClaim(resource, claimOf(operation)) : notFound(name);
    case 'performOnVm': {
      const action = switchOf(operation);
      return resource?.type === 'vm' && action !== null ? maySwitch(resource, action) : notFound(name);
    }
    case 'migrateVm':
      return resource?.type === 'vm' ? mayMigrate(resource) : notFound(name);
    case 'debugVm': {
      const step = debugStepOf(operation);
      return resource?.type === 'vm' && step ? mayDebug(resource, { answer: step.answer, at: step }) : notFound(name);
    }
    case 'flushHost':
      return resource?.type === 'host' ? mayFlush(resource) : notFound(name);
    case 'importVm':
      return wrongState('What it was to import is wild again: import it from its host, as a new VM.');
    case 'changeDevices': {
      const change = changeOf(operation);
      return resource?.type === 'vm' && change ? mayChangeDevices(resource, change.action) : notFound(name);
    }
    case 'terminateVm':
      return resource?.type === 'vm' ? mayTerminate(resource, wasHard(operation)) : notFound(name);
    case 'createImage':
    case 'cloneImage':
      return resource?.type === 'image' ? mayActOnImage(resource, 'make') : notFound(name);
    case 'deleteImage':
      return resource?.type === 'image' ? mayActOnImage(resource, 'remove') : notFound(name);
    case 'checkConsistency':
      return resource?.type === 'zone' ? mayCheck(resource) : notFound(name);
  }
}

/** One check at a time. */
export const mayCheck = ({ work }: Extract<ResourceFacts, { type: 'zone' }>): Verdict =>
  work
    ? {
        code: 'operation_in_progress',
        detail: `Operation ${work.op} is checking consistency already. Wait for it.`,
        operation: work.op,
      }
    : 'may';

type WithInput = Pick<OperationFacts, 'input'>;

/** What a claim said of its VM. */
export const claimOf = ({ input }: WithInput): 'success' | 'failure' => ('claim' in input ? input.claim : 'failure');

/** What a change of devices was to change. */
export const changeOf = ({ input }: WithInput): DeviceChange | null => ('change' in input ? input.change : null);

/** What an action of a failed VM was answered. */
export const debugStepOf = ({ input }: WithInput): DebugStep | null =>
  'session' in input ? { answer: input.answer, session: input.session, number: input.number } : null;

/** Whether a termination was to be a hard one. */
export const wasHard = ({ input }: WithInput): boolean => 'hard' in input && input.hard === true;

const endedAlready = ({ _id, state }: Pick<OperationFacts, '_id' | 'state'>): Refusal =>
  wrongState(`Operation ${_id} has ended: it is ${state}.`);
