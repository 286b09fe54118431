import { limits } from '../../schemas/common/limits.js';
import type { Vm } from '../../schemas/vms/vm.js';

/**
 * A VM as steps read it, role by role and batch by batch: without its contents, which are most of it, but for what placement
 * and the ready gate ask for.
 */
export type WorkVm = Omit<Vm, 'template' | 'user_template' | 'schedule' | 'log' | 'lost' | 'restarts'> & {
  user_template: {
    READY?: unknown;
    PROTECTED?: unknown;
    FAILOVER?: unknown;
    SCHED_REQUIREMENTS?: unknown;
    SCHED_RANK?: unknown;
    SCHED_DS_REQUIREMENTS?: unknown;
    SCHED_DS_RANK?: unknown;
  };
  /** Its template has a CONTEXT: its guest is to be told something. Of this projection alone. */
  told?: boolean;
};

/** VMs that come in one answer of MongoDB: those of an answer are taken apart in one go, at some 0.05 ms each. */
export const readAtOnce = 100;

/** Bytes of an attribute that are read: an expression is shorter, or is too long to be one all the same. */
const most = 4 * limits.expression.most + 100;

/** A text that is longer is cut where every expression has ended; what is no text means nothing to steps. */
function cut(name: keyof WorkVm['user_template']) {
  const path = `$user_template.${name}`;
  const short = { $substrCP: [path, 0, limits.expression.most + 1] };
  const orShort = { $cond: [{ $eq: [{ $type: path }, 'string'] }, short, '$$REMOVE'] };
  return { $cond: [{ $lte: [{ $bsonSize: { it: path } }, most] }, path, orShort] };
}

const plain = {
  ...{ name: 1, uid: 1, gid: 1, permissions: 1, state: 1, lcm_state: 1, reason: 1, template_id: 1, capacity: 1 },
  ...{ service: 1, placement: 1, history: 1, deploy_id: 1, epoch: 1, hold: 1, operation: 1, wanted: 1, sighting: 1 },
  ...{ created_at: 1, ended_at: 1, charge: 1, left_behind: 1, offered_at: 1, moving: 1, stored: 1, resched: 1 },
  ...{ nics: 1, disks: 1, files: 1, datastore: 1, device_ids: 1, device_change: 1, disk_restored: 1, adopts: 1 },
  ...{ snapshots: 1, next_snapshot: 1, debugging: 1 },
} as const satisfies Record<Exclude<keyof WorkVm, '_id' | 'user_template' | 'told'>, 1>;

/** `told` of a WorkVm. */
export const toldField = { $eq: [{ $type: '$template.CONTEXT' }, 'object'] };

/** The projection that gives a WorkVm. */
export const workFields: Record<string, object | 1> = {
  ...plain,
  told: toldField,
  user_template: {
    READY: cut('READY'),
    PROTECTED: cut('PROTECTED'),
    FAILOVER: cut('FAILOVER'),
    SCHED_REQUIREMENTS: cut('SCHED_REQUIREMENTS'),
    SCHED_RANK: cut('SCHED_RANK'),
    SCHED_DS_REQUIREMENTS: cut('SCHED_DS_REQUIREMENTS'),
    SCHED_DS_RANK: cut('SCHED_DS_RANK'),
  },
};

/** The projection that tells whether VMs of a service have reported. */
export const readyFields: Record<string, object | 1> = {
  ...{ state: 1, lcm_state: 1, service: 1 },
  user_template: { READY: cut('READY') },
};
