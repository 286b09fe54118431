import type { HostState } from '../schemas/host.js';
import type { Answer, NextAction, Operation, OperationState } from '../schemas/operation.js';
import type { ServiceState } from '../schemas/service.js';
import type { RecoverAction } from '../schemas/vm.js';
import { recoveries, resumable } from './vm-recover.js';
import type { VmStateName } from './vm-states.js';

/** A resource as it is now. `busy`: an operation on it has not ended. */
export type ResourceFacts =
  | {
      type: 'service';
      id: number;
      state: ServiceState;
      busy: boolean;
      /** The undeployment that was asked for and has not ended: only a harder one outbids it. */
      going: { hard: boolean | null; remove: boolean } | null;
    }
  | {
      type: 'vm';
      id: number;
      state: VmStateName;
      busy: boolean;
      going: { hard: boolean } | null;
      /** It runs behind the ready gate of its service and has not reported. */
      unready: boolean;
    }
  | { type: 'host'; id: number; state: HostState }
  | { type: 'zone'; id: number };

export type ActionFacts = {
  /** What was asked about: where the same can be done through operation and resource, it is offered through this one. */
  about: 'operation' | 'resource';
  operation: Pick<Operation, '_id' | 'kind' | 'state' | 'cancel_requested'> | null;
  /** No operation has come after it on its resource. */
  isLast: boolean;
  /** null: it is gone. */
  resource: ResourceFacts | null;
  /** The caller may MANAGE the operation and its resource; is an administrator, for hosts and the zone. */
  mayManage: boolean;
  /** And may say of a VM what Arcus has not seen: has the ADMIN right on it. */
  mayAdmin: boolean;
};

/** Names are stable: clients and the refusals of requests go by them. */
export type ActionName =
  | Answer
  | 'recover'
  | 'repair'
  | 'report_ready'
  | 'resume'
  | 'recreate'
  | 'recover_success'
  | 'recover_failure'
  | 'enable'
  | 'cancel'
  | 'undeploy'
  | 'terminate'
  | 'delete'
  | 'disable'
  | 'offline';

type Offer = Omit<NextAction, 'name'>;
type Row = readonly [name: ActionName, offer: (facts: ActionFacts) => Offer | null];

/** What is allowed, the likeliest wish first: the one table that answers and refusals both go by. */
const table: readonly Row[] = [
  ['retry', (facts) => answer(facts, 'retry', 'Try the VMs that failed again.')],
  ['skip', (facts) => answer(facts, 'skip', 'Go on without the VMs that failed, with those that run.')],
  ['give_up', (facts) => answer(facts, 'give_up', 'End the operation as failed; what runs goes on running.')],
  ['retry', retryOperation],
  ['retry', retryVm],
  ['resume', resumeVm],
  ['recover', recoverService],
  ['repair', repairService],
  ['report_ready', reportReady],
  ['enable', (facts) => setHost(facts, ['DISABLED', 'OFFLINE'], 'enable', 'Let the host take VMs again.')],
  ['cancel', cancelOperation],
  ['undeploy', undeployService],
  ['recreate', recreateVm],
  ['recover_success', (facts) => claimVm(facts, 'success', 'Say that the step at which it hangs has succeeded.')],
  ['recover_failure', (facts) => claimVm(facts, 'failure', 'Say that it has failed.')],
  ['terminate', terminateVm],
  ['delete', deleteService],
  ['disable', (facts) => setHost(facts, ['INIT', 'MONITORED', 'ERROR'], 'disable', disables)],
  ['offline', (facts) => setHost(facts, ['ERROR'], 'offline', offlines)],
];

const disables = 'Let the host keep its VMs and take no new ones.';
const offlines = 'Ask it no more: VMs that are ended there count as gone although it does not answer.';

/** What this caller may do now, ready to be sent or typed; the likeliest wish first. */
export function nextActions(facts: ActionFacts): NextAction[] {
  if (!facts.mayManage) return [];
  return table.flatMap(([name, offer]) => {
    const offered = offer(facts);
    return offered ? [{ name, ...offered }] : [];
  });
}

