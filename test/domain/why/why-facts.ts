import type { ActionFacts, ResourceFacts, RoleFacts, Work } from '../../../domain/acts/facts.js';
import { nextActions } from '../../../domain/acts/next-actions.js';
import type { PendingStep, SeenStep } from '../../../domain/operations/steps.js';
import { serviceProgress, vmProgress } from '../../../domain/services/progress.js';
import { isVmOff, storedVmState } from '../../../domain/vms/vm-states.js';
import type {
  EngineFacts,
  HostSubject,
  ServiceSubject,
  VmFacts,
  VmSubject,
  WhyFacts,
} from '../../../domain/why/facts.js';
import type { Operation, OperationKind } from '../../../schemas/operations/operation.js';
import { madeOperation } from '../../support/made-operation.js';

/** The moment at which everything in these tables is asked. */
export const now = new Date('2026-11-23T14:03:14Z');
export const ago = (seconds: number): Date => new Date(now.getTime() - seconds * 1_000);
export const ahead = (seconds: number): Date => ago(-seconds);

export const op = '01KAJ3V5Q0F8T4X2M7N9P6R1SC';

export const operation = (over: Partial<Operation> = {}): Operation =>
  madeOperation<OperationKind>({
    ...{ _id: op, kind: 'deployService', resource: { type: 'service', id: 12 }, resource_name: 'shop', input: {} },
    ...{ requester: { id: 2, name: 'alice' }, uid: 2, gid: 1, state: 'running', run_id: 'run', template_id: 7 },
    ...{ created_at: ago(13), started_at: ago(12) },
    ...over,
  });

export const ofVm = (over: Partial<Operation> = {}): Operation =>
  operation({
    kind: 'deployVm',
    resource: { type: 'vm', id: 34 },
    resource_name: 'test',
    workflow_id: 'vm-34',
    ...over,
  });

export const vm = (id: number, over: Partial<VmFacts> = {}): VmFacts => ({
  id,
  name: `web_${id - 34}_(service_12)`,
  role: 'web',
  state: 'ACTIVE/RUNNING',
  reason: null,
  unready: false,
  host: 'host-3',
  ...over,
});

/** A service of two roles: db with one VM, 33, and web with three, 34 to 36. */
export function service(over: Partial<ServiceSubject> = {}): ServiceSubject {
  return {
    type: 'service',
    id: 12,
    name: 'shop',
    state: 'DEPLOYING',
    roles: [
      { name: 'db', state: 'RUNNING', reason: null, cardinality: 1 },
      { name: 'web', state: 'DEPLOYING', reason: null, cardinality: 3 },
    ],
    vms: [vm(33, { name: 'db_0_(service_12)', role: 'db' }), vm(34), vm(35), vm(36)],
    ...over,
  };
}

export const single = (over: Partial<VmSubject> = {}): VmSubject => ({
  ...vm(34, { name: 'test', role: null }),
  type: 'vm',
  endedAt: null,
  service: null,
  silentHost: null,
  ...over,
});

export const node = (over: Partial<VmSubject> = {}): VmSubject =>
  single({ ...vm(34), service: { id: 12, name: 'shop' }, ...over });

export const host = (over: Partial<HostSubject> = {}): HostSubject => ({
  type: 'host',
  id: 3,
  name: 'host-3',
  state: 'MONITORED',
  error: null,
  lastProbe: ago(7),
  nextProbe: ahead(13),
  total: { cpu: 800, memory: 16_384 },
  used: { cpu: 350, memory: 4_096 },
  vms: 4,
  waiting: false,
  ...over,
});

export const step = (over: Partial<SeenStep> = {}): SeenStep => ({
  _id: `${op}/run/5`,
  op,
  run: 'run',
  name: 'bootVms',
  role: 'web',
  vms: 3,
  local: false,
  attempts: 1,
  state: 'running',
  started_at: ago(10),
  ended_at: null,
  error: null,
  pending: null,
  ...over,
});

export const pending = (over: Partial<PendingStep> = {}): PendingStep => ({
  id: 'run/5',
  name: 'bootVms',
  tried: 1,
  error: null,
  nextTryAt: null,
  queuedSince: null,
  givesUpAt: ahead(160),
  ...over,
});

export const answered = {
  answered: true,
  inTheWay: null,
  hasRun: true,
  queuedSince: null,
  failing: null,
} as const satisfies EngineFacts;

