import type { NextAction } from '../../schemas/operations/next-action.js';
import type { Answer } from '../../schemas/operations/question.js';
import type { DeviceChange } from '../../schemas/operations/vm-devices.js';
import { isSilent } from '../hosts/host-states.js';
import { isOpen } from '../operation-states.js';
import { switchOf, vmSwitches } from '../vms/vm-switches.js';
import { type Act, rightFor, verdictOn } from './acts.js';
import type { ActionFacts } from './facts.js';
import type { ImageWish } from './image-acts.js';

/** Names are stable: clients go by them. */
export type ActionName =
  | Answer
  | 'recover'
  | 'repair'
  | 'release'
  | 'report_ready'
  | 'resume'
  | 'recreate'
  | 'debug'
  | 'migrate'
  | 'hold'
  | 'recover_success'
  | 'recover_failure'
  | 'enable'
  | 'cancel'
  | 'undeploy'
  | 'terminate'
  | 'delete'
  | 'flush'
  | 'disable'
  | 'offline'
  | 'enable_image'
  | 'delete_image';

/** `offered`: where it is left out although it may be done, because the same is offered otherwise or helps nobody. */
type Row = readonly [
  name: ActionName,
  act: Act,
  description: string | ((facts: ActionFacts) => string),
  offered?: (facts: ActionFacts) => boolean,
];

const ofResource = ({ about }: ActionFacts): boolean => about === 'resource';
const isGone = ({ resource }: ActionFacts): boolean => resource?.type === 'service' && resource.state === 'DONE';

