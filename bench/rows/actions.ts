import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Refusal } from '../../client/errors.js';
import { json } from '../../client/message.js';
import { openStates } from '../../domain/operation-states.js';
import { portionsOf } from '../../domain/portions.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Bench } from '../bench.js';
import type { Floor } from '../floor/floor.js';
import { type Measured, type Result, range, times } from '../result.js';
import { summarise } from '../summary.js';
import { type AskOf, type Beside, ofHeld, ofRole, ofVms } from './asked-of-vms.js';

const Accepted = z.object({ id: z.string(), resource: z.object({ id: z.int() }) });
const Identified = z.object({ id: z.int() });
const many = 200;
/** As many requests are under way at a time as an operation on a role has. */
const atOnce = 10;
/** `warm`: the first time through fills caches and is not counted; two hundred VMs come after that. */
const runs = { ofOne: { count: 5, warm: true }, ofMany: { count: 1, warm: false } };
type Runs = { count: number; warm: boolean };

/** How long each took, and how many calls it makes. */
type Times = Map<string, { calls: number; took: number[] }>;

/** Every action, on one VM, on many side by side, and on all of a role, beside as many bare runs with as many steps. */
export async function measureActions(bench: Bench): Promise<Measured> {
  const floor = await bench.floor();
  const beside = await prepared(bench);
  const one = await onVms(bench, beside, 1, runs.ofOne);
  const side = await onVms(bench, beside, many, runs.ofMany);
  const role = await onRole(bench, beside, many, runs.ofMany);
  return {
    results: [
      ...(await lines(floor, one, 1, runs.ofOne, 'of one VM')),
      ...(await lines(floor, side, many, runs.ofMany, `of ${many} VMs, side by side`)),
      ...(await lines(floor, role, many, runs.ofMany, `of ${many} VMs of a role`)),
    ],
    notes: [
      'actions: the floor is a bare run for each VM, with two local steps, a normal one that writes twice for each call of the action, and a last local one; what is written and no operation has none',
    ],
  };
}

/** What some of the actions are about. */
async function prepared({ arcus: { client, db } }: Bench): Promise<Beside> {
  const address_ranges = [{ type: 'IP4', ip: '10.0.0.1', size: 4_096 }];
  await client.send('POST', '/virtual-networks', Identified, json({ name: 'public', address_ranges }));
  const empty = json({ name: 'for restores', source: { empty: { size_mb: 16 } } });
  const image = (await client.send('POST', '/images', Accepted, empty)).value.resource.id;
  await allEnded(db);
  const hosts = await db
    .collection<{ _id: number }>('hosts')
    .find({}, { projection: { _id: 1 } })
    .toArray();
  return { image, hosts: hosts.map(({ _id }) => _id) };
}

async function lines(floor: Floor, of: Times, vms: number, its: Runs, what: string): Promise<Result[]> {
  const floors = new Map<number, number[]>();
  for (const { calls } of of.values())
    if (calls > 0 && !floors.has(calls)) floors.set(calls, await floorOf(floor, vms, calls, its));
  return [...of].map(([name, { calls, took }]) => {
    const measured = summarise(took);
    const bare = floors.get(calls);
    const under = bare ? summarise(bare) : null;
    return {
      ...{ work: `${name} ${what}`, runs: took.length, measured: range(measured), goal: null, met: null },
      ...{ floor: under && range(under), ratio: under && times(measured.median / under.median) },
    };
  });
}

type Db = Bench['arcus']['db'];
const operationsOf = (db: Db) => db.collection<{ _id: string; state: string }>('operations');
/** What is asked of a role is asked of each VM, and these end by themselves. */
async function allEnded(db: Db): Promise<void> {
  while ((await operationsOf(db).countDocuments({ state: { $in: [...openStates] } })) > 0) await sleep(10);
}
async function noneFailed(db: Db): Promise<void> {
  const failed = await operationsOf(db).findOne({ state: { $in: ['failed', 'cancelled'] } });
  if (failed) throw new Error(`an operation has failed: ${JSON.stringify(failed)}`);
}

