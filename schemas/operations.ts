import type { OperatedKind } from './kinds.js';

type Row = {
  /** The kind of thing that it is about. */
  on: OperatedKind;
  /**
   * Of a service, one role alone, or the roles that its input names: its operations run side by side with those on other roles.
   * Or VMs of it, one after the other: then it has neither service nor role, and excludes nothing. Absent: all of it.
   */
  part?: 'role' | 'roles' | 'vms';
  /** As operators read it in lists of the engine: `deploy VM 34 (test)`. */
  verb: string;
  /** `the deployment of service 12 (shop)` */
  noun: string;
  /** `3 earlier deployments` */
  nouns: string;
  /** `service 12 (shop) is being deployed` */
  doing: string;
  /** What it leads its resource to: that it runs, or that it is gone; null: neither. */
  aim: 'running' | 'gone' | null;
  /** What becomes of those that it counts: `7 of 10 VMs run`. */
  counts: string;
  /** Whatever runs on the resource gives way to it. */
  preempts: boolean;
  /** The right on the resource that it takes to try it again. Who says of a VM what Arcus has not seen needs ADMIN. */
  right: 'manage' | 'admin' | 'administrator';
};

/** Every kind of operation, once, each the workflow type of the same name. What a room does with each is a table over these. */
export const operations = {
  deployService: {
    on: 'service',
    verb: 'deploy',
    noun: 'deployment',
    nouns: 'deployments',
    doing: 'is being deployed',
    aim: 'running',
    counts: 'run',
    preempts: false,
    right: 'manage',
  },
  undeployService: {
    on: 'service',
    verb: 'undeploy',
    noun: 'undeployment',
    nouns: 'undeployments',
    doing: 'is being undeployed',
    aim: 'gone',
    counts: 'gone',
    preempts: true,
    right: 'manage',
  },
  repairService: {
    on: 'service',
    part: 'roles',
    verb: 'repair',
    noun: 'repair',
    nouns: 'repairs',
    doing: 'is being repaired',
    aim: 'running',
    counts: 'run',
    preempts: false,
    right: 'manage',
  },
  scaleRole: {
    on: 'service',
    part: 'role',
    verb: 'scale',
    noun: 'scaling',
    nouns: 'scalings',
    doing: 'is being scaled',
    aim: 'running',
    counts: 'run',
    preempts: false,
    right: 'manage',
  },
  performOnRole: {
    on: 'service',
    part: 'vms',
    verb: 'perform an action on VMs of',
    noun: 'action',
    nouns: 'actions',
    doing: 'has an action performed on its VMs',
    aim: null,
    counts: 'asked',
    preempts: false,
    right: 'manage',
  },
  deployVm: {
    on: 'vm',
    verb: 'deploy',
    noun: 'deployment',
    nouns: 'deployments',
    doing: 'is being deployed',
    aim: 'running',
    counts: 'run',
    preempts: false,
    right: 'manage',
  },
  terminateVm: {
    on: 'vm',
    verb: 'terminate',
    noun: 'termination',
    nouns: 'terminations',
    doing: 'is being terminated',
    aim: 'gone',
    counts: 'gone',
    preempts: true,
    right: 'manage',
  },
  recoverVm: {
    on: 'vm',
    verb: 'recover',
    noun: 'recovery',
    nouns: 'recoveries',
    doing: 'is being recovered',
    aim: null,
    counts: 'run',
    preempts: false,
    right: 'admin',
  },
  performOnVm: {
    on: 'vm',
    verb: 'perform an action on',
    noun: 'action',
    nouns: 'actions',
    doing: 'has an action performed on it',
    aim: null,
    counts: 'switched',
    preempts: false,
    right: 'manage',
  },
  migrateVm: {
    on: 'vm',
    verb: 'migrate',
    noun: 'migration',
    nouns: 'migrations',
    doing: 'is being migrated',
    aim: null,
    counts: 'moved',
    preempts: false,
    right: 'admin',
  },
  flushHost: {
    on: 'host',
    verb: 'flush',
    noun: 'flush',
    nouns: 'flushes',
    doing: 'is being flushed',
    aim: null,
    counts: 'moved',
    preempts: false,
    right: 'admin',
  },
  failoverHost: {
    on: 'host',
    verb: 'fail over',
    noun: 'failover',
    nouns: 'failovers',
    doing: 'is being failed over',
    aim: null,
    counts: 'recovered',
    preempts: false,
    right: 'admin',
  },
  testFencing: {
    on: 'host',
    verb: 'test the fencing of',
    noun: 'fencing test',
    nouns: 'fencing tests',
    doing: 'is being turned off and on to try that',
    aim: null,
    counts: 'switched',
    preempts: false,
    right: 'admin',
  },
  importVm: {
    on: 'vm',
    verb: 'import',
    noun: 'import',
    nouns: 'imports',
    doing: 'is being imported',
    aim: null,
    counts: 'imported',
    preempts: false,
    right: 'manage',
  },
  changeDevices: {
    on: 'vm',
    verb: 'change the devices of',
    noun: 'change of devices',
    nouns: 'changes of devices',
    doing: 'has its devices changed',
    aim: null,
    counts: 'changed',
    preempts: false,
    right: 'manage',
  },
  saveDisk: {
    on: 'vm',
    verb: 'save a disk of',
    noun: 'saving of a disk',
    nouns: 'savings of disks',
    doing: 'has a disk saved as an image',
    aim: null,
    counts: 'saved',
    preempts: false,
    right: 'manage',
  },
  restoreDisk: {
    on: 'vm',
    verb: 'restore a disk of',
    noun: 'restoring of a disk',
    nouns: 'restorings of disks',
    doing: 'has a disk put back to what an image is',
    aim: null,
    counts: 'restored',
    preempts: false,
    right: 'manage',
  },
  debugVm: {
    on: 'vm',
    verb: 'debug',
    noun: 'debugging',
    nouns: 'debuggings',
    doing: 'is being debugged',
    aim: null,
    counts: 'switched',
    preempts: false,
    right: 'manage',
  },
  createImage: {
    on: 'image',
    verb: 'create',
    noun: 'creation',
    nouns: 'creations',
    doing: 'is being made',
    aim: null,
    counts: 'brought',
    preempts: false,
    right: 'manage',
  },
  cloneImage: {
    on: 'image',
    verb: 'clone another one as',
    noun: 'cloning',
    nouns: 'clonings',
    doing: 'is being made of another one',
    aim: null,
    counts: 'brought',
    preempts: false,
    right: 'manage',
  },
  resizeImage: {
    on: 'image',
    verb: 'resize',
    noun: 'resizing',
    nouns: 'resizings',
    doing: 'is being resized',
    aim: null,
    counts: 'brought',
    preempts: false,
    right: 'manage',
  },
  snapshotImage: {
    on: 'image',
    verb: 'change the snapshots of',
    noun: 'change of snapshots',
    nouns: 'changes of snapshots',
    doing: 'has its snapshots changed',
    aim: null,
    counts: 'brought',
    preempts: false,
    right: 'manage',
  },
  deleteImage: {
    on: 'image',
    verb: 'delete',
    noun: 'deletion',
    nouns: 'deletions',
    doing: 'is being deleted',
    aim: 'gone',
    counts: 'gone',
    preempts: true,
    right: 'manage',
  },
  exportApp: {
    on: 'image',
    verb: 'export an app as',
    noun: 'export',
    nouns: 'exports',
    doing: 'is being made of an app',
    aim: null,
    counts: 'brought',
    preempts: false,
    right: 'manage',
  },
  publishApp: {
    on: 'app',
    verb: 'publish',
    noun: 'publication',
    nouns: 'publications',
    doing: 'is being published',
    aim: null,
    counts: 'brought',
    preempts: false,
    right: 'manage',
  },
  deleteApp: {
    on: 'app',
    verb: 'delete',
    noun: 'deletion',
    nouns: 'deletions',
    doing: 'is being deleted',
    aim: 'gone',
    counts: 'gone',
    preempts: true,
    right: 'manage',
  },
  checkConsistency: {
    on: 'zone',
    verb: 'check the consistency of',
    noun: 'consistency check',
    nouns: 'consistency checks',
    doing: 'is being checked',
    aim: null,
    counts: 'checked',
    preempts: false,
    right: 'administrator',
  },
} as const satisfies Readonly<Record<string, Row>>;

