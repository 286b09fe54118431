import type { NextAction } from '../../schemas/operations/next-action.js';
import type { Answer } from '../../schemas/operations/question.js';
import { onHost } from '../hosts/host-operations.js';
import { isSilent } from '../hosts/host-states.js';
import { isOpen } from '../operation-states.js';
import { requestFor } from './act-requests.js';
import { type Act, rightFor, verdictOn } from './acts.js';
import type { ActionFacts } from './facts.js';
import { retryText } from './retry-words.js';

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
  | 'failover'
  | 'fenced'
  | 'test_fencing'
  | 'disable'
  | 'offline'
  | 'enable_image'
  | 'delete_image'
  | 'enable_app'
  | 'delete_app';

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
    ({ operation }) => retryText(operation),
    // Of a service that is asked about, recover and repair do the same.
    ({ about, operation, resource }) =>
      resource?.type === 'host'
        ? operation !== null && onHost(operation.kind)?.isWished(resource) === true
        : about === 'operation' || resource?.type !== 'service',
  ],
  [
    'retry',
    { do: 'recoverVm', action: 'retry' },
    'Do again what it hangs at.',
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
      resource?.type === 'vm' && resource.debugging?.begun
        ? `Go on with action ${resource.debugging.current} of ${resource.debugging.actions.length} of what failed.`
        : 'Go through what failed action by action, each done or left out as you answer.',
    ofResource,
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
  [
    'failover',
    { do: 'failOver' },
    'Have its VMs started on other hosts, once it is off.',
    (facts) =>
      facts.resource?.type === 'host' &&
      facts.resource.vms > 0 &&
      !(facts.operation?.kind === 'failoverHost' && verdictOn({ do: 'retry' }, facts) === 'may'),
  ],
  [
    'fenced',
    { do: 'callFenced' },
    'Say that the host is off, and that nothing runs there: what waits for that goes on.',
    ({ resource }) => resource?.type === 'host' && resource.fenced !== true,
  ],
  [
    'test_fencing',
    { do: 'testFencing' },
    'Have it turned off and on by the methods of its policy, which is armed then.',
    (facts) =>
      facts.resource?.type === 'host' &&
      facts.resource.ha?.armed === false &&
      !(facts.operation?.kind === 'testFencing' && verdictOn({ do: 'retry' }, facts) === 'may'),
  ],
  ['enable_image', { do: 'image', wish: 'enable' }, 'Let VMs use it again.'],
  [
    'delete_image',
    { do: 'image', wish: 'remove' },
    'Remove it, and what there is of it in its datastore.',
    // Of one that is well it would be an odd offer.
    ({ resource }) => resource?.type === 'image' && resource.state === 'ERROR',
  ],
  ['enable_app', { do: 'app', wish: 'enable' }, 'Let it be exported again.'],
  [
    'delete_app',
    { do: 'app', wish: 'remove' },
    'Remove it, and what there is of it in its marketplace.',
    // Of one that is well it would be an odd offer.
    ({ resource }) => resource?.type === 'app' && resource.state === 'ERROR',
  ],
] as const satisfies readonly Row[];

/** What a claim says of a VM: at a step that hangs how that came out, of one that is UNKNOWN what it is. */
function claimText({ resource }: ActionFacts, action: 'success' | 'failure'): string {
  if (resource?.type === 'vm' && resource.state === 'ACTIVE/UNKNOWN')
    return action === 'success' ? 'Say that it runs.' : 'Say that it does not run: it is POWEROFF then.';
  return action === 'success' ? 'Say that the step at which it hangs has succeeded.' : 'Say that it has failed.';
}

/** What users do to their VMs when they like, and a check: offered as a retry, and otherwise nowhere. */
type OfferedAsRetry =
  | 'check'
  | 'switch'
  | 'changeDevices'
  | 'saveDisk'
  | 'restoreDisk'
  | 'deployOn'
  | 'resched'
  | 'resize'
  | 'configure';
type InRows = (typeof rows)[number][1]['do'];
/** An act that no row offers does not compile: nobody would be told of it. Nor does one of these that a row offers. */
type AllOffered<Unsaid, Twice> = [Unsaid, Twice] extends [never, never]
  ? readonly Row[]
  : { noRowOffers: Unsaid; offeredAllTheSame: Twice };
export const table: readonly Row[] = rows satisfies AllOffered<
  Exclude<Act['do'], OfferedAsRetry | InRows>,
  OfferedAsRetry & InRows
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
