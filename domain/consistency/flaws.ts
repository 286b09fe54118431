import type { FindingCode, FindingResource } from '../../schemas/consistency.js';
import type { Capacity } from '../../schemas/host.js';
import type { Amounts } from '../../schemas/quota.js';
import type { Evidence, Flaw } from './evidence.js';

/** What is looked through page by page, each by itself. */
export const sections = ['counters', 'operations', 'runs', 'vms', 'services', 'hosts'] as const;
export type Section = (typeof sections)[number];

type Kind<E> = {
  /** Where it is found, and found again: `of` is the id there. */
  section: Section;
  of: (seen: E) => number | string;
  /** What it is about, when that is not `of`. */
  resource: (seen: E) => FindingResource;
  /** Which of several on one resource it is. */
  part?: (seen: E) => number | string;
  /** In general, for the documentation. */
  what: string;
  /** In particular, a sentence. */
  detail: (seen: E) => string;
  /** What repairing it does; null: there is no safe repair, and `advice` says what a person can do. */
  repair: string | null;
  advice: string | null;
};

const service = (seen: { service: number }): FindingResource => ({ type: 'service', id: seen.service });
const vm = (seen: { vm: number }): FindingResource => ({ type: 'vm', id: seen.vm });
const host = (seen: { host: number }): FindingResource => ({ type: 'host', id: seen.host });
const operation = (seen: { op: string }): FindingResource => ({ type: 'operation', id: seen.op });

const ofService = { section: 'services', of: (seen: { service: number }) => seen.service, resource: service } as const;
const ofVm = { section: 'vms', of: (seen: { vm: number }) => seen.vm, resource: vm } as const;
const ofHost = { section: 'hosts', of: (seen: { host: number }) => seen.host, resource: host } as const;
const ofDomain = { section: 'hosts', of: (seen: { host: number }) => seen.host, resource: vm } as const;
const ofOperation = { section: 'operations', of: (seen: { op: string }) => seen.op, resource: operation } as const;

const capacity = ({ cpu, memory }: Capacity): string => `${cpu / 100} CPU and ${memory} MB`;
const amounts = ({ services, vms: count, ...size }: Amounts): string =>
  `${services} services, ${vms(count)}, ${capacity(size)}`;
const vms = (count: number): string => (count === 1 ? '1 VM' : `${count} VMs`);