type Wish = Partial<WhyFacts> & Pick<WhyFacts, 'subject'> & { about?: ActionFacts['about']; mayManage?: boolean };

/** Facts as the product would have read them: progress and actions follow from the rest. */
export function facts({ about = 'resource', mayManage = true, ...over }: Wish): WhyFacts {
  const { subject, operation: its = null } = over;
  const isLast = over.isLast ?? true;
  const actions = nextActions({
    about,
    operation: its,
    after: isLast ? null : { _id: `${op}2`, kind: 'undeployService' },
    resource: resourceOf(over),
    mayManage,
    mayAdmin: false,
  });
  return {
    now,
    operation: null,
    isLast,
    steps: [],
    engine: its === null ? null : answered,
    progress: its === null || !isLast ? null : progressOf(its, subject),
    eta: null,
    actions,
    ...over,
  };
}

function progressOf(its: Operation, subject: WhyFacts['subject']): WhyFacts['progress'] {
  if (subject.type === 'vm')
    return its.resource.type === 'vm' ? vmProgress(its, { ...storedVmState(subject.state), history: [] }) : null;
  if (subject.type !== 'service') return null;
  const body = { name: 'shop', deployment: 'straight', ready_status_gate: true } as const;
  const roles = subject.roles.map((role) => ({
    ...role,
    vm_template: 0,
    parents: [],
    last_vmname: 0,
    mark: null,
  }));
  const vms = subject.vms.map(({ id, role, state, unready }) => ({
    ...storedVmState(state),
    service: { id: subject.id, role: role ?? '', ordinal: id },
    user_template: unready ? {} : { READY: 'YES' },
  }));
  return serviceProgress(its.kind, { roles, body }, vms);
}

function resourceOf({ subject, operation: its }: Wish): ResourceFacts | null {
  const work: Work | null =
    its !== null && its !== undefined && its.ended_at === null
      ? { op: its._id, kind: its.kind, state: its.state }
      : null;
  const going = work && (work.kind === 'undeployService' || work.kind === 'terminateVm');
  switch (subject.type) {
    case 'service':
      return {
        type: 'service',
        id: subject.id,
        state: subject.state,
        work,
        going: going ? { hard: null, remove: false } : null,
        roles: subject.roles.flatMap(({ name, state }): RoleFacts[] => {
          if (subject.state === 'WARNING' || subject.state === 'FAILED_DEPLOYING')
            return [{ name, state: subject.state, work: null, amiss: true }];
          return state === 'FAILED_SCALING' ? [{ name, state, work: null }] : [];
        }),
        switchedOff: subject.vms.some((one) => isVmOff(storedVmState(one.state))),
      };
    case 'app': {
      const { type, id, name, state, reason, exports } = subject;
      return { type, id, name, state, reason, exports, upstream: false, work };
    }
    case 'image': {
      const { type, id, name, state, reason, vms, clones } = subject;
      return { type, id, name, state, reason, vms, clones, work };
    }
    case 'vm':
      return {
        type: 'vm',
        id: subject.id,
        state: subject.state,
        work,
        going: going ? { hard: false } : null,
        unready: subject.unready,
        between: false,
        ofService: false,
        resched: false,
      };
    case 'host':
      return {
        ...{ type: 'host', id: subject.id, name: subject.name },
        ...{ state: subject.state, error: subject.error, vms: subject.vms, work },
      };
    case 'zone':
      return { type: 'zone', id: 0, work };
    case 'gone':
      return null;
  }
}

export const silent = { answered: false } as const;
export const failed = (seconds: number) =>
  ({ state: 'failed', started_at: ago(seconds + 180), ended_at: ago(seconds) }) as const;
export const succeeded = { state: 'succeeded', started_at: ago(7_209), ended_at: ago(7_200) } as const;
export const unreachable = {
  code: 'backend_unavailable',
  detail: 'host-3 does not answer: connect ECONNREFUSED 10.0.0.3:8006',
};
export const booting = { state: 'ACTIVE/BOOT', reason: unreachable.detail } as const;
export const fullHosts = 'needs 4 CPU; the freest of 3 enabled hosts has 2';
export const retrying = step({
  attempts: 4,
  error: unreachable,
  pending: pending({ tried: 4, error: unreachable, nextTryAt: ahead(8) }),
});
export const undeployed = { kind: 'undeployService', input: { hard: null, remove: false } } as const;
