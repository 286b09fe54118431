import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { json } from '../../client/message.js';
import { openStates } from '../../domain/operation-states.js';
import type { VmAction } from '../../schemas/operations/vm-action.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Bench } from '../bench.js';
import type { Floor } from '../floor/floor.js';
import { type Measured, type Result, range, times } from '../result.js';
import { summarise } from '../summary.js';

const Accepted = z.object({ id: z.string() });
const Identified = z.object({ id: z.int() });
const many = 200;
/** `warm`: the first time through fills caches and is not counted; two hundred VMs come after that. */
const runs = { ofOne: { count: 5, warm: true }, ofMany: { count: 1, warm: false } };
type Runs = { count: number; warm: boolean };

/** A request to a VM, or to a role; `to`: below the one or the other. */
type Ask = { name: string; to: string; body?: object };
/** What is asked of a VM as it is then: of what it has been given last. */
type AskOf = (vm: Vm) => Ask;

const act =
  (action: VmAction): AskOf =>
  ({ snapshots }) => {
    const isOfOne = action === 'snapshot-revert' || action === 'snapshot-delete';
    return { name: action, to: 'actions', body: { action, ...(isOfOne && { snapshot: snapshots?.at(-1)?.id }) } };
  };

/** In an order in which each finds the VMs as it needs them, and leaves them as the first does. */
const ofAll: readonly AskOf[] = [
  ...[act('poweroff'), act('resume'), act('poweroff-hard'), act('resume')],
  ...[act('reboot'), act('reboot-hard'), act('suspend'), act('resume')],
  ...[act('snapshot-create'), act('snapshot-revert'), act('snapshot-delete')],
  ...[act('undeploy'), act('resume'), act('undeploy-hard'), act('resume'), act('recreate')],
];

/** What only single VMs can be asked for. */
const ofSingles: readonly AskOf[] = [
  () => ({ name: 'migrate', to: 'migrate', body: {} }),
  () => ({ name: 'migrate-live', to: 'migrate', body: { live: true } }),
  () => ({ name: 'nic-attach', to: 'nics', body: { network: 'public' } }),
  ({ nics }) => ({ name: 'nic-detach', to: `nics/${nics?.at(-1)?.nic_id}/detach` }),
  () => ({ name: 'disk-attach', to: 'disks', body: { type: 'fs', size: 64, format: 'qcow2' } }),
  (vm) => ({ name: 'disk-resize', to: `${lastDisk(vm)}/resize`, body: { size: 128 } }),
  (vm) => ({ name: 'disk-snapshot-create', to: `${lastDisk(vm)}/snapshots`, body: { name: 'before' } }),
  (vm) => ({ name: 'disk-detach', to: `${lastDisk(vm)}/detach` }),
];

const lastDisk = ({ disks }: Vm): string => `disks/${disks?.at(-1)?.disk_id}`;

type Times = Map<string, number[]>;

/** Every action that takes an operation, on one VM and on all of a role, beside as many bare runs of the same steps. */
export async function measureActions(bench: Bench): Promise<Measured> {
  const floor = await bench.floor();
  const address_ranges = [{ type: 'IP4', ip: '10.0.0.1', size: 4_096 }];
  await bench.arcus.client.send('POST', '/virtual-networks', Identified, json({ name: 'public', address_ranges }));
  const one = await played(bench, 1, runs.ofOne);
  const oneFloor = await floorOf(floor, 1, runs.ofOne);
  const all = await played(bench, many, runs.ofMany);
  const allFloor = await floorOf(floor, many, runs.ofMany);
  return {
    results: [...lines(one, oneFloor, 'of one VM'), ...lines(all, allFloor, `of ${many} VMs of a role`)],
    notes: [
      'actions: the floor is a bare run for each VM, with two local steps, a normal one that writes twice, and a last local one; the same for all actions',
    ],
  };
}

function lines(of: Times, its: readonly number[], what: string): Result[] {
  const beside = summarise(its);
  return [...of].map(([name, values]) => {
    const measured = summarise(values);
    return {
      ...{ work: `${name} ${what}`, runs: values.length, measured: range(measured), floor: range(beside) },
      ...{ ratio: times(measured.median / beside.median), goal: null, met: null },
    };
  });
}

/** All actions on a service of so many VMs of one role, in turn. */
async function played({ arcus }: Bench, cardinality: number, { count, warm }: Runs): Promise<Times> {
  const { client, db } = arcus;
  const took: Times = new Map();
  const operations = db.collection<{ _id: string; state: string }>('operations');
  const vms = db.collection<Vm>('vms');
  const service = await arcus.deploy([{ name: 'web', cardinality }]);
  await arcus.reach([service], 'RUNNING');
  for (let run = warm ? -1 : 0; run < count; run++)
    for (const ask of [...ofAll, ...(cardinality === 1 ? ofSingles : [])]) {
      const vm = await vms.findOne({ 'service.id': service, state: { $ne: 'DONE' } });
      if (!vm) throw new Error(`service ${service} has no VMs`);
      const wish = ask(vm);
      const { to, body } = cardinality === 1 ? asOfOne(wish) : wish;
      const path = cardinality === 1 ? `/vms/${vm._id}` : `/services/${service}/roles/web`;
      const begin = performance.now();
      await client.send('POST', `${path}/${to}`, Accepted, body && json(body));
      // What is asked of a role is asked of each VM, and these end by themselves.
      while ((await operations.countDocuments({ state: { $in: [...openStates] } })) > 0) await sleep(10);
      if (run >= 0) took.set(wish.name, [...(took.get(wish.name) ?? []), performance.now() - begin]);
    }
  const failed = await operations.countDocuments({ state: { $in: ['failed', 'cancelled'] } });
  if (failed > 0) throw new Error(`${failed} operations have failed`);
  await arcus.undeploy(service);
  await arcus.reach([service], 'DONE');
  return took;
}

/** A single VM is started again, and made anew, by routes of its own. */
function asOfOne(wish: Ask): Ask {
  if (wish.name === 'resume') return { name: wish.name, to: 'resume' };
  return wish.name === 'recreate' ? { ...wish, to: 'recover' } : wish;
}

async function floorOf(floor: Floor, vms: number, { count, warm }: Runs): Promise<number[]> {
  const took: number[] = [];
  for (let run = warm ? -1 : 0; run < count; run++) {
    const begin = performance.now();
    await floor.act(vms);
    if (run >= 0) took.push(performance.now() - begin);
  }
  return took;
}