/** Every kind of flaw: what it is, how it is told, and what can be done about it. */
export const flaws: { readonly [C in FindingCode]: Kind<Evidence[C]> } = {
  service_abandoned: {
    ...ofService,
    what: 'A service is in a state of work, and no operation is at work on it',
    detail: ({ state }) => `It is ${state}, and no operation is at work on it.`,
    repair: 'calls it and its roles FAILED_DEPLOYING or FAILED_UNDEPLOYING, from where `recover` goes on',
    advice: null,
  },
  service_operation_stale: {
    ...ofService,
    what: 'A service names an operation as at work on it that has ended or does not exist',
    detail: ({ op }) => `It names operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  service_wanted_stale: {
    ...ofService,
    what: 'A service is kept for an operation that has ended or does not exist',
    detail: ({ op }) => `It is kept for operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  service_hold_stale: {
    ...ofService,
    part: ({ role }) => role,
    what: 'A role is held by an operation that has ended or does not exist',
    detail: ({ role, op }) => `Its role ${role} is held by operation ${op}, which has ended or does not exist.`,
    repair: 'lets go of the role',
    advice: null,
  },
  service_done_with_vms: {
    ...ofService,
    what: 'A service is DONE and has VMs that are not',
    detail: ({ vms: left }) => `It is DONE, and ${vms(left)} of it ${left === 1 ? 'is' : 'are'} not.`,
    repair: 'calls it and the roles that have VMs FAILED_UNDEPLOYING, from where `recover` goes on',
    advice: null,
  },
  role_state_wrong: {
    ...ofService,
    part: ({ role }) => role,
    what: 'The state of a role does not go with that of its service, on which nobody is at work',
    detail: ({ role, is, state }) => `Its role ${role} is ${is}, which does not go with a service that is ${state}.`,
    repair:
      'gives the role the state that goes with it; a RUNNING service becomes FAILED_DEPLOYING, from where `recover` goes on',
    advice: null,
  },
  role_incomplete: {
    ...ofService,
    part: ({ role }) => role,
    what: 'A role is RUNNING with fewer running VMs than its cardinality',
    detail: ({ role, running, cardinality }) =>
      `Its role ${role} is RUNNING, and ${running} of ${vms(cardinality)} ${running === 1 ? 'runs' : 'run'}.`,
    repair: 'calls them WARNING or, where the deployment had failed, FAILED_DEPLOYING: `repair` or `recover` goes on',
    advice: null,
  },
  role_surplus: {
    ...ofService,
    part: ({ role }) => role,
    what: 'A role is RUNNING with more VMs than its cardinality',
    detail: ({ role, present, cardinality }) =>
      `Its role ${role} has ${vms(present)}, and its cardinality is ${cardinality}.`,
    repair: null,
    advice: 'Choose which of them to end: arcus vm terminate <vm>',
  },
  role_number_twice: {
    ...ofService,
    part: ({ role }) => role,
    what: 'Two VMs of a role have the same number',
    detail: ({ role }) => `Two VMs of its role ${role} have the same number.`,
    repair: null,
    advice:
      'End one of the two (arcus vm terminate <vm>), and start the api again: the unique index of VMs is missing.',
  },
  vm_abandoned: {
    ...ofVm,
    what: 'A VM is in the middle of a step, and no operation is at work on it',
    detail: ({ lcm_state }) => `It is ${lcm_state}, and no operation is at work on it.`,
    repair: 'calls it failed or UNKNOWN, and lets go of it; a recovery of its service replaces it',
    advice: null,
  },
  vm_operation_stale: {
    ...ofVm,
    what: 'A VM names an operation as at work on it that has ended or does not exist',
    detail: ({ op }) => `It names operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  vm_wanted_stale: {
    ...ofVm,
    what: 'A VM is kept for an operation that has ended or does not exist',
    detail: ({ op }) => `It is kept for operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  vm_hold_stale: {
    ...ofVm,
    what: 'A VM is held by an operation that has ended or does not exist',
    detail: ({ hold }) => `It is held by operation ${hold.op}, which has ended or does not exist.`,
    repair: 'lets go of the VM',
    advice: null,
  },
  vm_waits_for_nothing: {
    ...ofVm,
    what: 'A VM is PENDING, and no operation will deploy it',
    detail: () => 'It is PENDING, and no operation will deploy it.',
    repair: null,
    advice: 'End it: arcus vm terminate <vm>',
  },
  vm_without_service: {
    ...ofVm,
    what: 'A VM that is not DONE belongs to a service, or to a role of it, that does not exist',
    detail: ({ service: id, role, lacks }) =>
      lacks === 'service'
        ? `It belongs to service ${id}, which does not exist.`
        : `It belongs to role ${role} of service ${id}, which has no such role.`,
    repair: null,
    advice: 'See what runs in it, then end it: arcus vm terminate <vm>',
  },
  vm_owner_differs: {
    ...ofVm,
    what: 'A VM of a service has another owner or another group than the service',
    detail: ({ service: id, is, should }) =>
      `It is of user ${is.uid} and group ${is.gid}; service ${id} is of user ${should.uid} and group ${should.gid}.`,
    repair: 'gives the VM and its operations to the owner and the group of the service',
    advice: null,
  },
  vm_without_host: {
    ...ofVm,
    what: 'A VM is ACTIVE on no host, or on one that does not exist',
    detail: ({ host: id }) =>
      id === null ? 'It is ACTIVE, and on no host.' : `It is on host ${id}, which does not exist.`,
    repair: null,
    advice:
      'On no host: end it with arcus vm terminate <vm>. On one that does not exist: put its document back from a backup first.',
  },
  vm_done_on_host: {
    ...ofVm,
    what: 'A VM is DONE, and its stay on a host has not ended',
    detail: () => 'It is DONE, and its stay on a host has not ended.',
    repair: 'ends the stay',
    advice: null,
  },
  vm_not_reserved: {
    ...ofVm,
    what: 'A VM is on a host that has nothing reserved for it',
    detail: ({ host: id, capacity: size }) =>
      `It is on host ${id}, where nothing is reserved for it (${capacity(size)}).`,
    repair: 'reserves what the VM has, even where that overcommits the host',
    advice: null,
  },
  reservation_orphaned: {
    ...ofHost,
    part: (seen) => seen.vm,
    what: 'A host has something reserved for a VM that is not on it',
    detail: ({ vm: id, capacity: size, is }) =>
      `${capacity(size)} are reserved for VM ${id}, which ${is === 'missing' ? 'does not exist' : is === 'elsewhere' ? 'is on another host' : `is ${is}`}.`,
    repair: 'gives the reservation back',
    advice: null,
  },
  reservation_differs: {
    ...ofHost,
    part: (seen) => seen.vm,
    what: 'A host has another capacity reserved for a VM than the VM has',
    detail: ({ vm: id, capacity: size, should }) =>
      `${capacity(size)} are reserved for VM ${id}, which has ${capacity(should)}.`,
    repair: 'reserves what the VM has, even where that overcommits the host',
    advice: null,
  },
  host_sums_wrong: {
    ...ofHost,
    what: 'What a host says to be in use is not the sum of its reservations',
    detail: ({ used, vm_count, sum, count }) =>
      `It says that ${capacity(used)} are in use by ${vm_count} VMs; its reservations are ${capacity(sum)} for ${count}.`,
    repair: 'adds the reservations up again',
    advice: null,
  },
  host_overcommitted: {
    ...ofHost,
    what: 'More is reserved on a host than it has',
    detail: ({ used, total }) => `${capacity(used)} are reserved; it has ${capacity(total)}.`,
    repair: null,
    advice: 'End VMs of it, or give it more, if it has more: arcus host update <host> --cpu … --memory …',
  },
  host_unreachable: {
    ...ofHost,
    what: 'A host that is not OFFLINE cannot be reached; the domains of its VMs are not judged',
    detail: ({ error }) => `It cannot be reached: ${error}`,
    repair: null,
    advice: 'Mend it and check again, or take it out of monitoring: arcus host offline <host>',
  },
  domain_orphaned: {
    ...ofDomain,
    part: ({ host: id }) => id,
    what: 'A host has a domain of a VM that does not exist, is DONE, or has no host yet',
    detail: ({ name, epoch, is }) =>
      `${name} has a domain of it (epoch ${epoch}), and the VM ${is === 'missing' ? 'does not exist' : `is ${is}`}.`,
    repair: 'destroys the domain, unless it is of a later epoch than the one that was seen',
    advice: null,
  },
  domain_elsewhere: {
    ...ofDomain,
    part: ({ host: id }) => id,
    what: 'A host has a domain of a VM that is on another host',
    detail: ({ name, epoch, at }) => `${name} has a domain of it (epoch ${epoch}), and the VM is on ${at}.`,
    repair: 'destroys that domain, unless it is of a later epoch than the one that was seen',
    advice: null,
  },
  domain_missing: {
    ...ofDomain,
    what: 'A VM is RUNNING, and its host has no domain of it',
    detail: ({ name }) => `It is RUNNING, and ${name} has no domain of it.`,
    repair: 'calls the VM UNKNOWN; a repair of its service replaces it',
    advice: null,
  },
  domain_stopped: {
    ...ofDomain,
    what: 'A VM is RUNNING, and its domain has stopped or failed',
    detail: ({ name, domain }) => `It is RUNNING, and its domain on ${name} has ${domain}.`,
    repair: 'calls the VM UNKNOWN; a repair of its service replaces it',
    advice: null,
  },
  domain_older: {
    ...ofDomain,
    what: 'A VM is RUNNING, and its domain is an earlier one of it',
    detail: ({ name, domain, epoch }) =>
      `Its domain on ${name} is of epoch ${domain}, older than its place there (VM: ${epoch}).`,
    repair: 'calls the VM UNKNOWN; a repair of its service replaces it',
    advice: null,
  },
  domain_newer: {
    ...ofDomain,
    what: 'A domain is of a later epoch than its VM, as after MongoDB was put back from a backup: nobody could end it',
    detail: ({ name, domain, epoch }) =>
      `Its domain on ${name} is of epoch ${domain}, and the VM of ${epoch}: nobody could end it.`,
    repair: "raises the epoch of the VM to its domain's",
    advice: null,
  },
  operation_without_run: {
    ...ofOperation,
    what: 'An operation goes on, and no run of it is open in Temporal',
    detail: ({ state, reason }) => `It is ${state}, and ${reason}.`,
    repair: 'starts it again, or ends it as failed when its run has failed, was terminated or timed out',
    advice: null,
  },
  operation_forgotten: {
    ...ofOperation,
    what: 'An operation waits, and its resource does not know of it: nobody will wake it',
    detail: ({ state, resource }) => `It is ${state}, and ${resource} does not know of it.`,
    repair: 'ends it as failed',
    advice: null,
  },
  run_without_operation: {
    section: 'runs',
    of: (seen) => seen.workflowId,
    resource: (seen) => ({ type: 'run', id: seen.workflowId }),
    what: 'A run is open in Temporal, and its operation has ended or does not exist',
    detail: ({ op, state }) =>
      `The run is open, and ${op === null ? 'names no operation' : `operation ${op} ${state === null ? 'does not exist' : `is ${state}`}`}.`,
    repair: 'terminates that run and no later one',
    advice: null,
  },
  counter_behind: {
    section: 'counters',
    of: (seen) => seen.pool,
    resource: (seen) => ({ type: 'counter', id: seen.pool }),
    what: 'A counter of ids would give an id again',
    detail: ({ pool, next, highest }) => `The next ${pool} would get id ${next}; ${highest} is given.`,
    repair: 'raises the counter above the ids that are given',
    advice: null,
  },
  quota_drift: {
    section: 'counters',
    of: ({ holder }) => `${holder.type}/${holder.id}`,
    resource: ({ holder }) => ({ type: 'quota', id: `${holder.type}/${holder.id}` }),
    what: 'What a user or group is said to use is not the sum of what its services and VMs are charged',
    detail: ({ holder, used, sum }) =>
      `The ${holder.type} is said to use ${amounts(used)}; what it has is charged ${amounts(sum)}.`,
    repair: 'adds the charges up again',
    advice: null,
  },
  owner_missing: {
    section: 'counters',
    of: ({ holder }) => `${holder.type}/${holder.id}`,
    resource: ({ holder }) => holder,
    what: 'A user or group that does not exist owns something: it was made at the moment of the removal',
    detail: ({ holder, owns }) => `There is no ${holder.type} ${holder.id}, and it owns ${owns}.`,
    repair: null,
    advice: 'Find it in the lists by its uid or gid, and give it to somebody: arcus vm chown, and so on for what it is',
  },
};

/** How a flaw is told to people. */
export function told<C extends FindingCode>({
  code,
  seen,
}: Flaw<C>): {
  resource: FindingResource;
  detail: string;
  repair: string | null;
  advice: string | null;
} {
  const { resource, detail, repair, advice }: Kind<Evidence[C]> = flaws[code];
  const about = resource(seen);
  const named = advice?.replaceAll(`<${about.type}>`, String(about.id)) ?? null;
  return { resource: about, detail: detail(seen), repair, advice: named };
}

/** Where it is to be looked for again. */
export function placeOf<C extends FindingCode>({
  code,
  seen,
}: Flaw<C>): { section: Section; subject: number | string } {
  const { section, of }: Kind<Evidence[C]> = flaws[code];
  return { section, subject: of(seen) };
}

/** The same for the same thing, however often it is found. */
export function keyOf<C extends FindingCode>({ code, seen }: Flaw<C>): string {
  const { resource, part }: Kind<Evidence[C]> = flaws[code];
  const { type, id } = resource(seen);
  return [code, type, id, ...(part ? [part(seen)] : [])].join('/');
}
