import { fork } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { built } from '../../adapters/process/checkout.js';
import { defaultPermissions } from '../../schemas/common/common.js';
import { bootstrapStore } from '../../store/bootstrap.js';
import { connectMongodb } from '../../store/mongo/connection.js';
import { withTransaction } from '../../store/mongo/transaction.js';
import { createStore } from '../../store/store.js';
import { TurnDone } from '../../test/chaos/racer.js';
import type { Bench } from '../bench.js';
import { startCounting } from '../process-cost.js';
import { costNote, type Measured, range } from '../result.js';
import { summarise } from '../summary.js';

const leases = 1_000;
const runs = 5;
/** Of each process: as many as it has connections to MongoDB. */
const atOnce = 50;

/** Two processes take all addresses of a range of just so many, each by a transaction of its own: each address once. */
export async function measureLeases({ arcus, cores }: Bench): Promise<Measured> {
  const uri = arcus.mongodbUri('arcus-bench-leases');
  const first = await connectMongodb(uri);
  await bootstrapStore(first);
  await first.close();
  const connection = await connectMongodb(uri);
  const store = createStore(connection);
  const takers = [await startTaker(uri), await startTaker(uri)];
  const processes = {
    ...arcus.processes(),
    'first taker': takers[0]?.pid ?? 0,
    'second taker': takers[1]?.pid ?? 0,
  };
  try {
    const taken: number[] = [];
    const costs: string[] = [];
    // The first time fills caches, and is not counted.
    for (let network = 0; network <= runs; network++) {
      await withTransaction(connection, (transaction) =>
        store.networks.insert(
          {
            ...{ _id: network, name: `network-${network}`, uid: 0, gid: 0, permissions: defaultPermissions },
            ...{ vn_mad: 'dummy', bridge: 'b', phydev: null, vlan_id: null, vlan_drawn: false, attributes: {} },
            ranges: [{ ar_id: 0, type: 'ETHER', size: leases, mac: '02:00:00:00:00:00' }],
            ...{ next_ar: 1, parent: null, created_at: new Date() },
          },
          transaction,
        ),
      );
      const vms = Array.from({ length: leases }, (_, vm) => network * leases + vm);
      const end = startCounting(processes);
      const begun = performance.now();
      await Promise.all(
        takers.map((taker, at) =>
          taker.all(
            network,
            vms.filter((vm) => vm % 2 === at),
          ),
        ),
      );
      if (network > 0) taken.push(performance.now() - begun);
      costs.push(costNote('leases: one taken in the last run', end(), leases, cores));
      const found = await store.leases.holding(network, { most: leases + 1 });
      if (new Set(found.map(({ index }) => index)).size !== leases) throw new Error(`${found.length} leases are there`);
    }
    const took = summarise(taken);
    return {
      results: [
        {
          work: `${leases.toLocaleString('en')} leases of a range of just so many, one by one, by two processes`,
          ...{ runs, measured: range(took), floor: null, ratio: null },
          ...{ goal: '< 3 s', met: took.median < 3_000 },
        },
      ],
      notes: ['leases: each address once, none left, in every run', ...costs.slice(-1)],
    };
  } finally {
    for (const taker of takers) await taker.stop();
    await connection.dropDatabase();
    await connection.close();
  }
}

async function startTaker(uri: string) {
  const child = fork(built('test/chaos/take-leases.js'), [], {
    execArgv: ['--enable-source-maps'],
    env: { ...process.env, ARCUS_MONGODB_URI: uri },
  });
  await once(child, 'message');
  const answers = new Map<number, (did: boolean) => void>();
  child.on('message', (message) => {
    const { turn, result } = TurnDone.parse(message);
    answers.get(turn)?.(z.boolean().parse(result));
    answers.delete(turn);
  });
  let turn = 0;
  const take = (network: number, vm: number): Promise<boolean> =>
    new Promise((resolve) => {
      answers.set(turn, resolve);
      child.send({ turn: turn++, after: 0, task: { network, vm, nics: 1 } });
    });
  return {
    pid: child.pid ?? 0,
    /** An address for each VM. */
    async all(network: number, vms: readonly number[]): Promise<void> {
      const left = [...vms];
      const lane = async (): Promise<void> => {
        for (let vm = left.pop(); vm !== undefined; vm = left.pop())
          if (!(await take(network, vm))) throw new Error(`VM ${vm} has no address`);
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
    },
    async stop(): Promise<void> {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