/** What may be offered, the likeliest wish first; of rows of one name the first that may be done. */
const rows = [
  ['retry', { do: 'answer', answer: 'retry' }, 'Try the VMs that failed again.'],
  ['skip', { do: 'answer', answer: 'skip' }, 'Go on without the VMs that failed, with those that run.'],
  ['give_up', { do: 'answer', answer: 'give_up' }, 'End the operation as failed; what runs goes on running.'],
  [
    'retry',
    { do: 'retry' },
    retryText,
    // Of a service that is asked about, recover and repair do the same. A host that was enabled since is not to be flushed any more.
    ({ about, resource }) =>
      resource?.type === 'host' ? resource.state === 'DISABLED' : about === 'operation' || resource?.type !== 'service',
  ],
  [
    'retry',
    { do: 'recoverVm', action: 'retry' },
    ({ resource }) =>
      resource?.type === 'vm' && resource.debugging?.begun === false
        ? 'Do again what it hangs at, or go through it action by action with --interactive.'
        : 'Do again what it hangs at.',
    // Its service may be about to do so.
    (facts) => ofResource(facts) && !(facts.operation && isOpen(facts.operation)),
  ],
  [
    'resume',
    { do: 'resume' },
    ({ resource }) =>
      resource?.type === 'vm' && (resource.state === 'STOPPED' || resource.state === 'UNDEPLOYED')
        ? 'Start it again, on a host that has room for it.'
        : 'Start it again where it is.',
    // Of one without a host a retry does the same.
    ({ resource }) => resource?.type === 'vm' && resource.state !== 'PENDING',
  ],
  [
    'resume',
    { do: 'perform' },
    'Start those of its VMs that are switched off.',
    (facts) => ofResource(facts) && facts.resource?.type === 'service' && facts.resource.switchedOff === true,
  ],
  [
    'recover',
    { do: 'recover' },
    ({ resource }) =>
      resource?.type === 'service' && resource.state === 'COOLDOWN'
        ? 'End its cooldown: it may be scaled again.'
        : 'Go on with what failed: what is done is kept, VMs that failed are replaced.',
    // In WARNING it is a repair, which is offered.
    (facts) => ofResource(facts) && facts.resource?.type === 'service' && facts.resource.state !== 'WARNING',
  ],
  ['give_up', { do: 'giveUp' }, 'Give its scaling up: what runs of the role is what it is to have.', ofResource],
  [
    'repair',
    { do: 'repair' },
    'Make it whole: look for VMs that are lost, replace those that failed, make those that are missing.',
    ofResource,
  ],
  ['release', { do: 'release' }, 'Deploy what is on hold.', ofResource],
  ['release', { do: 'releaseVm' }, 'Find a host for it, and deploy it.'],
  ['hold', { do: 'hold' }, 'Look for no host until it is released.', ({ about }) => about === 'resource'],
  ['report_ready', { do: 'report' }, 'Say in place of its guest that it is ready.'],
  ['enable', { do: 'setHost', to: 'enabled' }, 'Let the host take VMs again.'],
  ['cancel', { do: 'cancel' }, 'Stop the operation at its next safe point.'],
  ['undeploy', { do: 'undeploy', hard: null }, 'End its VMs; the service stays as DONE.'],
  ['undeploy', { do: 'undeploy', hard: true }, 'Cut the power of its VMs instead of asking their guests.'],
  [
    'recreate',
    { do: 'recoverVm', action: 'recreate' },
    'End what there is of it, and deploy it anew.',
    ({ resource }) => resource?.type === 'vm' && resource.state !== 'ACTIVE/RUNNING',
  ],
  [
    'migrate',
    { do: 'migrate', host: null, live: true },
    'See on which host it is, and migrate it.',
    // Of any other it would be an offer nobody waits for.
    ({ resource }) => resource?.type === 'vm' && resource.between,
  ],
  [
    'debug',
    { do: 'debug', answer: 'run' },
    ({ resource }) =>
      resource?.type === 'vm' && resource.debugging
        ? `Go on with action ${resource.debugging.current} of ${resource.debugging.actions.length} of what failed.`
        : '',
    // Of one that nobody goes through so, a retry of all of it is offered.
    (facts) => ofResource(facts) && facts.resource?.type === 'vm' && facts.resource.debugging?.begun === true,
  ],
  ['recover_success', { do: 'recoverVm', action: 'success' }, (facts) => claimText(facts, 'success')],
  ['recover_failure', { do: 'recoverVm', action: 'failure' }, (facts) => claimText(facts, 'failure')],
  ['terminate', { do: 'terminate', hard: false }, 'End the VM for good.'],
  ['terminate', { do: 'terminate', hard: true }, 'Cut its power instead of asking its guest.'],
  [
    'delete',
    { do: 'delete' },
    (facts) => (isGone(facts) ? 'Remove its document.' : 'Cut the power of its VMs and remove the service.'),
  ],
  [
    'flush',
    { do: 'flush' },
    'Move its VMs to other hosts.',
    // Of one that is to go on taking VMs it would be an odd offer; of one whose flush may be tried again the same once more.
    (facts) =>
      facts.resource?.type === 'host' &&
      facts.resource.state === 'DISABLED' &&
      facts.resource.vms > 0 &&
      !(facts.operation?.kind === 'flushHost' && verdictOn({ do: 'retry' }, facts) === 'may'),
  ],
  [
    'disable',
    { do: 'setHost', to: 'disabled' },
    'Let the host keep its VMs and take no new ones.',
    ({ resource }) => resource?.type === 'host' && resource.state !== 'OFFLINE',
  ],
  [
    'offline',
    { do: 'setHost', to: 'offline' },
    'Ask it no more: VMs that are ended there count as gone although it does not answer.',
    // Of one that answers it would not be true.
    ({ resource }) => resource?.type === 'host' && isSilent(resource),
  ],
  ['enable_image', { do: 'image', wish: 'enable' }, 'Let VMs use it again.'],
  [
    'delete_image',
    { do: 'image', wish: 'remove' },
    'Remove it, and what there is of it in its datastore.',
    // Of one that is well it would be an odd offer.
    ({ resource }) => resource?.type === 'image' && resource.state === 'ERROR',
  ],
] as const satisfies readonly Row[];

/** What is tried again, in words: a VM that is well says of itself nothing of what failed. */
function retryText({ operation }: ActionFacts): string {
  switch (operation?.kind) {
    case 'flushHost':
      return 'Flush it again: move the VMs that are still on it to other hosts.';
    case 'migrateVm':
      return 'Migrate it again: its last migration did not come to its end.';
    case 'performOnVm': {
      const action = switchOf(operation);
      return action === null ? again : `Ask for its ${action} again: the last one did not come to its end.`;
    }
    case 'changeDevices':
      return 'Change its devices again: the last change did not come to its end.';
    default:
      return again;
  }
}
const again = 'Try it again: a new operation that goes on from what is.';

