import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { json } from '../../client/message.js';
import { type Bench, oneRole, tenVms } from '../bench.js';
import { type Measured, type Result, range, times } from '../result.js';
import { onceThrough, type Role } from '../subject.js';
import { summarise } from '../summary.js';

const Identified = z.object({ id: z.int() });
const Accepted = z.object({ id: z.string(), resource: z.object({ id: z.int() }) });
const Stated = z.object({ state: z.string() });
const Why = z.object({ text: z.string() });
const runs = 3;

type Times = { deployed: number[]; undeployed: number[] };

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const wide: readonly Role[] = many(200, (at) => ({ name: `r${at}` }));
const longName = (at: number): string => `role_${at}_`.padEnd(80, 'x');
/** Forty-five levels of ten roles, each under all ten of the level above. */
const deep: readonly Role[] = many(450, (at) => {
  const level = Math.floor(at / 10);
  return { name: longName(at), parents: level === 0 ? [] : many(10, (nth) => longName((level - 1) * 10 + nth)) };
});

/** Services of many roles: beside one role of as many VMs, of long names, that fit nowhere, and what a neighbour has of it. */
export async function measureWide(bench: Bench): Promise<Measured> {
  const { arcus } = bench;
  await onceThrough(arcus, tenVms);
  const newTimes = (): Times => ({ deployed: [], undeployed: [] });
  const [one, each, alone, beside] = [newTimes(), newTimes(), newTimes(), newTimes()];
  const take = async (into: Times, roles: readonly Role[]): Promise<void> => {
    const { deployed, undeployed } = await onceThrough(arcus, roles);
    into.deployed.push(deployed);
    into.undeployed.push(undeployed);
  };
  for (let run = 0; run < runs; run++) {
    await take(one, oneRole(200));
    await take(each, wide);
    await take(alone, tenVms);
    const others = onceThrough(arcus, wide);
    await take(beside, tenVms);
    await others;
  }
  const compared = (work: string, mine: readonly number[], its: readonly number[], most: number): Result => {
    const [measured, floor] = [summarise(mine), summarise(its)];
    const ratio = measured.median / floor.median;
    return {
      ...{ work, runs, measured: range(measured), floor: range(floor), ratio: times(ratio) },
      ...{ goal: `≤ ${most} ×`, met: ratio <= most },
    };
  };
  console.error(`  wide: ${JSON.stringify({ one, each, alone, beside })}`);
  const long = await onceThrough(arcus, deep);
  console.error(`  deep: ${JSON.stringify(long)}`);
  return {
    results: [
      compared('200 roles × 1 (floor: one role × 200)', each.deployed, one.deployed, 3),
      compared('200 roles × 1: undeploy (floor: the same)', each.undeployed, one.undeployed, 3),
      compared('ten VMs beside 200 roles × 1 (floor: alone)', beside.deployed, alone.deployed, 2),
      {
        ...{ work: '450 roles of long names, in 45 levels, each under all ten above', runs: 1 },
        ...{ measured: `${seconds(long.deployed)} s, undeployed in ${seconds(long.undeployed)} s` },
        ...{ floor: null, ratio: null, goal: '< 30 s each', met: Math.max(long.deployed, long.undeployed) < 30_000 },
      },
      await fittingNowhere(bench),
    ],
    notes: ['wide: floors are other services on the same Arcus, in turn with what is measured'],
  };
}

const seconds = (milliseconds: number): string => (milliseconds / 1_000).toFixed(1);

/** 1,000 roles × 10 VMs of which no host takes any: until each has its reason, and until all are gone again. */
async function fittingNowhere({ arcus }: Bench): Promise<Result> {
  const { client, db } = arcus;
  const make = async (path: string, body: object): Promise<number> =>
    (await client.send('POST', path, Identified, json(body))).value.id;
  const large = await make('/vm-templates', { name: 'nowhere', template: { CPU: 1_000, MEMORY: 1 } });
  const roles = many(1_000, (at) => ({ name: `r${at}`, vm_template: large, cardinality: 10 }));
  const template = await make('/service-templates', { name: 'nowhere', deployment: 'none', roles });
  const firstId = await nextId();
  const begun = performance.now();
  const accepted = await client.send('POST', `/service-templates/${template}/instantiate`, Accepted, json({}));
  const { resource } = accepted.value;
  let said = '';
  while ((await told(resource.id)) < 10_000) {
    await sleep(500);
    said ||= (await client.get(`/services/${resource.id}/why`, Why)).value.text;
  }
  const pending = performance.now() - begun;
  const burnt = (await nextId()) - firstId - 10_000;
  console.error(`  nowhere: ${seconds(pending)} s, ${burnt} ids too many`);
  const middle = performance.now();
  await arcus.undeploy(resource.id);
  // Its deployment is cancelled first, and failed by that for a moment: no end that would be waited for in vain.
  while ((await client.get(`/services/${resource.id}`, Stated)).value.state !== 'DONE') await sleep(500);
  const gone = performance.now() - middle;
  console.error(`  why, in between: ${said.slice(0, 300)}`);
  return {
    ...{ work: '1,000 roles × 10 VMs that fit nowhere, until each says why; then undeployed', runs: 1 },
    measured: `${seconds(pending)} s, undeployed in ${seconds(gone)} s; ${burnt} ids given beyond those of the VMs`,
    ...{ floor: null, ratio: null, goal: '< 60 s, no id too many', met: pending < 60_000 && burnt === 0 },
  };

  function told(service: number): Promise<number> {
    return db.collection('vms').countDocuments({ 'service.id': service, state: 'PENDING', reason: { $ne: null } });
  }
  async function nextId(): Promise<number> {
    const counter = await db.collection<{ _id: string; next: number }>('counters').findOne({ _id: 'vm' });
    return counter?.next ?? 0;
  }
}