/** Whether this caller may do this now. */
export const isAllowed = (name: ActionName, facts: ActionFacts): boolean =>
  nextActions(facts).some((action) => action.name === name);

const root = '/api/v1';
const post = (path: string, body: Record<string, unknown> | null = null) =>
  ({ method: 'POST', href: root + path, body }) as const;

const open: readonly OperationState[] = ['accepted', 'running', 'waiting', 'waiting_for_you'];

function answer({ operation, resource }: ActionFacts, wish: Answer, description: string): Offer | null {
  if (operation?.state !== 'waiting_for_you' || operation.cancel_requested !== null) return null;
  if (resource?.type === 'service' && resource.going !== null) return null;
  return {
    description,
    ...post(`/operations/${operation._id}/answer`, { answer: wish }),
    command: `arcus operation answer ${operation._id} ${wish}`,
  };
}

function cancelOperation({ operation }: ActionFacts): Offer | null {
  if (!operation || !open.includes(operation.state) || operation.cancel_requested !== null) return null;
  return {
    description: 'Stop the operation at its next safe point.',
    ...post(`/operations/${operation._id}/cancel`),
    command: `arcus operation cancel ${operation._id}`,
  };
}

/** A service's failed operation is tried again through the service when that was asked about. */
function retryOperation({ about, operation, isLast, resource }: ActionFacts): Offer | null {
  if (!operation || !isLast || !resource || !['failed', 'cancelled'].includes(operation.state)) return null;
  if (about === 'resource' && resource.type === 'service') return null;
  if (!canBeTriedAgain(operation.kind, resource)) return null;
  return {
    description: 'Try it again: a new operation that goes on from what is.',
    ...post(`/operations/${operation._id}/retry`),
    command: `arcus operation retry ${operation._id}`,
  };
}

function canBeTriedAgain(kind: Operation['kind'], resource: ResourceFacts): boolean {
  if (resource.type === 'host' || (resource.type !== 'zone' && resource.busy)) return false;
  switch (kind) {
    case 'deployService':
      return resource.type === 'service' && resource.state === 'FAILED_DEPLOYING';
    case 'undeployService':
      return resource.type === 'service' && resource.state === 'FAILED_UNDEPLOYING';
    case 'repairService':
      return resource.type === 'service' && resource.state === 'WARNING';
    case 'deployVm':
      return resource.type === 'vm' && recoveries[resource.state].retry.do === 'deploy';
    case 'recoverVm':
      return resource.type === 'vm' && resource.state !== 'DONE' && resource.state !== 'ACTIVE/RUNNING';
    case 'terminateVm':
      return resource.type === 'vm' && resource.state !== 'DONE';
    case 'checkConsistency':
      return resource.type === 'zone';
  }
}

function recoverService({ about, resource }: ActionFacts): Offer | null {
  if (about !== 'resource' || resource?.type !== 'service' || resource.busy) return null;
  if (resource.state !== 'FAILED_DEPLOYING' && resource.state !== 'FAILED_UNDEPLOYING') return null;
  return {
    description: 'Go on with what failed: what is done is kept, VMs that failed are replaced.',
    ...post(`/services/${resource.id}/recover`),
    command: `arcus service recover ${resource.id}`,
  };
}

function repairService({ about, resource }: ActionFacts): Offer | null {
  if (about !== 'resource' || resource?.type !== 'service' || resource.busy) return null;
  if (resource.state !== 'WARNING') return null;
  return {
    description: 'Make it whole: look for VMs that are lost, replace those that failed, make those that are missing.',
    ...post(`/services/${resource.id}/repair`),
    command: `arcus service repair ${resource.id}`,
  };
}

