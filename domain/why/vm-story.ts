import { capital } from '../../schemas/common/capital.js';
import type { OperatedKind } from '../../schemas/kinds.js';
import type { Operation } from '../../schemas/operations/operation.js';
import { isOpen } from '../operation-states.js';
import { isBringing } from '../storage/image-copies.js';
import type { VmStateName } from '../vms/vm-states.js';
import { clauses, sentence, when } from '../words.js';
import { joined, type Story, story, type VmSubject, type WhyFacts } from './facts.js';
import { acceptedStory, cancelStory, stepsStory } from './operation-story.js';
import {
  deedOf,
  endedText,
  errorText,
  etaText,
  goingOn,
  hasOperation,
  type OperationFacts,
  resourceName,
} from './operation-words.js';
import { failuresOf, isFailed, vmName } from './vm-groups.js';

type Facts = WhyFacts & { subject: VmSubject };

/** Why a VM is as it is. Its operation is its own, or that of the service that it is a node of. */
export function vmStory(facts: Facts): Story {
  const { operation, subject } = facts;
  const open = operation !== null && isOpen(operation);
  const failed = isFailed(subject);
  const isLeft = subject.state === 'PENDING' && !open;
  const work = hasOperation(facts) && open ? operationStory(facts) : story([]);
  const past = hasOperation(facts) && !open && (failed || isLeft || !facts.isLast) ? pastOf(facts) : [];
  return joined(
    story([stateText(facts)], { failures: failed ? failuresOf([subject]) : [], trouble: failed || isLeft }),
    debuggingStory(facts),
    // A step at work on it says the same with more.
    work.failures.length > 0 ? story([]) : silentHostStory(facts),
    work,
    story(past),
  );
}

/** A recovery that failed has its own reason, such as what its host says against a claim: the VM has that of what failed before. */
const pastOf = (facts: Facts & OperationFacts): string[] => {
  const reason = facts.operation.kind === 'recoverVm' ? errorText(facts.operation) : null;
  return [endedText(facts), ...(reason === null ? [] : [reason])];
};

/** How far whoever goes through what failed has come. */
function debuggingStory({ subject: { id, debugging } }: Facts): Story {
  if (!debugging) return story([]);
  const { current, actions } = debugging;
  const answered = actions.filter(({ state }) => state === 'succeeded' || state === 'skipped');
  const done = answered.map(({ number, action, state }) => `action ${number} (${action}) ${said[state]}`);
  const next = actions.find(({ number }) => number === current);
  const failed = next?.error ? `, which failed when it was tried last: ${next.error}` : '';
  return story([
    sentence(`What failed is gone through action by action${done.length === 0 ? '' : `: ${clauses(done)}`}`),
    next
      ? sentence(`Next is action ${next.number} of ${actions.length}, ${next.action}${failed}`)
      : `No action is left: arcus vm recover ${id} --success says that it has succeeded.`,
  ]);
}

const said = { succeeded: 'has succeeded', skipped: 'was skipped', failed: 'has failed', pending: 'is to be done' };

function operationStory(facts: Facts & OperationFacts): Story {
  const { operation, subject, steps } = facts;
  const own = operation.resource.type === 'vm';
  switch (operation.state) {
    case 'accepted':
      return joined(acceptedStory(facts), cancelStory(facts));
    case 'waiting':
      return cancelStory(facts);
    case 'waiting_for_you': {
      const question = sentence(operation.question?.text ?? 'how is it to go on?');
      return joined(story([`${capital(deedOf(operation))} waits for an answer: ${question}`]), cancelStory(facts));
    }
    default: {
      const its = steps.filter(({ role }) => role === null || role === subject.role);
      const what = nameFrom[operation.resource.type](operation);
      const holdUps = atWork(subject) ? stepsStory(facts, its, own ? [] : [subject]) : story([]);
      return joined(
        story([goingOn(what, own ? { ...facts, progress: null } : facts)]),
        cancelStory(facts),
        settlingStory(facts),
        holdUps,
        story([holdUps.trouble || !atWork(subject) ? null : etaText(facts)]),
      );
    }
  }
}

/** Its migration is over, and both hosts are asked where it is: until they have answered it is told who is asked what. */
function settlingStory({ subject: { host, target }, steps }: Facts & OperationFacts): Story {
  const settles = steps.some(({ name, state }) => name === 'settleMove' && state === 'running');
  if (!settles || host === null || target === undefined) return story([]);
  return story(
    [
      `Its migration has not come to its end: ${host} is asked whether it is there still, and then ${target} whether it has come, for 20 s at most.`,
      'If they do not answer it is UNKNOWN then: migrate it again once they do, or terminate it.',
    ],
    { trouble: true },
  );
}

/** What an operation on a VM, or on what it is part of, is about, as told of the VM. */
const nameFrom: Record<OperatedKind, (operation: Operation) => string> = {
  vm: () => 'it',
  service: (operation) => `its ${resourceName(operation)}`,
  image: resourceName,
  app: resourceName,
  host: resourceName,
  zone: resourceName,
};

