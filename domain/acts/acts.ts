import type { Answer } from '../../schemas/operations/question.js';
import type { VmSwitch } from '../../schemas/operations/vm-action.js';
import type { DeviceChange } from '../../schemas/operations/vm-devices.js';
import { operations } from '../../schemas/operations.js';
import type { RecoverAction } from '../../schemas/vms/vm.js';
import type { Right } from '../identity/permissions.js';
import { type AppWish, mayActOnApp } from './app-acts.js';
import type { ActionFacts } from './facts.js';
import { type HostWish, mayCallFenced, mayFailOver, mayFlush, maySetHost, mayTestFencing } from './host-acts.js';
import { type ImageWish, mayActOnImage } from './image-acts.js';
import { mayAnswer, mayCancel, mayCheck, mayRetry } from './operation-acts.js';
import {
  mayGiveUp,
  mayPerform,
  mayRecover,
  mayRecoverFailed,
  mayRelease,
  mayRepair,
  mayUndeploy,
} from './service-acts.js';
import { type Verdict, wrongState } from './verdict.js';
import {
  type DebugWish,
  mayChangeDevices,
  mayConfigure,
  mayDebug,
  mayDeployOn,
  mayHold,
  mayMigrate,
  mayRecoverVm,
  mayReleaseVm,
  mayReport,
  mayResched,
  mayResize,
  mayRestoreDisk,
  mayResume,
  maySaveDisk,
  maySwitch,
  mayTerminate,
} from './vm-acts.js';

/** What can be asked of an operation or a resource that is there. */
export type Act =
  | { do: 'answer'; answer: Answer }
  | { do: 'cancel' }
  | { do: 'retry' }
  /** `roles`: those that it takes. */
  | { do: 'recover'; roles?: readonly string[] }
  | { do: 'giveUp' }
  | { do: 'repair'; role?: string }
  | { do: 'release'; role?: string; roles?: readonly string[] }
  | { do: 'perform' }
  | { do: 'undeploy'; hard: boolean | null }
  | { do: 'delete' }
  | { do: 'resume' }
  | { do: 'switch'; action: VmSwitch }
  | { do: 'hold' }
  | { do: 'releaseVm' }
  | { do: 'resize' }
  | { do: 'configure' }
  | { do: 'deployOn'; host: number }
  | { do: 'resched'; wish: boolean }
  | { do: 'migrate'; host: number | null; live: boolean }
  | { do: 'changeDevices'; change: DeviceChange }
  | { do: 'saveDisk'; disk: number }
  | { do: 'restoreDisk'; disk: number; image: number }
  | { do: 'recoverVm'; action: RecoverAction }
  /** One action of what failed. */
  | ({ do: 'debug' } & DebugWish)
  | { do: 'terminate'; hard: boolean }
  | { do: 'report' }
  | { do: 'setHost'; to: HostWish }
  | { do: 'flush' }
  | { do: 'failOver' }
  /** Somebody says that the host is off. */
  | { do: 'callFenced' }
  | { do: 'testFencing' }
  | { do: 'image'; wish: ImageWish }
  | { do: 'app'; wish: AppWish }
  | { do: 'check' };

/**
 * Whether this may be done now, and if not, why: the one place that says so. What is offered is what it lets happen, and a
 * request that it refuses is refused in its words. An admission's guarded write still decides between two that come at once.
 */