/** What a claim says of a VM: at a step that hangs how that came out, of one that is UNKNOWN what it is. */
function claimText({ resource }: ActionFacts, action: 'success' | 'failure'): string {
  if (resource?.type === 'vm' && resource.state === 'ACTIVE/UNKNOWN')
    return action === 'success' ? 'Say that it runs.' : 'Say that it does not run: it is POWEROFF then.';
  return action === 'success' ? 'Say that the step at which it hangs has succeeded.' : 'Say that it has failed.';
}

/** An act that no row offers does not compile: nobody would be told of it. A check, and what users do to their VMs when they like, are offered nowhere but as a retry. */
type AllOffered<Unsaid> = [Unsaid] extends [never] ? readonly Row[] : { noRowOffers: Unsaid };
export const table: readonly Row[] = rows satisfies AllOffered<
  Exclude<
    Act['do'],
    | 'check'
    | 'switch'
    | 'changeDevices'
    | 'deployOn'
    | 'resched'
    | 'resize'
    | 'configure'
    | (typeof rows)[number][1]['do']
  >
>;

/** What this caller may do now, ready to be sent or typed; the likeliest wish first. */
export function nextActions(facts: ActionFacts): NextAction[] {
  if (!facts.mayManage) return [];
  const found = new Map<ActionName, NextAction>();
  for (const [name, act, description, offered] of table) {
    if (found.has(name) || (offered && !offered(facts)) || verdictOn(act, facts) !== 'may') continue;
    if (rightFor(act, facts.operation) === 'admin' && !facts.mayAdmin) continue;
    const text = typeof description === 'string' ? description : description(facts);
    found.set(name, { name, description: text, ...requestFor(act, facts) });
  }
  return [...found.values()];
}

type Request = Pick<NextAction, 'method' | 'href' | 'body' | 'command'>;

/** How an act is asked for, of the API and on the command line. */
export function requestFor(act: Act, { operation, resource }: ActionFacts): Request {
  const op = operation?._id ?? '';
  const id = resource?.id ?? 0;
  switch (act.do) {
    case 'answer':
      return post(`/operations/${op}/answer`, `operation answer ${op} ${act.answer}`, { answer: act.answer });
    case 'cancel':
      return post(`/operations/${op}/cancel`, `operation cancel ${op}`);
    case 'retry':
      return post(`/operations/${op}/retry`, `operation retry ${op}`);
    case 'recover':
      return post(`/services/${id}/recover`, `service recover ${id}`);
    case 'giveUp':
      return post(`/services/${id}/recover`, `service recover ${id} --give-up`, { give_up: true });
    case 'repair':
      return post(`/services/${id}/repair`, `service repair ${id}`);
    case 'release':
      return post(`/services/${id}/release`, `service release ${id}`);
    case 'perform':
      return post(`/services/${id}/actions`, `service action ${id} resume --all-roles`, { action: 'resume' });
    case 'undeploy':
      return act.hard
        ? post(`/services/${id}/undeploy`, `service undeploy ${id} --hard`, { hard: true })
        : post(`/services/${id}/undeploy`, `service undeploy ${id}`);
    case 'delete':
      return request('DELETE', `/services/${id}`, `service delete ${id}`);
    case 'resume':
      return post(`/vms/${id}/resume`, `vm resume ${id}`);
    case 'switch': {
      const { verb, hard } = vmSwitches[act.action];
      return post(`/vms/${id}/actions`, `vm ${verb} ${id}${hard ? ' --hard' : ''}`, { action: act.action });
    }
    case 'changeDevices':
      return deviceRequest(id, act.change);
    case 'hold':
      return post(`/vms/${id}/hold`, `vm hold ${id}`);
    case 'releaseVm':
      return post(`/vms/${id}/release`, `vm release ${id}`);
    case 'resize':
      return post(`/vms/${id}/resize`, `vm resize ${id}`);
    case 'configure':
      return post(`/vms/${id}/updateconf`, `vm updateconf ${id}`);
    case 'deployOn':
      return post(`/vms/${id}/deploy`, `vm deploy ${id} ${act.host}`, { host: act.host });
    case 'resched': {
      const verb = act.wish ? 'resched' : 'unresched';
      return post(`/vms/${id}/${verb}`, `vm ${verb} ${id}`);
    }
    case 'migrate': {
      const { host, live } = act;
      const words = `vm migrate ${id}${host === null ? '' : ` ${host}`}${live ? ' --live' : ''}`;
      return post(`/vms/${id}/migrate`, words, { ...(host !== null && { host }), live });
    }
    case 'recoverVm':
      return post(`/vms/${id}/recover`, `vm recover ${id} --${act.action}`, { action: act.action });
    case 'debug': {
      const debugging = resource?.type === 'vm' ? resource.debugging : undefined;
      const { session, number } = act.at ?? { session: debugging?.session ?? 0, number: debugging?.current ?? 1 };
      return post(`/vms/${id}/recover`, `vm recover ${id} --retry --interactive`, {
        ...{ action: 'retry', interactive: { answer: act.answer, session, number } },
      });
    }
    case 'terminate':
      return act.hard
        ? post(`/vms/${id}/terminate`, `vm terminate ${id} --hard`, { hard: true })
        : post(`/vms/${id}/terminate`, `vm terminate ${id}`);
    case 'report':
      return request('PATCH', `/vms/${id}`, `vm update ${id} READY=YES`, { user_template: { READY: 'YES' } });
    case 'setHost':
      return request('PATCH', `/hosts/${id}`, `host ${verbs[act.to]} ${id}`, { state: act.to });
    case 'flush':
      return post(`/hosts/${id}/flush`, `host flush ${id}`);
    case 'image':
      return imageRequest(id, act.wish);
    case 'check':
      return post('/consistency-checks', 'fsck');
  }
}

