import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Bench } from '../bench.js';
import type { Population } from '../population.js';
import { residentMegabytes } from '../process-cost.js';
import type { Measured } from '../result.js';

const services = 1_000;
const vmsEach = 4;
const seconds = 60;
const Sizes = z.object({ totalIndexSize: z.number() });
const goal = { cpu: 3, rss: 450 };

/** A thousand services of four VMs run and nobody asks for anything, for a minute. */
export async function measureRest(bench: Bench, population: Population): Promise<Measured> {
  await bench.stopFloor();
  await population.growTo(services * vmsEach);
  await population.shrinkTo(services);
  // What the last deployment left to do is done by then: checkpoints, garbage, visibility.
  await sleep(5_000);
  const end = bench.count();
  await sleep(seconds * 1_000);
  const cost = end();
  const share = (name: string) => ((cost.byProcess[name] ?? 0) / cost.seconds) * 100;
  const processes = bench.arcus.processes();
  const rss = (name: string) => Math.round(residentMegabytes(processes[name] ?? 0));
  const own = share('api') + share('worker');
  const work = `${services} RUNNING services (${services * vmsEach} VMs) at rest, ${seconds} s`;
  const line = { work, runs: 1, floor: null, ratio: null };
  const others = Math.round((cost.others / (cost.seconds * bench.cores)) * 100);
  return {
    results: [
      {
        ...line,
        measured: `api ${share('api').toFixed(2)} % + worker ${share('worker').toFixed(2)} % of a core`,
        goal: `< ${goal.cpu} %`,
        met: own < goal.cpu,
      },
      {
        ...line,
        work: 'the same: memory of the worker',
        measured: `RSS ${rss('worker')} MB`,
        goal: `< ${goal.rss} MB`,
        met: rss('worker') < goal.rss,
      },
    ],
    notes: [
      `rest: ${['Temporal', 'MongoDB', 'simulator'].map((name) => `${name} ${share(name).toFixed(2)} % of a core and ${rss(name)} MB`).join(', ')}, api ${rss('api')} MB; others had ${others} % of the machine`,
      `rest: ${(await Promise.all(['vms', 'services', 'operations', 'hosts'].map((name) => sizeOf(bench, name)))).join('; ')}`,
    ],
  };
}

/** How large the documents of a collection are on average, and what its indexes have of each. */
async function sizeOf({ arcus: { db } }: Bench, collection: string): Promise<string> {
  const [average] = await db
    .collection(collection)
    .aggregate<{ bytes: number; count: number }>([
      { $group: { _id: null, bytes: { $avg: { $bsonSize: '$$ROOT' } }, count: { $sum: 1 } } },
    ])
    .toArray();
  const { totalIndexSize } = Sizes.parse(await db.command({ collStats: collection }));
  const { bytes, count } = average ?? { bytes: 0, count: 1 };
  return `${count} ${collection} of ${Math.round(bytes)} bytes, ${Math.round(totalIndexSize / count)} of indexes each`;
}