export function verdictOn(act: Act, facts: ActionFacts): Verdict {
  const { operation, resource } = facts;
  switch (act.do) {
    case 'answer':
      return operation ? mayAnswer(operation, resource) : elsewhere;
    case 'cancel':
      return operation ? mayCancel(operation) : elsewhere;
    case 'retry':
      return operation ? mayRetry({ ...facts, operation }) : elsewhere;
    case 'recover':
      if (resource?.type !== 'service') return elsewhere;
      return act.roles === undefined ? mayRecover(resource) : mayRecoverFailed(resource, act.roles);
    case 'giveUp':
      return resource?.type === 'service' ? mayGiveUp(resource) : elsewhere;
    case 'repair':
      return resource?.type === 'service' ? mayRepair(resource, act.role) : elsewhere;
    case 'release':
      return resource?.type === 'service' ? mayRelease(resource, act) : elsewhere;
    case 'perform':
      return resource?.type === 'service' ? mayPerform(resource) : elsewhere;
    case 'undeploy':
      return resource?.type === 'service' ? mayUndeploy(resource, { hard: act.hard, remove: false }) : elsewhere;
    case 'delete':
      return resource?.type === 'service' ? mayUndeploy(resource, { hard: true, remove: true }) : elsewhere;
    case 'resume':
      return resource?.type === 'vm' ? mayResume(resource) : elsewhere;
    case 'switch':
      return resource?.type === 'vm' ? maySwitch(resource, act.action) : elsewhere;
    case 'hold':
      return resource?.type === 'vm' ? mayHold(resource) : elsewhere;
    case 'releaseVm':
      return resource?.type === 'vm' ? mayReleaseVm(resource) : elsewhere;
    case 'resize':
      return resource?.type === 'vm' ? mayResize(resource) : elsewhere;
    case 'configure':
      return resource?.type === 'vm' ? mayConfigure(resource) : elsewhere;
    case 'deployOn':
      return resource?.type === 'vm' ? mayDeployOn(resource) : elsewhere;
    case 'resched':
      return resource?.type === 'vm' ? mayResched(resource, act.wish) : elsewhere;
    case 'migrate':
      return resource?.type === 'vm' ? mayMigrate(resource) : elsewhere;
    case 'changeDevices':
      return resource?.type === 'vm' ? mayChangeDevices(resource, act.change.action) : elsewhere;
    case 'saveDisk':
      return resource?.type === 'vm' ? maySaveDisk(resource) : elsewhere;
    case 'restoreDisk':
      return resource?.type === 'vm' ? mayRestoreDisk(resource) : elsewhere;
    case 'recoverVm':
      return resource?.type === 'vm' ? mayRecoverVm(resource, act.action) : elsewhere;
    case 'debug':
      return resource?.type === 'vm' ? mayDebug(resource, act) : elsewhere;
    case 'terminate':
      return resource?.type === 'vm' ? mayTerminate(resource, act.hard) : elsewhere;
    case 'report':
      return resource?.type === 'vm' ? mayReport(resource) : elsewhere;
    case 'setHost':
      return resource?.type === 'host' ? maySetHost(resource, act.to) : elsewhere;
    case 'flush':
      return resource?.type === 'host' ? mayFlush(resource) : elsewhere;
    case 'failOver':
      return resource?.type === 'host' ? mayFailOver(resource) : elsewhere;
    case 'callFenced':
      return resource?.type === 'host' ? mayCallFenced(resource) : elsewhere;
    case 'testFencing':
      return resource?.type === 'host' ? mayTestFencing(resource) : elsewhere;
    case 'image':
      return resource?.type === 'image' ? mayActOnImage(resource, act.wish) : elsewhere;
    case 'app':
      return resource?.type === 'app' ? mayActOnApp(resource, act.wish) : elsewhere;
    case 'check':
      return resource?.type === 'zone' ? mayCheck(resource) : elsewhere;
  }
}

/** Nobody is told this: requests name the kind of what they are about. */
const elsewhere = wrongState('This is not done to what was asked about.');

/** What the caller needs on the resource. Who says of a VM what Arcus has not seen needs ADMIN; hosts are administrators'. */
export function rightFor(act: Act, operation: ActionFacts['operation']): Extract<Right, 'manage' | 'admin'> {
  switch (act.do) {
    case 'recoverVm':
      return act.action === 'success' || act.action === 'failure' ? 'admin' : 'manage';
    case 'debug':
      return act.answer === 'skip' ? 'admin' : 'manage';
    case 'migrate':
    case 'resched':
    case 'deployOn':
    case 'flush':
    case 'failOver':
    case 'callFenced':
    case 'testFencing':
      return 'admin';
    case 'retry':
      return operation && operations[operation.kind].right === 'admin' ? 'admin' : 'manage';
    case 'answer':
    case 'cancel':
    case 'recover':
    case 'giveUp':
    case 'repair':
    case 'release':
    case 'perform':
    case 'undeploy':
    case 'delete':
    case 'resume':
    case 'hold':
    case 'releaseVm':
    case 'resize':
    case 'configure':
    case 'switch':
    case 'changeDevices':
    case 'saveDisk':
    case 'restoreDisk':
    case 'terminate':
    case 'report':
    case 'setHost':
    case 'image':
    case 'app':
    case 'check':
      return 'manage';
  }
}