function imageRequest(id: number, wish: ImageWish): Request {
  switch (wish) {
    case 'enable':
      return request('PATCH', `/images/${id}`, `image enable ${id}`, { state: 'enabled' });
    case 'disable':
      return request('PATCH', `/images/${id}`, `image disable ${id}`, { state: 'disabled' });
    case 'remove':
      return request('DELETE', `/images/${id}`, `image delete ${id}`);
    case 'clone':
      return post(`/images/${id}/clone`, `image clone ${id}`);
    case 'make':
    case 'retype':
      return request('PATCH', `/images/${id}`, `image update ${id}`, {});
  }
}

function deviceRequest(vm: number, change: DeviceChange): Request {
  const nics = `/vms/${vm}/nics`;
  const disks = `/vms/${vm}/disks`;
  const words = `vm ${change.action} ${vm}`;
  switch (change.action) {
    case 'nic-attach':
      return post(nics, `${words} --network ${change.nic.network}`, change.nic);
    case 'nic-detach':
      return post(`${nics}/${change.nic_id}/detach`, `${words} ${change.nic_id}`);
    case 'disk-attach': {
      const { type, size } = change.disk;
      return post(disks, `${words} --type ${type} --size ${size}`, change.disk);
    }
    case 'disk-detach':
      return post(`${disks}/${change.disk_id}/detach`, `${words} ${change.disk_id}`);
    case 'disk-resize': {
      const { disk_id, size } = change;
      return post(`${disks}/${disk_id}/resize`, `${words} ${disk_id} ${size}`, { size });
    }
    case 'disk-snapshot-create': {
      const { disk_id, name } = change;
      return post(`${disks}/${disk_id}/snapshots`, `${words} ${disk_id} ${name}`, { name });
    }
    default: {
      const { disk_id, snapshot_id } = change;
      const deed = change.action === 'disk-snapshot-revert' ? 'revert' : 'delete';
      return post(`${disks}/${disk_id}/snapshots/${snapshot_id}/${deed}`, `${words} ${disk_id} ${snapshot_id}`);
    }
  }
}

const verbs = { enabled: 'enable', disabled: 'disable', offline: 'offline' } as const;

const request = (method: Request['method'], path: string, words: string, body: Request['body'] = null): Request => ({
  method,
  href: `/api/v1${path}`,
  body,
  command: `arcus ${words}`,
});

const post = (path: string, words: string, body: Request['body'] = null): Request => request('POST', path, words, body);