/** Of one user only some images are made at a time: whoever wants more waits. */
async function onceTaken(ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!(error instanceof Refusal) || !error.message.includes('are being made')) throw error;
      await sleep(10);
    }
  }
}

function add(took: Times, name: string, calls: number, milliseconds: number): void {
  const known = took.get(name) ?? { calls, took: [] };
  known.took.push(milliseconds);
  took.set(name, known);
}

/** All actions on so many VMs of nobody’s service, each asked of all of them before the next. */
async function onVms({ arcus }: Bench, beside: Beside, count: number, its: Runs): Promise<Times> {
  const { client, db } = arcus;
  const vms = db.collection<Vm>('vms');
  const took: Times = new Map();
  const template = { name: `acted on, ${count}`, template: { CPU: 1, MEMORY: 512 } };
  const template_id = (await client.send('POST', '/vm-templates', Identified, json(template))).value.id;
  const toEach = async <T>(items: readonly T[], ask: (item: T) => Promise<unknown>): Promise<void> => {
    for (const some of portionsOf(items, atOnce)) await Promise.all(some.map(ask));
    await allEnded(db);
  };
  const played = async (asks: readonly AskOf[], hold: boolean, isCounted: boolean): Promise<void> => {
    await toEach(Array.from({ length: count }), () =>
      client.send('POST', '/vms', Accepted, json({ template_id, ...(hold && { hold }) })),
    );
    for (const askOf of asks) {
      const wishes = (await vms.find({ template_id, state: { $ne: 'DONE' } }).toArray()).map((vm) => ({
        path: `/vms/${vm._id}`,
        ...askOf(vm, beside),
      }));
      const [first] = wishes;
      if (!first || wishes.length !== count) throw new Error(`${wishes.length} VMs of ${count} are there`);
      const begin = performance.now();
      await toEach(wishes, ({ path, to, body }) =>
        onceTaken(() => client.send('POST', `${path}/${to}`, z.unknown(), body && json(body))),
      );
      if (isCounted) add(took, first.name, first.calls, performance.now() - begin);
      await noneFailed(db);
    }
  };
  for (let run = its.warm ? -1 : 0; run < its.count; run++) {
    await played(ofVms, false, run >= 0);
    await played(ofHeld, true, run >= 0);
  }
  return took;
}

/** What can be asked of all VMs of a role, in turn. */
async function onRole({ arcus }: Bench, beside: Beside, cardinality: number, its: Runs): Promise<Times> {
  const { client, db } = arcus;
  const took: Times = new Map();
  const service = await arcus.deploy([{ name: 'web', cardinality }]);
  await arcus.reach([service], 'RUNNING');
  for (let run = its.warm ? -1 : 0; run < its.count; run++)
    for (const askOf of ofRole) {
      const vm = await db.collection<Vm>('vms').findOne({ 'service.id': service, state: { $ne: 'DONE' } });
      if (!vm) throw new Error(`service ${service} has no VMs`);
      const { name, calls, to, body } = askOf(vm, beside);
      const begin = performance.now();
      await client.send('POST', `/services/${service}/roles/web/${to}`, z.unknown(), body && json(body));
      await allEnded(db);
      if (run >= 0) add(took, name, calls, performance.now() - begin);
      await noneFailed(db);
    }
  await arcus.undeploy(service);
  await arcus.reach([service], 'DONE');
  return took;
}

async function floorOf(floor: Floor, vms: number, calls: number, { count, warm }: Runs): Promise<number[]> {
  const took: number[] = [];
  for (let run = warm ? -1 : 0; run < count; run++) {
    const begin = performance.now();
    await floor.act(vms, calls);
    if (run >= 0) took.push(performance.now() - begin);
  }
  return took;
}
