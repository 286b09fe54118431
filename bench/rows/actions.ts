import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { json } from '../../client/message.js';
import { openStates } from '../../domain/operation-states.js';
import type { VmAction } from '../../schemas/operations/vm-action.js';
import type { Bench } from '../bench.js';
import type { Floor } from '../floor/floor.js';
import { type Measured, type Result, range, times } from '../result.js';
import { summarise } from '../summary.js';

const Accepted = z.object({ id: z.string() });
const many = 200;
const runs = { ofOne: 5, ofMany: 3 };

/** `to`: below `/vms/{id}`, or below the role where `of` is one. */
type Ask = { name: string; to: string; body?: object };

const act = (action: VmAction, more: object = {}): Ask => ({ name: action, to: 'actions', body: { action, ...more } });

/** In an order in which each finds the VMs as it needs them, and leaves them as the first does. Once more for each run. */
const ofAll = (run: number): readonly Ask[] => [
  act('poweroff'),
  act('resume'),
  act('poweroff-hard'),
  act('resume'),
  act('reboot'),
  act('reboot-hard'),
  act('suspend'),
  act('resume'),
  act('snapshot-create'),
  // Numbers are given to no other one.
  act('snapshot-revert', { snapshot: run }),
  act('snapshot-delete', { snapshot: run }),
  act('undeploy'),
  act('resume'),
  act('undeploy-hard'),
  act('resume'),
  act('recreate'),
];

/** What only single VMs can be asked for. */
const ofSingles = (run: number): readonly Ask[] => [
  { name: 'migrate', to: 'migrate', body: {} },
  { name: 'migrate-live', to: 'migrate', body: { live: true } },
  { name: 'nic-attach', to: 'nics', body: { network: 'public' } },
  { name: 'nic-detach', to: `nics/${run}/detach` },
  { name: 'disk-attach', to: 'disks', body: { type: 'fs', size: 64, format: 'qcow2' } },
  { name: 'disk-resize', to: `disks/${run}/resize`, body: { size: 128 } },
  { name: 'disk-snapshot-create', to: `disks/${run}/snapshots`, body: { name: 'before' } },
  { name: 'disk-detach', to: `disks/${run}/detach` },
];

type Times = Map<string, number[]>;

/** Every action that takes an operation, on one VM and on all of a role, beside as many bare runs of the same steps. */
export async function measureActions(bench: Bench): Promise<Measured> {
  const floor = await bench.floor();
  const one = await played(bench, 1, runs.ofOne);
  const oneFloor = await floorOf(floor, 1, runs.ofOne);
  const all = await played(bench, many, runs.ofMany);
  const allFloor = await floorOf(floor, many, runs.ofMany);
  const lines = (of: Times, its: readonly number[], what: string): Result[] => {
    const beside = summarise(its);
    return [...of].map(([name, values]) => {
      const measured = summarise(values);
      return {
        ...{ work: `${name} ${what}`, runs: values.length, measured: range(measured), floor: range(beside) },
        ...{ ratio: times(measured.median / beside.median), goal: null, met: null },
      };
    });
  };
  return {
    results: [...lines(one, oneFloor, 'of one VM'), ...lines(all, allFloor, `of ${many} VMs of a role`)],
    notes: [
      'actions: the floor is a bare run for each VM, with two local steps, one at no hypervisor that writes twice, and a last one; the same for all actions',
    ],
  };
}

/** All actions on a service of so many VMs of one role, in turn; the first time through fills caches and is not counted. */
async function played({ arcus }: Bench, cardinality: number, times: number): Promise<Times> {
  const { client, db } = arcus;
  const took: Times = new Map();
  const service = await arcus.deploy([{ name: 'web', cardinality }]);
  await arcus.reach([service], 'RUNNING');
  const [vm] = await db.collection<{ _id: number }>('vms').find({ 'service.id': service }).limit(1).toArray();
  const path = cardinality === 1 ? `/vms/${vm?._id}` : `/services/${service}/roles/web`;
  for (let run = 0; run <= times; run++)
    for (const { name, to, body } of [...ofAll(run), ...(cardinality === 1 ? ofSingles(run) : [])]) {
      // A VM is started again, and made anew, by routes of its own.
      const own = cardinality === 1 && (name === 'resume' || name === 'recreate');
      const route = own ? (name === 'resume' ? 'resume' : 'recover') : to;
      const wish = own ? (name === 'resume' ? undefined : { action: name }) : body;
      const begin = performance.now();
      await client.send('POST', `${path}/${route}`, Accepted, wish && json(wish));
      await idle();
      if (run > 0) took.set(name, [...(took.get(name) ?? []), performance.now() - begin]);
    }
  await arcus.undeploy(service);
  await arcus.reach([service], 'DONE');
  const failed = await operations().countDocuments({ state: 'failed' });
  if (failed > 0) throw new Error(`${failed} operations have failed`);
  return took;

  function operations() {
    return db.collection<{ _id: string; state: string }>('operations');
  }
  /** Nobody is at work on anything: what was asked of a role is asked of each VM, and these end by themselves. */
  async function idle(): Promise<void> {
    while ((await operations().countDocuments({ state: { $in: [...openStates] } })) > 0) await sleep(10);
  }
}

async function floorOf(floor: Floor, vms: number, times: number): Promise<number[]> {
  const took: number[] = [];
  for (let run = 0; run <= times; run++) {
    const begin = performance.now();
    await floor.act(vms);
    if (run > 0) took.push(performance.now() - begin);
  }
  return took;
}
