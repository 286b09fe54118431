import type { Capacity } from '../../schemas/common/capacity.js';
import type { HostState } from '../../schemas/hosts/host.js';
import type { OperatedKind } from '../../schemas/kinds.js';
import type { AppState } from '../../schemas/market/app.js';
import type { HaAction } from '../../schemas/operations/ha-action.js';
import type { NextAction } from '../../schemas/operations/next-action.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { VmSwitch } from '../../schemas/operations/vm-action.js';
import type { Why } from '../../schemas/operations/why.js';
import type { Role, ServiceState } from '../../schemas/services/service.js';
import type { ImageState } from '../../schemas/storage/image.js';
import type { FailingTask } from '../operations/failing-task.js';
import type { SeenStep } from '../operations/steps.js';
import type { Eta, Progress } from '../services/progress.js';
import type { DebugAction } from '../vms/vm-debugging.js';
import type { VmStateName } from '../vms/vm-states.js';

/** A VM as it is told of. `unready`: it runs behind a ready gate and has not reported. */
export type VmFacts = {
  id: number;
  name: string;
  role: string | null;
  state: VmStateName;
  reason: string | null;
  unready: boolean;
  /** Name of the host that it is on, or null. */
  host: string | null;
  /** That host is OFFLINE: nobody looks at it there. */
  offline?: true;
  /** Of one that is switched off: who has asked for that, and when it was done. Absent: nobody is known to have. */
  switched?: { action: VmSwitch; by: string; at: Date };
};

/** A policy that does not do what it is for. `at`: since when, or null. */
export type PolicyFacts = {
  role: string;
  /** `policy 0`, `scheduled policy 0`, or `min_vms`. */
  policy: string;
  is: 'paused' | 'unknown' | 'refused';
  why: string;
  at: Date | null;
};

export type ServiceSubject = {
  type: 'service';
  id: number;
  name: string;
  state: ServiceState;
  roles: (Pick<Role, 'name' | 'state' | 'reason' | 'cardinality' | 'lowered' | 'cooldown_until'> & {
    /** It waits for no other role, and has not been begun. */
    isNext?: boolean;
  })[];
  /** Those that are not DONE. */
  vms: VmFacts[];
  /** Absent: all of them do what they are for. */
  policies?: PolicyFacts[];
};

export type VmSubject = VmFacts & {
  type: 'vm';
  endedAt: Date | null;
  service: { id: number; name: string } | null;
  /** Somebody goes through what failed of it, action by action. Absent: nobody does. */
  debugging?: {
    current: number | null;
    actions: readonly Pick<DebugAction, 'number' | 'action' | 'state' | 'error'>[];
  };
  /** The name of the host that it goes to, or may have come to. Absent: it goes nowhere. */
  target?: string;
  /** Its host, or the one that it goes to, when that does not answer. */
  silentHost: { name: string; error: string; lastProbe: Date | null } | null;
};

export type HostSubject = {
  type: 'host';
  id: number;
  name: string;
  state: HostState;
  error: string | null;
  lastProbe: Date | null;
  /** Since when it has not answered. Absent: it has, or nobody knows. */
  silentSince?: Date;
  /** null: not known, or none is planned; absent: nobody has asked. */
  nextProbe?: Date | null;
  total: Capacity;
  used: Capacity;
  vms: number;
  /** VMs anywhere that wait for a host. */
  waiting: boolean;
  /** Who has said that it is off; absent: nobody. */
  fenced?: { at: Date; by: string };
  /**
   * What is done by itself when it has missed so many polls, of which it has missed some; `brake`: why it is not; `unarmed`: why it never is, as
   * things are. Absent: nothing.
   */
  ha?: { action: HaAction; polls: number; missed: number; brake: string | null; unarmed: string | null };
};

export type ImageSubject = {
  type: 'image';
  id: number;
  name: string;
  state: ImageState;
  reason: string | null;
  vms: readonly number[];
  clones: readonly number[];
  /** Apps that are being published of it; absent: none. */
  apps?: readonly number[];
  /** Of one whose bytes are still being sent: of how many, how many there are, and when it is given up. */
  upload: { bytes: number; arrived: number; expires: Date } | null;
};

export type AppSubject = {
  type: 'app';
  id: number;
  name: string;
  state: AppState;
  reason: string | null;
  exports: readonly string[];
};

export type ZoneSubject = { type: 'zone'; id: number; name: string };

/** A resource that is not there any more; its name is that of the operation's admission. */
export type GoneSubject = { type: 'gone'; was: OperatedKind; id: number; name: string };

export type Subject = ServiceSubject | VmSubject | HostSubject | ImageSubject | AppSubject | ZoneSubject | GoneSubject;

/** What the engine said, if it was asked. */
export type EngineFacts =
  | { answered: false }
  | {
      answered: true;
      /** Another operation's run is open where this one's is to be. */
      inTheWay: string | null;
      /** A run of the operation is open. */
      hasRun: boolean;
      /** Since when the run waits for a worker. */
      queuedSince: Date | null;
      /** Its task fails. */
      failing: FailingTask | null;
    };

/** Everything that an answer is made of; all of it is read before, so that the answer is a matter of words alone. */
export type WhyFacts = {
  now: Date;
  subject: Subject;
  /** At work on the subject, or the last one; null: none is known. */
  operation: Operation | null;
  /** No operation has come after it on its resource. */
  isLast: boolean;
  steps: readonly SeenStep[];
  /** null: it was not asked, for there is nothing that it would know. */
  engine: EngineFacts | null;
  progress: Progress | null;
  /** Of the flush of a host: what the migrations under way do not get on with, by VM. Absent: nothing is known. */
  hindered?: ReadonlyMap<number, string>;
  eta: Eta | null;
  actions: NextAction[];
};

export type Failure = Why['failures'][number];

/** Sentences in their order, and what they tell of as data. `trouble`: it does not get on by itself as it should. */
export type Story = { sentences: string[]; failures: Failure[]; trouble: boolean };

export const story = (sentences: readonly (string | null)[], rest: Partial<Omit<Story, 'sentences'>> = {}): Story => ({
  sentences: sentences.filter((text) => text !== null),
  failures: rest.failures ?? [],
  trouble: rest.trouble ?? false,
});

export const joined = (...stories: readonly Story[]): Story => ({
  sentences: stories.flatMap(({ sentences }) => sentences),
  failures: stories.flatMap(({ failures }) => failures),
  trouble: stories.some(({ trouble }) => trouble),
});
