import { capital } from '../../schemas/common/capital.js';
import { isScaling, isUndeployment, type Operation } from '../../schemas/operations/operation.js';
import { type Counted, operations } from '../../schemas/operations.js';
import { askerOf } from '../operations/asker.js';
import { nameOf, ofRole } from '../operations/names.js';
import { switchOf } from '../vms/vm-switches.js';
import { clock, lengthOf, sentence, when } from '../words.js';
import type { WhyFacts } from './facts.js';

export type OperationFacts = WhyFacts & { operation: Operation };

export const hasOperation = (facts: WhyFacts): facts is OperationFacts => facts.operation !== null;

const removes = (operation: Operation): boolean => isUndeployment(operation) && operation.input.remove;

const deletion = { noun: 'deletion', nouns: 'deletions' };

const addition = { noun: 'addition', nouns: 'additions', doing: 'is being added' };
const removal = { noun: 'removal', nouns: 'removals', doing: 'is being removed' };

/** What a scaling is that brings its role, or takes it away. */
const ofRoleItself = (operation: Operation): typeof addition | null =>
  !isScaling(operation) ? null : operation.input.added ? addition : operation.input.removes ? removal : null;

/** A VM that is switched: `the suspend of VM 34 (test)`. */
function ofSwitch(operation: Operation): typeof addition | null {
  const action = switchOf(operation);
  return action === null ? null : { noun: action, nouns: `times ${action}`, doing: `has ${action} done to it` };
}

type Said = { noun: string; nouns: string; doing: string };
const saidOf = (operation: Operation): Said =>
  ofRoleItself(operation) ?? ofSwitch(operation) ?? operations[operation.kind];

const nounsOf = (operation: Operation): { noun: string; nouns: string } =>
  removes(operation) ? deletion : saidOf(operation);

/** `service 12 (shop)`, `VM 34 (test)`, `zone 0` */
export const resourceName = ({ resource, resource_name, role }: Operation): string =>
  resource.type === 'zone' ? nameOf(resource) : `${ofRole(role)}${nameOf(resource)} (${resource_name})`;

/** `the deployment of service 12 (shop)` */
export const deedOf = (operation: Operation): string => `the ${nounsOf(operation).noun} of ${resourceName(operation)}`;

/** `service 12 (shop) is being deployed for alice, since 14:03:02Z (12 s): 6 of 10 VMs run.` */
export function goingOn(what: string, facts: OperationFacts): string {
  const { operation, now } = facts;
  const since = operation.started_at ?? operation.created_at;
  const verb = removes(operation) ? 'is being deleted' : saidOf(operation).doing;
  const progress = progressText(facts);
  const so = `since ${clock(since, now)} (${lengthOf(now.getTime() - since.getTime())})`;
  return capital(`${what} ${verb} for ${askerOf(operation)}, ${so}${progress ? `: ${progress}` : ''}.`);
}

/** `6 of 10 VMs run`; null where nothing is counted. */
export function progressText({ operation, progress }: WhyFacts): string | null {
  if (!operation || !progress || progress.total === 0) return null;
  const { done, total } = progress;
  const { is, isNot, are } = counts[operations[operation.kind].counts];
  if (progress.unit !== 'VMs') return `${done} of ${total} ${progress.unit} ${are}`;
  if (total === 1) return `its one VM ${done === 1 ? is : isNot}`;
  return `${done} of ${total} VMs ${done === 1 ? is : are}`;
}

/** What has become of those that are counted. */
const counts: Record<Counted, { is: string; isNot: string; are: string }> = {
  run: { is: 'runs', isNot: 'does not run yet', are: 'run' },
  asked: { is: 'was asked', isNot: 'is not asked yet', are: 'were asked' },
  gone: { is: 'is gone', isNot: 'is not gone yet', are: 'are gone' },
  switched: { is: 'is as wished', isNot: 'is not as wished yet', are: 'are as wished' },
  moved: { is: 'has come to its host', isNot: 'has not come to its host yet', are: 'have come to their hosts' },
  recovered: { is: 'is recovered', isNot: 'is not recovered yet', are: 'are recovered' },
  changed: {
    is: 'has its devices as wished',
    isNot: 'has not its devices as wished yet',
    are: 'have their devices as wished',
  },
  saved: { is: 'has its disk saved', isNot: 'has not its disk saved yet', are: 'have their disks saved' },
  restored: { is: 'has its disk restored', isNot: 'has not its disk restored yet', are: 'have their disks restored' },
  imported: { is: 'has its domain', isNot: 'has not its domain yet', are: 'have their domains' },
  brought: { is: 'is there', isNot: 'is not there yet', are: 'are there' },
  checked: { is: 'is checked', isNot: 'is not checked yet', are: 'are checked' },
};

/** When a running operation should end, and what that is taken from. */
export function etaText({ operation, eta, now }: OperationFacts): string | null {
  if (!eta) return null;
  const { noun, nouns } = nounsOf(operation);
  const earlier = eta.runs === 1 ? `the ${noun} before it` : `${eta.runs} earlier ${nouns}`;
  const typically = eta.runs === 1 ? 'took' : 'typically took';
  return `It should be done ${when(eta.at, now)}: ${earlier} from the same template ${typically} ${lengthOf(eta.typicalMilliseconds)}.`;
}

/** How an operation that has ended did so. */
export function endedText({ operation, now }: OperationFacts): string {
  const { state, started_at, ended_at, created_at, cancel_requested, error } = operation;
  const at = ended_at ?? now;
  const took = lengthOf(at.getTime() - (started_at ?? created_at).getTime());
  const opening = `${capital(deedOf(operation))}, asked for by ${askerOf(operation)},`;
  if (state === 'succeeded') return `${opening} succeeded ${when(at, now)}, after ${took}.`;
  if (state === 'failed') return `${opening} failed ${when(at, now)}, after ${took}.`;
  if (error?.code === 'taken') return `${opening} gave way ${when(at, now)}: ${sentence(error.detail)}`;
  const by = cancel_requested ? ` by ${cancel_requested.by.name}` : '';
  return `${opening} was cancelled${by} ${when(at, now)}, after ${took}.`;
}

/** What a failed operation said of itself; null: nothing that is not told anyway. */
export function errorText({ state, error }: Operation): string | null {
  return state === 'failed' && error ? `It said: ${sentence(error.detail)}` : null;
}
