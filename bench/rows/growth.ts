import { type Bench, oneRole } from '../bench.js';
import type { Population } from '../population.js';
import { type Measured, range, times } from '../result.js';
import { onceThrough } from '../subject.js';
import { summarise } from '../summary.js';

const steps = [10, 100, 1_000, 5_000];
const vms = 50;
const runs = 5;

/** The same role of fifty VMs is deployed among 10, 100, 1,000 and 5,000 that run already. */
export async function measureGrowth({ arcus }: Bench, population: Population): Promise<Measured> {
  const results: Measured['results'] = [];
  let first = 0;
  for (const existing of steps) {
    await population.growTo(existing);
    await onceThrough(arcus, oneRole(vms));
    const deployed: number[] = [];
    for (let run = 0; run < runs; run++) deployed.push((await onceThrough(arcus, oneRole(vms))).deployed);
    const summary = summarise(deployed.map((time) => time / vms));
    first ||= summary.median;
    results.push({
      work: `time a VM of one role × ${vms}, among ${existing} VMs`,
      runs,
      measured: range(summary),
      floor: null,
      ratio: `${times(summary.median / first)} of the first`,
      goal: 'flat within 1.5 ×',
      met: summary.median / first <= 1.5,
    });
  }
  return { results, notes: [] };
}