function undeployService({ resource }: ActionFacts): Offer | null {
  if (resource?.type !== 'service' || resource.state === 'DONE') return null;
  const { id, going } = resource;
  if (going === null)
    return {
      description: 'End its VMs; the service stays as DONE.',
      ...post(`/services/${id}/undeploy`),
      command: `arcus service undeploy ${id}`,
    };
  if (going.hard === true || going.remove) return null;
  return {
    description: 'Cut the power of its VMs instead of asking their guests.',
    ...post(`/services/${id}/undeploy`, { hard: true }),
    command: `arcus service undeploy ${id} --hard`,
  };
}

function deleteService({ resource }: ActionFacts): Offer | null {
  if (resource?.type !== 'service' || (resource.going?.remove && resource.going.hard === true)) return null;
  return {
    description:
      resource.state === 'DONE' ? 'Remove its document.' : 'Cut the power of its VMs and remove the service.',
    method: 'DELETE',
    href: `${root}/services/${resource.id}`,
    body: null,
    command: `arcus service delete ${resource.id}`,
  };
}

/** Through the VM, where no failed operation of its own is there to be tried again. */
function retryVm(facts: ActionFacts): Offer | null {
  const { about, operation, resource } = facts;
  if (about !== 'resource' || resource?.type !== 'vm' || resource.busy || retryOperation(facts)) return null;
  if (operation && open.includes(operation.state)) return null;
  if (recoveries[resource.state].retry.do === 'nothing') return null;
  return recovery(resource.id, 'retry', 'Do again what it hangs at.');
}

function recreateVm({ resource }: ActionFacts): Offer | null {
  if (resource?.type !== 'vm' || resource.busy || resource.state === 'ACTIVE/RUNNING') return null;
  if (recoveries[resource.state].recreate.do === 'nothing') return null;
  return recovery(resource.id, 'recreate', 'End what there is of it, and deploy it anew.');
}

function claimVm(
  { resource, mayAdmin }: ActionFacts,
  action: 'success' | 'failure',
  description: string,
): Offer | null {
  if (resource?.type !== 'vm' || resource.busy || !mayAdmin) return null;
  return recoveries[resource.state][action].do === 'claim' ? recovery(resource.id, action, description) : null;
}

const recovery = (id: number, action: RecoverAction, description: string): Offer => ({
  description,
  ...post(`/vms/${id}/recover`, { action }),
  command: `arcus vm recover ${id} --${action}`,
});

function resumeVm({ resource }: ActionFacts): Offer | null {
  if (resource?.type !== 'vm' || resource.busy || !resumable.includes(resource.state)) return null;
  return {
    description: 'Start it again where it is.',
    ...post(`/vms/${resource.id}/resume`),
    command: `arcus vm resume ${resource.id}`,
  };
}

function terminateVm({ resource }: ActionFacts): Offer | null {
  if (resource?.type !== 'vm' || resource.state === 'DONE') return null;
  const { id, going } = resource;
  if (going === null)
    return {
      description: 'End the VM for good.',
      ...post(`/vms/${id}/terminate`),
      command: `arcus vm terminate ${id}`,
    };
  if (going.hard) return null;
  return {
    description: 'Cut its power instead of asking its guest.',
    ...post(`/vms/${id}/terminate`, { hard: true }),
    command: `arcus vm terminate ${id} --hard`,
  };
}

function reportReady({ resource }: ActionFacts): Offer | null {
  if (resource?.type !== 'vm' || !resource.unready) return null;
  return {
    description: 'Say in place of its guest that it is ready.',
    method: 'PATCH',
    href: `${root}/vms/${resource.id}`,
    body: { user_template: { READY: 'YES' } },
    command: `arcus vm update ${resource.id} READY=YES`,
  };
}

function setHost(
  { resource }: ActionFacts,
  from: readonly HostState[],
  verb: 'enable' | 'disable' | 'offline',
  description: string,
): Offer | null {
  if (resource?.type !== 'host' || !from.includes(resource.state)) return null;
  return {
    description,
    method: 'PATCH',
    href: `${root}/hosts/${resource.id}`,
    body: { state: verb === 'offline' ? verb : `${verb}d` },
    command: `arcus host ${verb} ${resource.id}`,
  };
}
