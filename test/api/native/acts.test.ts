import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { requestFor } from '../../../domain/acts/act-requests.js';
import { type Act, verdictOn } from '../../../domain/acts/acts.js';
import type { ActionFacts } from '../../../domain/acts/facts.js';
import { nextActions } from '../../../domain/acts/next-actions.js';
import type { Verdict } from '../../../domain/acts/verdict.js';
import { isSilent } from '../../../domain/hosts/host-states.js';
import { isUp } from '../../../domain/services/service-states.js';
import { storedVmState, type VmStateName, vmStateNames } from '../../../domain/vms/vm-states.js';
import { actionFacts, type Resource } from '../../../requests/acts/action-facts.js';
import type { StoredMethod } from '../../../schemas/hosts/fencing.js';
import { HaPolicy } from '../../../schemas/hosts/ha.js';
import { type Host, HostState } from '../../../schemas/hosts/host.js';
import type { OperationInputs } from '../../../schemas/operations/inputs.js';
import { type Operation, type OperationKind, OperationState } from '../../../schemas/operations/operation.js';
import { Answer } from '../../../schemas/operations/question.js';
import { ServiceState } from '../../../schemas/services/service.js';
import { RecoverAction } from '../../../schemas/vms/vm.js';
import { deployingService } from '../../support/deploying-service.js';
import { idleEngine } from '../../support/idle-engine.js';
import { madeHost } from '../../support/made-host.js';
import { madeOperation } from '../../support/made-operation.js';
import { madeVm } from '../../support/made-vm.js';
import { someOf } from '../../support/some-of.js';
import { createWorld, type World } from '../world.js';

// What is offered and what is refused, on the real app and MongoDB, in every state: one table says both.

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false, engine: idleEngine });
});
afterAll(() => world.stop());

const oneadmin = { id: 0, name: 'oneadmin', gid: 0, groups: [0], rules: [] };

/** What is asked, of an operation or of a resource that is there as it says. */
type Scene = { act: Act; operation?: Operation | undefined; beside?: Operation; resource: Resource };

/** Somebody at work: the operation, and where the resource names it. */
type Standing = { as: 'operation' | 'wanted' | 'hold'; of: Operation };
type StandingOn = ((id: number) => Standing) | null;

const made = <K extends OperationKind>(
  kind: K,
  input: OperationInputs[K],
  resource: Operation['resource'],
  over: Partial<Operation<K>> = {},
): Operation<K> => madeOperation<K>({ _id: ulid(), kind, resource, input, state: 'running', run_id: 'run', ...over });

const at = new Date();
const asking: Pick<Operation, 'state' | 'question'> = {
  state: 'waiting_for_you',
  question: { text: 'What now?', roles: ['front'], asked_at: at },
};

const onService =
  <K extends OperationKind>(as: Standing['as'], kind: K, input: OperationInputs[K], over: Partial<Operation<K>> = {}) =>
  (id: number): Standing => ({ as, of: made(kind, input, { type: 'service', id }, over) });
const onVm =
  <K extends OperationKind>(as: Standing['as'], kind: K, input: OperationInputs[K]) =>
  (id: number): Standing => ({ as, of: made(kind, input, { type: 'vm', id }) });

const serviceStandings: StandingOn[] = [
  null,
  onService('operation', 'deployService', {}),
  onService('operation', 'deployService', {}, asking),
  onService('wanted', 'undeployService', { hard: null, remove: false }),
  onService('wanted', 'undeployService', { hard: true, remove: false }),
  onService('wanted', 'undeployService', { hard: true, remove: true }),
];
const vmStandings: StandingOn[] = [
  null,
  onVm('operation', 'deployVm', {}),
  onService('hold', 'deployService', {}),
  onVm('wanted', 'terminateVm', { hard: false }),
  onVm('wanted', 'terminateVm', { hard: true }),
];

