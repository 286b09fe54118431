import type { Evidence } from './evidence.js';
import { type Kinds, ofDomain, ofHost } from './flaw-kinds.js';
import { capacity } from './flaw-words.js';

/** Why a domain is not removed without a person's word. */
const doubts = {
  done: 'the VM is DONE',
  elsewhere: 'the VM runs on another host',
  unknown: 'there is no such VM',
  newer: 'the VM is DONE, under an earlier epoch',
  last_copy: 'the VM is not there, and runs nowhere else: it may be its last copy',
  many: 'there are more of that kind on it than a fault leaves behind',
} as const satisfies Record<Evidence['domain_doubtful']['why'], string>;

/** What may be wrong with the books of hosts, and with the domains on them. */
export const hostFlaws = {
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
  host_operation_stale: {
    ...ofHost,
    what: 'A host names an operation as at work on it that has ended or does not exist',
    detail: ({ op }) => `It names operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
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
    what: 'A host has a domain of a VM that is DONE',
    detail: ({ name, epoch, is }) => `${name} has a domain of it (epoch ${epoch}), and the VM is ${is}.`,
    repair: 'destroys the domain, unless it is of a later epoch than the one that was seen',
    advice: null,
  },
  domain_doubtful: {
    ...ofDomain,
    part: ({ host: id }) => id,
    what: 'A host has a domain of a VM that does not exist, or that is not there and runs nowhere else; or has more than five that should not be there: as after MongoDB was put back from a backup',
    detail: ({ name, epoch, why }) => `${name} has a domain of it (epoch ${epoch}), and ${doubts[why]}.`,
    repair: null,
    advice:
      'See what runs in it: arcus host show <host>. Then remove it (arcus host clean <host> --vm <vm>), or end its VM first, if there is one: arcus vm terminate <vm>',
  },
  domain_elsewhere: {
    ...ofDomain,
    part: ({ host: id }) => id,
    what: 'A host has a domain of a VM that runs on another host, under a later epoch',
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
    what: 'A host has heard of a later epoch of a VM than it has, as after MongoDB was put back from a backup: nobody could end it',
    detail: ({ name, domain, epoch }) =>
      `${name} has heard of epoch ${domain} of it, and the VM is of ${epoch}: nobody could end it there.`,
    repair: 'raises the epoch of the VM to that',
    advice: null,
  },
} as const satisfies Kinds;
