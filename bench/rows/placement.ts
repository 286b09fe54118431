import { fork } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { built } from '../../adapters/process/checkout.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { createStore, type Store } from '../../store/store.js';
import { TurnDone } from '../../test/chaos/racer.js';
import { madeHost } from '../../test/support/made-host.js';
import { madeVm } from '../../test/support/made-vm.js';
import type { Bench } from '../bench.js';
import { startCounting } from '../process-cost.js';
import { costNote, type Measured, range } from '../result.js';
import { summarise } from '../summary.js';

const vms = 1_000;
const hosts = 50;
/** As a role of fifty: what a step of one worker places at a time. */
const batch = 50;
const runs = 5;

const Answered = z.tuple([TurnDone]).rest(z.unknown());

/**
 * Two processes place VMs on the same hosts at once, as two workers do, each batch after batch, and those that were outrun
 * again, until all have a host. There is room for just so many: whoever counted wrongly would overcommit one.
 */
export async function measurePlacement({ arcus, cores }: Bench): Promise<Measured> {
  const uri = arcus.mongodbUri('arcus-bench-placement');
  const first = await connectMongodb(uri);
  await bootstrapStore(first);
  await first.close();
  const connection = await connectMongodb(uri);
  const store = createStore(connection);
  const placers = [await startPlacer(uri), await startPlacer(uri)];
  const processes = {
    ...arcus.processes(),
    'first placer': placers[0]?.pid ?? 0,
    'second placer': placers[1]?.pid ?? 0,
  };
  try {
    const taken: number[] = [];
    let looks = 0;
    const costs: string[] = [];
    // The first time fills caches, and is not counted.
    for (let run = 0; run <= runs; run++) {
      const ids = await emptyCloud(store);
      const end = startCounting(processes);
      const begun = performance.now();
      const each = await Promise.all(placers.map((placer, at) => placer.all(ids.filter((id) => id % 2 === at))));
      if (run > 0) taken.push(performance.now() - begun);
      costs.push(costNote('placement: a VM placed in the last run', end(), vms, cores));
      looks = Math.max(looks, ...each);
      await checkHosts(store);
    }
    const took = summarise(taken);
    return {
      results: [
        {
          work: `${vms.toLocaleString('en')} VMs placed by two processes on ${hosts} hosts with room for just these`,
          ...{ runs, measured: range(took), floor: null, ratio: null },
          ...{ goal: '< 3 s', met: took.median < 3_000 },
        },
      ],
      notes: [
        `placement: no host overcommitted, no sum wrong, in any run; a process looked at most ${looks} times`,
        ...costs.slice(-1),
      ],
    };
  } finally {
    for (const placer of placers) await placer.stop();
    await connection.dropDatabase();
    await connection.close();
  }
}

async function startPlacer(uri: string) {
  const child = fork(built('test/chaos/place-batches.js'), [], {
    execArgv: ['--enable-source-maps'],
    env: { ...process.env, ARCUS_MONGODB_URI: uri },
  });
  await once(child, 'message');
  let turn = 0;
  const place = async (ids: readonly number[]): Promise<number> => {
    const answered = once(child, 'message');
    child.send({ turn: turn++, after: 0, task: { vms: ids } });
    const { result } = Answered.parse(await answered)[0];
    return z.int().parse(result);
  };
  return {
    pid: child.pid ?? 0,
    /** Until all of them have a host; returns how often it had to look. */
    async all(ids: readonly number[]): Promise<number> {
      let looks = 0;
      for (let at = 0; at < ids.length; at += batch) {
        const these = ids.slice(at, at + batch);
        do looks += 1;
        while ((await place(these)) < these.length);
      }
      return looks;
    },
    async stop(): Promise<void> {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function emptyCloud(store: Store): Promise<number[]> {
  await Promise.all([store.vms.model.deleteMany({}), store.hosts.model.deleteMany({})]);
  const total = { cpu: (vms / hosts) * 100, memory: (vms / hosts) * 64 };
  await store.hosts.model.insertMany(Array.from({ length: hosts }, (_, _id) => madeHost({ _id, total })));
  const ids = Array.from({ length: vms }, (_, id) => id);
  const pending = { state: 'PENDING', lcm_state: 'LCM_INIT', hold: { op: 'bench', epoch: 1, attempt: 0 } } as const;
  await store.vms.model.insertMany(ids.map((_id) => madeVm({ _id, ...pending })));
  return ids;
}

/** Each VM on one host, and each host full and no fuller. */
async function checkHosts(store: Store): Promise<void> {
  const found = await store.hosts.model.find().lean().exec();
  const held = found.flatMap((host) => Object.keys(host.vms));
  const full = found.filter(
    ({ used, total, vms: of }) => used.cpu === total.cpu && Object.keys(of).length * 100 === used.cpu,
  );
  if (held.length !== vms || new Set(held).size !== vms || full.length !== hosts)
    throw new Error(`${held.length} reservations of ${new Set(held).size} VMs; ${full.length} hosts are full`);
}