let ids = 0;
function serviceIn(state: ServiceState, standing: StandingOn = null) {
  const id = ++ids;
  const stands = standing?.(id);
  const service = deployingService(id, '');
  // Health is looked at before a repair: what is RUNNING, or rests, has all that it should have, and what is not lacks a VM.
  const rests = state === 'COOLDOWN' && { cooldown_until: new Date(Date.now() + 3_600_000) };
  const roles = service.roles.map((role) => ({ ...role, ...rests, state, cardinality: isUp(state) ? 0 : 1 }));
  const names = { operation: null, wanted: null, ...(stands && { [stands.as]: stands.of._id }) };
  return {
    resource: { type: 'service', service: { ...service, state, roles, ...names } },
    operation: stands?.of,
  } as const;
}

function vmIn(state: VmStateName, standing: StandingOn = null) {
  const id = ++ids;
  const stands = standing?.(id);
  const hold = stands?.as === 'hold' && { hold: { op: stands.of._id, epoch: 1, attempt: 0 } };
  const names = stands && stands.as !== 'hold' && { [stands.as]: stands.of._id };
  const vm = madeVm({ _id: id, ...storedVmState(state), ...hold, ...names });
  return { resource: { type: 'vm', vm, service: null }, operation: stands?.of } as const;
}

const hostIn = (state: HostState): Host => madeHost({ _id: ++ids, state });
/** What turns it off is a program that nobody has tried. */
const untried: StoredMethod = { kind: 'command', program: 'off', arguments: [], timeout: 60 };
const withPolicy = (host: Host): Host => ({
  ...host,
  ha: { ...HaPolicy.parse({ action: 'recreate' }), fencing: [untried], by: 0, methods: 'its' },
});

const actsOnServices: Act[] = [
  { do: 'recover' },
  { do: 'giveUp' },
  { do: 'repair' },
  { do: 'release' },
  { do: 'undeploy', hard: null },
  { do: 'undeploy', hard: true },
  { do: 'delete' },
];
const actsOnVms: Act[] = [
  { do: 'resume' },
  ...RecoverAction.options.map((action) => ({ do: 'recoverVm', action }) as const),
  { do: 'terminate', hard: false },
  { do: 'terminate', hard: true },
  { do: 'report' },
];
const serviceStates = ServiceState.options;
const answers = Answer.options.map((answer) => ({ do: 'answer', answer }) as const);

/** Scenes of what was asked of a resource; each act has its own, for it may change it. */
const onResources = (): Scene[] => [
  ...serviceStates.flatMap((state) =>
    serviceStandings.flatMap((standing) => actsOnServices.map((act) => ({ act, ...serviceIn(state, standing) }))),
  ),
  ...vmStateNames.flatMap((state) =>
    vmStandings.flatMap((standing) => actsOnVms.map((act) => ({ act, ...vmIn(state, standing) }))),
  ),
  ...HostState.options.flatMap((state) =>
    (['enabled', 'disabled', 'offline'] as const).map((to) => ({
      act: { do: 'setHost', to } as const,
      resource: { type: 'host', host: hostIn(state) } as const,
    })),
  ),
  ...HostState.options.map((state) => ({
    act: { do: 'testFencing' } as const,
    resource: { type: 'host', host: withPolicy(hostIn(state)) } as const,
  })),
];

const ofServices = ['deployService', 'undeployService', 'repairService'] as const;
const inputs = {
  ...{ deployService: {}, undeployService: { hard: null, remove: false }, repairService: { roles: ['web'] } },
  scaleRole: { from: 1, cardinality: 2, force: true },
  performOnRole: { action: 'terminate', vms: [], number: null, period: 0 },
  ...{
    deployVm: {},
    terminateVm: { hard: true },
    recoverVm: { claim: 'success' },
    performOnVm: { action: 'poweroff' },
    migrateVm: { from: 0, host: null, live: false },
    flushHost: {},
    failoverHost: { action: 'recreate', stopped: false, because: 'asked for' },
    testFencing: { methods: 'of-before' },
    importVm: { host: 0, wild: 'd-1' },
    changeDevices: { change: { action: 'nic-detach', nic_id: 0 } },
    saveDisk: { disk: 0, image: 1 },
    restoreDisk: { disk: 0, image: 1 },
    debugVm: { answer: 'run', session: 1, number: 1 },
    createImage: {},
    cloneImage: { of: 1 },
    resizeImage: { size_mb: 20 },
    snapshotImage: { action: 'snapshot-revert', snapshot: 0 },
    deleteImage: {},
    exportApp: { app: 1, images: [1], vm_templates: [], service_template: null },
    publishApp: { images: [1] },
    deleteApp: {},
    checkConsistency: { repair: false },
  },
} as const satisfies OperationInputs;