/** States of VMs in the middle of a step, and what is done to them, as said of one: `VM 3 (test) is being suspended`. */
const under: Partial<Record<VmStateName, string>> = {
  'ACTIVE/PROLOG': 'is about to boot',
  'ACTIVE/BOOT': 'is booting',
  'ACTIVE/SHUTDOWN': 'is being removed',
  'ACTIVE/EPILOG': 'is being removed',
  'ACTIVE/SHUTDOWN_POWEROFF': 'is being powered off',
  'ACTIVE/SHUTDOWN_UNDEPLOY': 'is being undeployed',
  'ACTIVE/SAVE_SUSPEND': 'is being suspended',
  'ACTIVE/BOOT_SUSPENDED': 'is being resumed from what was saved',
  'ACTIVE/SAVE_STOP': 'is being stopped: what it has in memory is saved',
  'ACTIVE/EPILOG_STOP': 'is being stopped: what was saved is taken away',
  'ACTIVE/PROLOG_RESUME': 'is being resumed: what was saved comes to it',
  'ACTIVE/BOOT_STOPPED': 'is being resumed from what was saved',
  'ACTIVE/MIGRATE': 'is being migrated live',
  'ACTIVE/SAVE_MIGRATE': 'is being saved, to go on on another host',
  'ACTIVE/PROLOG_MIGRATE': 'is being taken to another host',
  'ACTIVE/HOTPLUG_SNAPSHOT': 'runs while a snapshot of it is worked on',
  'ACTIVE/BOOT_MIGRATE': 'is being resumed on its new host',
  'ACTIVE/PROLOG_MIGRATE_POWEROFF': 'is being taken to another host',
  'ACTIVE/PROLOG_MIGRATE_SUSPEND': 'is being taken to another host',
  'ACTIVE/HOTPLUG': 'is having a disk attached or detached',
  'ACTIVE/HOTPLUG_SAVEAS': 'runs while a disk of it is saved as an image',
  'ACTIVE/HOTPLUG_SAVEAS_POWEROFF': 'is switched off while a disk of it is saved as an image',
  'ACTIVE/HOTPLUG_SAVEAS_SUSPENDED': 'is suspended while a disk of it is saved as an image',
  'ACTIVE/HOTPLUG_NIC': 'is having a NIC attached or detached',
  'ACTIVE/HOTPLUG_NIC_POWEROFF': 'is having a NIC attached or detached',
  'ACTIVE/HOTPLUG_PROLOG_POWEROFF': 'is having a disk attached or detached',
  'ACTIVE/HOTPLUG_EPILOG_POWEROFF': 'is having a disk attached or detached',
  'ACTIVE/DISK_RESIZE': 'is having a disk made larger',
  'ACTIVE/DISK_RESIZE_POWEROFF': 'is having a disk made larger',
  'ACTIVE/DISK_SNAPSHOT': 'is having a snapshot of a disk taken',
  'ACTIVE/DISK_SNAPSHOT_POWEROFF': 'is having a snapshot of a disk taken',
  'ACTIVE/DISK_SNAPSHOT_SUSPENDED': 'is having a snapshot of a disk taken',
  'ACTIVE/DISK_SNAPSHOT_REVERT_POWEROFF': 'is having a disk reverted to a snapshot',
  'ACTIVE/DISK_SNAPSHOT_REVERT_SUSPENDED': 'is having a disk reverted to a snapshot',
  'ACTIVE/DISK_SNAPSHOT_DELETE': 'is having a snapshot of a disk deleted',
  'ACTIVE/DISK_SNAPSHOT_DELETE_POWEROFF': 'is having a snapshot of a disk deleted',
  'ACTIVE/DISK_SNAPSHOT_DELETE_SUSPENDED': 'is having a snapshot of a disk deleted',
};

const atWork = ({ state }: VmSubject): boolean => under[state] !== undefined;

