import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { openStates } from '../../domain/operation-states.js';
import { OperationResource } from '../../schemas/operations/operation-resource.js';
import { spanOf } from '../../simulator/chance.js';
import { checkConsistency } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';
import { askFsck } from './ask-fsck.js';
import type { ChaosCase } from './cases.js';
import type { Cloud } from './cloud.js';
import type { Dice } from './faults.js';
import type { Moment } from './moments.js';
import type { Granted } from './requests.js';
import type { Work } from './works.js';

export type RunResult = {
  /** Milliseconds from when everything was back until the work had ended; 0 when it had ended before. null: it has not. */
  finishedAfter: number | null;
  /** A sentence for everything that is not as it should be. */
  violations: string[];
};

/** How long the work may take once everything is back. */
const patience = 300_000;

/** Does the work, breaks what the case says, mends it, waits for the end, and compares what there is with what should be. */
export async function runCase(cloud: Cloud, { fault, work, moment }: ChaosCase, dice: Dice): Promise<RunResult> {
  const { cluster } = cloud;
  const { wishes, of } = await work.prepare(cloud);
  const gone = of === undefined ? 0 : await countGone(cloud, of);
  await cloud.pace({ ...fault.times, ...moment?.times });
  const release = await moment?.hold?.(cluster);
  const asked = cloud.ask(wishes);
  const broken = async (): Promise<() => Promise<unknown>> => {
    if (moment)
      await awaitMoment(cloud, moment, of === undefined ? (await asked).map(({ resource }) => resource.id) : [of]);
    else await sleep(dice() * work.span);
    return fault.strike(cluster, dice);
  };
  const [granted, { ended, restored }] = await Promise.all([
    asked,
    broken().then(async (mend) => {
      await sleep(spanOf(fault.lasts, dice()));
      if (!fault.outlasted) await mend();
      await release?.();
      const restored = performance.now();
      const ended = await awaitEnd(cloud, await asked, () => (of === undefined ? [] : work.begun?.(cloud, of)));
      if (fault.outlasted) await mend();
      return { ended, restored };
    }),
  ]);
  const finishedAfter = ended === null ? null : Math.max(0, Math.round(ended - restored));
  const services = of === undefined ? granted.map(({ resource }) => resource.id) : [of];
  const violations = [
    ...(ended === null ? [`it has not ended ${patience / 1000} s after everything was back`] : []),
    ...granted.flatMap(({ untruths }) => untruths),
    ...(await checkOperations(cloud, granted)),
    ...(await checkServices(cloud, services, work, gone)),
    ...(await checkConsistency(cluster, cloud)),
    ...(await askFsck(cluster)),
  ];
  if (violations.length === 0) await cloud.tidy(work.aim === 'RUNNING' ? services : [], work.vms === 30);
  return { finishedAfter, violations };
}

async function awaitMoment({ cluster: { store } }: Cloud, { name, isNow }: Moment, services: number[]): Promise<void> {
  const [id] = services;
  if (id === undefined) throw new Error('a moment is one of a service');
  for (const until = Date.now() + 30_000; ; await sleep(2)) {
    const [service, vms] = await Promise.all([store.services.find(id), store.vms.ofService(id)]);
    if (service && isNow(service, vms)) return;
    if (Date.now() > until) throw new Error(`the moment did not come: ${name}`);
  }
}

/** When every operation had ended, by the clock of `performance`; null when they have not in time. */
async function awaitEnd(
  { cluster: { store } }: Cloud,
  granted: readonly Granted[],
  begun: () => string[] | Promise<string[]> | undefined,
): Promise<number | null> {
  const haveEnded = async (): Promise<boolean> => {
    const others = await begun();
    const ids = [...granted.map(({ operation }) => operation), ...(others ?? [])];
    if (others?.length === 0 && granted.length === 0) return false;
    const open = { _id: { $in: ids }, state: { $nin: openStates } };
    return (await store.operations.model.countDocuments(open)) === ids.length;
  };
  try {
    // MongoDB may still be on its way back.
    await eventually(() => haveEnded().catch(() => false), patience);
    return performance.now();
  } catch {
    return null;
  }
}

/** What was answered is so: one operation for each request, ended well; and none is left over or waits. */
async function checkOperations({ cluster: { store, client } }: Cloud, granted: readonly Granted[]): Promise<string[]> {
  const findings: string[] = [];
  for (const { key, operation } of granted) {
    const stored = await store.operations.model.find({ idempotency_key: key }).lean().exec();
    if (stored.length !== 1 || stored[0]?._id !== operation)
      findings.push(`${operation} was promised, and there is ${stored.map(({ _id }) => _id).join(', ') || 'nothing'}`);
    // Of one that is lost all the rest is to be told, too.
    const shown = await client.ask(OperationResource, 'GET', `/operations/${operation}`).catch(String);
    if (typeof shown === 'string') findings.push(`operation ${operation} cannot be seen: ${shown}`);
    else if (shown.state !== 'succeeded')
      findings.push(`operation ${operation} is ${shown.state}: ${shown.error?.code} ${shown.error?.detail}`);
  }
  const open = await store.operations.model
    .find({ state: { $in: openStates } })
    .lean()
    .exec();
  return [...findings, ...open.map(({ _id, kind, state }) => `operation ${_id} (${kind}) is still ${state}`)];
}

const Services = z.object({ items: z.array(z.object({ id: z.int(), state: z.string() })) });

/** VMs of a service that have ended. */
const countGone = ({ cluster: { store } }: Cloud, service: number): Promise<number> =>
  store.vms.model.countDocuments({ 'service.id': service, state: 'DONE' });

/**
 * Each service is where the work leads, with the VMs that it should have and never another, but for those that were `gone`
 * before; and no service is of nobody's asking.
 */
async function checkServices(
  { cluster: { store, client } }: Cloud,
  ids: readonly number[],
  work: Work,
  gone: number,
): Promise<string[]> {
  const findings: string[] = [];
  for (const id of ids) {
    if (work.settles) await client.awaitService(id, work.aim);
    const { state } = await client.service(id);
    if (state !== work.aim) findings.push(`service ${id} is ${state}`);
    const vms = await store.vms.model.find({ 'service.id': id }).lean().exec();
    const all = work.vms + (work.ended ?? 0) + gone;
    if (vms.length !== all) findings.push(`service ${id} has had ${vms.length} VMs, not ${all}`);
    const right = vms.filter(({ state, lcm_state }) =>
      work.aim === 'DONE' ? state === 'DONE' : lcm_state === 'RUNNING',
    );
    const wrong = (work.aim === 'DONE' ? all : work.vms) - right.length;
    if (wrong !== 0) findings.push(`${wrong} VMs of service ${id} are not ${work.aim}`);
  }
  const { items } = await client.ask(Services, 'GET', '/services?limit=1000');
  const known = new Set(ids);
  return [
    ...findings,
    ...items
      .filter(({ id, state }) => !known.has(id) && state !== 'DONE' && state !== 'RUNNING')
      .map(({ id, state }) => `service ${id} is ${state}, and nobody has asked for it`),
  ];
}