/** Scenes of what was asked of an operation, in each of its states and, where it has ended, of its resource. */
function onOperations(): Scene[] {
  const over = OperationState.options.filter((state) => ['succeeded', 'failed', 'cancelled'].includes(state));
  const ended = over.flatMap((state) => [
    ...ofServices.flatMap((kind) =>
      serviceStates.map((of) => {
        const { resource } = serviceIn(of);
        const operation = made(
          kind,
          inputs[kind],
          { type: 'service', id: resource.service._id },
          { state, ended_at: at },
        );
        return { act: { do: 'retry' } as const, operation, resource };
      }),
    ),
    ...(['deployVm', 'terminateVm', 'recoverVm'] as const).flatMap((kind) =>
      vmStateNames.map((of) => {
        const { resource } = vmIn(of);
        const operation = made(kind, inputs[kind], { type: 'vm', id: resource.vm._id }, { state, ended_at: at });
        return { act: { do: 'retry' } as const, operation, resource };
      }),
    ),
  ]);
  const stop = { cancel_requested: { by: { id: 0, name: 'oneadmin' }, at } };
  const open = OperationState.options
    .filter((state) => !over.includes(state))
    .flatMap((state) => [{ state }, { state, ...stop }])
    .flatMap((as) => [
      ...ofServices.map(
        (kind) => () => serviceIn('DEPLOYING', onService('operation', kind, inputs[kind], { ...asking, ...as })),
      ),
    ])
    .flatMap((scene) =>
      [...answers, { do: 'cancel' } as const, { do: 'retry' } as const].map((act) => ({ act, ...scene() })),
    );
  return [...ended, ...open, ...answers.map(takenOver)];
}

/** It asks, and an undeployment is about to take over. */
function takenOver(act: Act): Scene {
  const { resource, operation } = serviceIn('DEPLOYING', onService('operation', 'deployService', {}, asking));
  const by = made('undeployService', { hard: true, remove: false }, { type: 'service', id: resource.service._id });
  return {
    act,
    operation,
    beside: by,
    resource: { type: 'service', service: { ...resource.service, wanted: by._id } },
  };
}

/** Why something may be done that is not offered in these words. */
const unsaid: Record<string, (act: Act, facts: ActionFacts) => boolean> = {
  'it is so already': (act, facts) => verdictOn(act, facts) === 'is so',
  'a softer one is offered': (act) => (act.do === 'undeploy' || act.do === 'terminate') && act.hard === true,
  'a repair is offered': (act, { resource }) =>
    act.do === 'recover' && resource?.type === 'service' && resource.state === 'WARNING',
  'to terminate is the same': (act) => act.do === 'recoverVm' && act.action === 'delete',
  'what runs needs no new beginning': (act, { resource }) =>
    act.do === 'recoverVm' &&
    act.action === 'recreate' &&
    resource?.type === 'vm' &&
    resource.state === 'ACTIVE/RUNNING',
  'hosts that answer are not given up': (act, { resource }) =>
    act.do === 'setHost' && act.to === 'offline' && resource?.type === 'host' && !isSilent(resource),
  'a VM without a host is tried again': (act, { resource }) =>
    act.do === 'resume' && resource?.type === 'vm' && resource.state === 'PENDING',
  'hosts that were given up are taken back': (act, { resource }) =>
    act.do === 'setHost' && act.to === 'disabled' && resource?.type === 'host' && resource.state === 'OFFLINE',
};

type Asked = {
  what: string;
  offered: boolean;
  verdict: Verdict;
  answer: { status: number; body: { type?: string; detail?: string } };
  /** Reasons for which it may be left unsaid. */
  because: string[];
};

const met = new Set<string>();

/**
 * Every fourth, unless all are to be tried: acts are odd in number, so that each is there in a quarter of the states, and each state with
 * a quarter of the acts.
 */
const fourth = (scenes: Scene[]): Scene[] => someOf(scenes, 4);