function stateText({ subject, operation, now }: Facts): string {
  const { state, reason, host, unready, service, role, endedAt, target } = subject;
  const it = `${vmName(subject)}${service ? ` of role ${role} of service ${service.id} (${service.name})` : ''}`;
  const on = host === null ? '' : ` on ${host}`;
  const why = reason === null ? '' : `: ${reason}`;
  switch (state) {
    case 'PENDING':
      if (operation === null || !isOpen(operation)) return `${it} has no host${why}. Nothing is being done about it.`;
      if (reason === null) return `${it} has no host yet.`;
      if (reason.includes(' will do') || reason.includes(' will not do'))
        return `${sentence(`${it} has no host${why}`)} It is placed by itself as soon as a host can take it; arcus vm why-pending ${subject.id} tells of each host.`;
      return `${it} has no host${why}. It is placed by itself as soon as a host has room: add, enable or free one.`;
    case 'HOLD':
      return `${it} is on hold: nobody looks for a host until it is released.`;
    case 'ACTIVE/PROLOG':
      return `${it} has its place${on} and is about to boot${isBringing(reason) ? why : ''}.`;
    case 'ACTIVE/BOOT':
      return `${it} is booting${on}.`;
    case 'ACTIVE/RUNNING':
      return `${it} runs${on}${unready ? ', but has not reported READY=YES from inside' : ''}.`;
    case 'ACTIVE/SHUTDOWN':
    case 'ACTIVE/EPILOG':
      return `${it} is being removed${host === null ? '' : ` from ${host}`}.`;
    case 'ACTIVE/SHUTDOWN_POWEROFF':
    case 'ACTIVE/SHUTDOWN_UNDEPLOY':
    case 'ACTIVE/SAVE_SUSPEND':
    case 'ACTIVE/BOOT_SUSPENDED':
    case 'ACTIVE/SAVE_STOP':
    case 'ACTIVE/EPILOG_STOP':
    case 'ACTIVE/PROLOG_RESUME':
    case 'ACTIVE/BOOT_STOPPED':
    case 'ACTIVE/HOTPLUG_SNAPSHOT':
    case 'ACTIVE/MIGRATE':
    case 'ACTIVE/SAVE_MIGRATE':
    case 'ACTIVE/PROLOG_MIGRATE':
    case 'ACTIVE/BOOT_MIGRATE':
    case 'ACTIVE/PROLOG_MIGRATE_POWEROFF':
    case 'ACTIVE/PROLOG_MIGRATE_SUSPEND':
    case 'ACTIVE/HOTPLUG':
    case 'ACTIVE/HOTPLUG_SAVEAS':
    case 'ACTIVE/HOTPLUG_SAVEAS_POWEROFF':
    case 'ACTIVE/HOTPLUG_SAVEAS_SUSPENDED':
    case 'ACTIVE/HOTPLUG_NIC':
    case 'ACTIVE/HOTPLUG_NIC_POWEROFF':
    case 'ACTIVE/HOTPLUG_PROLOG_POWEROFF':
    case 'ACTIVE/HOTPLUG_EPILOG_POWEROFF':
    case 'ACTIVE/DISK_RESIZE':
    case 'ACTIVE/DISK_RESIZE_POWEROFF':
    case 'ACTIVE/DISK_SNAPSHOT':
    case 'ACTIVE/DISK_SNAPSHOT_POWEROFF':
    case 'ACTIVE/DISK_SNAPSHOT_SUSPENDED':
    case 'ACTIVE/DISK_SNAPSHOT_REVERT_POWEROFF':
    case 'ACTIVE/DISK_SNAPSHOT_REVERT_SUSPENDED':
    case 'ACTIVE/DISK_SNAPSHOT_DELETE':
    case 'ACTIVE/DISK_SNAPSHOT_DELETE_POWEROFF':
    case 'ACTIVE/DISK_SNAPSHOT_DELETE_SUSPENDED':
      return `${it} ${under[state]}${on}${target === undefined ? '' : `, from where it goes to ${target}`}.`;
    case 'ACTIVE/PROLOG_FAILURE':
    case 'ACTIVE/BOOT_FAILURE':
      return sentence(`${it} could not be deployed${on}${why}`);
    case 'ACTIVE/EPILOG_FAILURE':
      return sentence(`${it} could not be cleaned up${on}${why}`);
    case 'ACTIVE/EPILOG_STOP_FAILURE':
      return sentence(`${it} was saved, and could not be taken from its host${host === null ? '' : ` ${host}`}${why}`);
    case 'ACTIVE/PROLOG_RESUME_FAILURE':
      return sentence(`What was saved of ${it} could not be brought to it${on}${why}`);
    case 'ACTIVE/UNKNOWN':
      return sentence(
        target === undefined
          ? `What became of ${it}${on} is not known${why}`
          : `${it} is on ${host ?? 'its host'} or on ${target}, and it is not known on which${why}`,
      );
    case 'POWEROFF':
      return sentence(`${it} is powered off${on}${why}`);
    case 'SUSPENDED':
      return sentence(`${it} is suspended${on}${why}`);
    case 'UNDEPLOYED':
      return `${it} is undeployed: it has no host until it is resumed.`;
    case 'STOPPED':
      return `${it} is stopped: what it had in memory is kept, and it has no host until it is resumed.`;
    case 'DONE':
      return `${it} is gone for good${endedAt ? `: it ended ${when(endedAt, now)}` : ''}.`;
  }
}

function silentHostStory({ subject: { silentHost, state, target, host, offline }, now }: Facts): Story {
  if (offline && state !== 'DONE')
    return story([`Its host ${host} is OFFLINE: nothing is asked of it, and nobody looks whether the VM runs there.`]);
  if (silentHost === null || state === 'DONE') return story([]);
  const { name, error, lastProbe } = silentHost;
  const last = lastProbe ? ` when it was probed ${when(lastProbe, now)}` : '';
  return story([
    `${name === target ? 'The host that it goes to,' : 'Its host'} ${name}${name === target ? ',' : ''} did not answer${last}: ${sentence(error)}`,
    state === 'ACTIVE/RUNNING' ? 'Until it does, whether the VM still runs is not known.' : null,
    `If that host is gone for good, an administrator says so: arcus host offline ${name}.`,
  ]);
}
