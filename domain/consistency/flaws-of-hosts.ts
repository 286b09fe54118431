import { type Kinds, ofDomain, ofHost } from './flaw-kinds.js';
import { capacity } from './flaw-words.js';

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
} as const satisfies Kinds;