async function layDown(scenes: readonly Scene[]): Promise<void> {
  const { operations, services, vms, hosts } = world.store;
  await Promise.all([
    operations.model.insertMany(scenes.flatMap(({ operation, beside }) => [operation, beside].filter((one) => one))),
    services.model.insertMany(
      scenes.flatMap(({ resource }) => (resource.type === 'service' ? [resource.service] : [])),
    ),
    vms.model.insertMany(scenes.flatMap(({ resource }) => (resource.type === 'vm' ? [resource.vm] : []))),
    hosts.model.insertMany(scenes.flatMap(({ resource }) => (resource.type === 'host' ? [resource.host] : []))),
  ]);
}

/** Looks what is offered, and asks for it. */
async function ask({ act, operation, resource }: Scene): Promise<Asked> {
  const { store } = world;
  const [ofOperation, ofResource] = await Promise.all([
    actionFacts(store, oneadmin, 'operation', operation ?? null, resource),
    actionFacts(store, oneadmin, 'resource', operation ?? null, resource),
  ]);
  const { method, href, body } = requestFor(act, ofOperation);
  const offered = [...nextActions(ofOperation), ...nextActions(ofResource)].some(
    (action) => JSON.stringify([action.method, action.href, action.body]) === JSON.stringify([method, href, body]),
  );
  const verb = ({ POST: 'post', PATCH: 'patch', DELETE: 'delete' } as const)[method];
  const answer = await world.ask('oneadmin', verb, href.replace('/api/v1', ''), body ?? undefined);
  const on = ofOperation.resource;
  return {
    what: `${JSON.stringify(act)} on ${JSON.stringify(on)} after ${operation?.kind} ${operation?.state}`,
    offered,
    verdict: verdictOn(act, ofOperation),
    answer,
    because: Object.entries(unsaid).flatMap(([why, holds]) => (holds(act, ofOperation) ? [why] : [])),
  };
}

describe.each([
  ['a resource', onResources],
  ['an operation', onOperations],
])('what is asked of %s', (_, scenes) => {
  const asked: Asked[] = [];
  beforeAll(async () => {
    const all = fourth(scenes());
    await layDown(all);
    while (all.length > 0) asked.push(...(await Promise.all(all.splice(0, 8).map(ask))));
    // Some thousand requests, on however slow a machine.
  }, 900_000);

  it('is accepted where it is offered, as it is offered', () => {
    const refused = asked.filter(({ offered, answer }) => offered && answer.status >= 300);
    expect(refused.map(({ what, answer }) => [what, answer.body])).toEqual([]);
    expect(asked.filter(({ offered }) => offered).length).toBeGreaterThan(30);
  });

  it('is refused in the words of the table, and then not offered', () => {
    for (const { what, offered, verdict, answer } of asked) {
      if (answer.status < 300) continue;
      expect(verdict, what).toMatchObject({ detail: answer.body.detail });
      expect(answer.body.type, what).toBe(`/problems/${typeof verdict === 'string' ? verdict : verdict.code}`);
      expect(offered, what).toBe(false);
    }
    expect(asked.filter(({ answer }) => answer.status >= 300).length).toBeGreaterThan(100);
  });

  it('is offered where it is accepted, but for what needs no saying', () => {
    const silent = asked.filter(({ offered, answer }) => !offered && answer.status < 300);
    expect(silent.filter(({ because }) => because.length === 0).map(({ what }) => what)).toEqual([]);
    for (const { because } of silent) for (const reason of because) met.add(reason);
  });
});

if (inject('inEveryWay'))
  it('each reason to say nothing is one that is met', () => {
    expect([...met].sort()).toEqual(Object.keys(unsaid).sort());
  });

it('a check of consistency is tried again while none is at work', async () => {
  const failed = made(
    'checkConsistency',
    { repair: false },
    { type: 'zone', id: 0 },
    { state: 'failed', ended_at: at },
  );
  const scene: Scene = { act: { do: 'retry' }, operation: failed, resource: { type: 'zone', id: 0 } };
  await layDown([scene]);
  expect(await ask(scene)).toMatchObject({ offered: true, answer: { status: 202 } });
  const other = { ...scene, operation: { ...failed, _id: ulid() } };
  await layDown([other]);
  expect(await ask(other)).toMatchObject({ offered: false, answer: { status: 409 } });
});
