import type { Bench } from '../bench.js';
import { type Measured, type Result, range, times } from '../result.js';
import { onceThrough, type Role } from '../subject.js';
import { summarise } from '../summary.js';

type Scaling = { from: number; to: number; runs: number; below?: number };

const scalings: readonly Scaling[] = [
  { from: 5, to: 10, runs: 7, below: 300 },
  { from: 5, to: 1_000, runs: 3 },
];

const role = (cardinality: number): Role => ({ name: 'web', cardinality, cooldown: 0 });

/** A role that runs is made larger and smaller again. Its floor deploys and undeploys as many VMs as come and go. */
export async function measureScaling(bench: Bench): Promise<Measured> {
  const results: Result[] = [];
  for (const scaling of scalings) results.push(...(await measured(bench, scaling)));
  return { results, notes: ['scaling: its floor deploys, or undeploys, a service of as many VMs as come or go'] };
}

async function measured(bench: Bench, { from, to, runs, below }: Scaling): Promise<Result[]> {
  const floor = await bench.floor();
  const [up, down, floorUp, floorDown]: [number[], number[], number[], number[]] = [[], [], [], []];
  const service = await bench.arcus.deploy([role(from)]);
  await bench.arcus.reach([service], 'RUNNING');
  // The first time through fills caches and is not counted.
  for (let run = 0; run <= runs; run++) {
    const [larger, smaller] = [await took(to), await took(from)];
    const { deployed, undeployed } = await onceThrough(floor, [{ name: 'web', cardinality: to - from }]);
    if (run === 0) continue;
    up.push(larger);
    down.push(smaller);
    floorUp.push(deployed);
    floorDown.push(undeployed);
  }
  await bench.arcus.undeploy(service);
  await bench.arcus.reach([service], 'DONE');
  return [line(`one role, ${from} → ${to}`, up, floorUp), line(`the same, ${to} → ${from}`, down, floorDown)];

  async function took(cardinality: number): Promise<number> {
    const begin = performance.now();
    await bench.arcus.scale(service, 'web', cardinality);
    return performance.now() - begin;
  }

  function line(work: string, values: readonly number[], floors: readonly number[]): Result {
    const [arcus, itsFloor] = [summarise(values), summarise(floors)];
    return {
      ...{ work, runs, measured: range(arcus), floor: range(itsFloor), ratio: times(arcus.median / itsFloor.median) },
      ...(below === undefined
        ? { goal: null, met: null }
        : {
            goal: `< ${below / 1_000} s, ≤ 2 × floor`,
            met: arcus.median < below && arcus.median <= 2 * itsFloor.median,
          }),
    };
  }
}