type Rows = typeof operations;
export type OperationKind = keyof Rows;
/** The kinds of operation on a kind of thing. */
export type OperationOn<K extends OperatedKind> = {
  [O in OperationKind]: Rows[O]['on'] extends K ? O : never;
}[OperationKind];
/** Those that have the whole of it. */
export type OperationOnWhole<K extends OperatedKind> = {
  [O in OperationOn<K>]: Rows[O] extends { part: string } ? never : O;
}[OperationOn<K>];

/** What is counted of an operation comes to this. */
export type Counted = Rows[OperationKind]['counts'];

const isOperation = (name: string): name is OperationKind => Object.hasOwn(operations, name);
export const operationKinds: readonly OperationKind[] = Object.keys(operations).filter(isOperation);

/** Whether an operation takes its resource away: it is never refused for there being too many, and cancels what is at work. */
export const takesAway = (kind: OperationKind): boolean => operations[kind].aim === 'gone';

/** Which part of its resource it is about; undefined: all of it. */
export const partOf = (kind: OperationKind): Row['part'] => {
  const row: Row = operations[kind];
  return row.part;
};

/** Whether it runs beside whatever else is at work on its resource, whichever part that has. */
export const isApart = (kind: OperationKind): boolean => partOf(kind) === 'vms';

export const isOn = <K extends OperatedKind>(on: K, kind: OperationKind): kind is OperationOn<K> =>
  operations[kind].on === on;
