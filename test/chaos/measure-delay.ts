import { setTimeout as sleep } from 'node:timers/promises';
import { chance } from '../../simulator/chance.js';
import type { ClusterProcess } from '../support/cluster-process.js';
import { Cloud } from './cloud.js';
import type { Machine } from './shapes.js';
import { median } from './table.js';
import { deployLarge } from './works.js';

/** Milliseconds from the request to the end of the operation, alone and with one of two workers killed or frozen on the way. */
type Pair = { alone: number; harmed: number };

/** What is done to a worker, and how it comes back. */
const harms = {
  killed: { harm: (worker) => worker.kill(), heal: (worker) => worker.startAgain() },
  frozen: { harm: async (worker) => worker.freeze(), heal: async (worker) => worker.thaw() },
} satisfies Record<string, Record<'harm' | 'heal', (worker: ClusterProcess) => Promise<void>>>;

type Options = { seed: number; pairs: number; how: keyof typeof harms; say: (line: string) => void };

/**
 * How much later a deployment of 30 VMs ends when one of two workers is killed or frozen at a random moment and does
 * not come back before its end: pairs of one that is left alone and one that is not. Returns a sentence.
 */
export async function measureDelay(machine: Machine, { seed, pairs, how, say }: Options): Promise<string> {
  const { harm, heal } = harms[how];
  const cloud = await Cloud.start('two of each', machine);
  try {
    await cloud.pace({ boot_ms: 300, shutdown_ms: 0 });
    // The first fills caches and is not counted.
    await timed(cloud, async () => {});
    const measured: Pair[] = [];
    for (let nth = 0; nth < pairs; nth++) {
      const worker = cloud.cluster.worker(chance(seed, 'which worker', nth) < 0.5 ? 0 : 1);
      const alone = await timed(cloud, async () => {});
      const harmed = await timed(cloud, async () => {
        await sleep(chance(seed, 'when', nth) * alone);
        await harm(worker);
      });
      await heal(worker);
      measured.push({ alone, harmed });
      say(`one of two workers ${how}, pair ${nth}: ${alone} ms alone, ${harmed} ms with that`);
    }
    const delays = measured.map(({ alone, harmed }) => harmed - alone).sort((a, b) => a - b);
    const undisturbed = measured.map(({ alone }) => alone).sort((a, b) => a - b);
    return `one of two workers ${how} during ${deployLarge.name}: ${pairs} pairs, ${inSeconds(median(undisturbed))} alone, later by ${inSeconds(median(delays))} in the median, ${inSeconds(delays.at(-1))} at most`;
  } finally {
    await cloud.stop({ keep: false });
  }
}

async function timed(cloud: Cloud, meanwhile: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  const { wishes } = await deployLarge.prepare(cloud);
  const [granted] = await Promise.all([cloud.ask(wishes), meanwhile()]);
  const services: number[] = [];
  for (const { operation, resource } of granted) {
    await cloud.cluster.client.awaitOperation(operation, 'succeeded');
    services.push(resource.id);
  }
  const took = Math.round(performance.now() - begin);
  await cloud.tidy(services, false);
  return took;
}

const inSeconds = (milliseconds: number | undefined): string =>
  milliseconds === undefined ? '–' : `${(milliseconds / 1000).toFixed(1)} s`;
