import type { Bench } from '../bench.js';
import type { Cost } from '../process-cost.js';
import { costNote, type Measured, type Result, range, times } from '../result.js';
import { onceThrough, type Role, type Subject } from '../subject.js';
import { type Summary, summarise } from '../summary.js';

/** One work that is deployed and undeployed several times, Arcus and its floor in turn. */
export type Deployment = {
  name: string;
  work: string;
  roles: readonly Role[];
  /** How many such services at once. */
  services: number;
  runs: number;
  /** Goals of the deployment: its median below this, and not above this many times its floor's. */
  below: number;
  timesFloor?: number;
  /** The row with a smaller role that this one must be linear to: the time a VM no more than half again of that one's. */
  linearTo?: { row: string; vms: number };
};

type Runs = { deployed: number[]; undeployed: number[]; last: number };

/** Two lines, the deployment and the undeployment beside it; the first time through fills caches and is not counted. */
export async function measureDeployment(bench: Bench, deployment: Deployment): Promise<Measured> {
  const { name, work, roles, services, runs } = deployment;
  const subjects = [bench.arcus, await bench.floor()] as const;
  const [arcus, floor]: [Runs, Runs] = [newRuns(), newRuns()];
  const costs: Cost[] = [];
  for (let run = 0; run <= runs; run++) {
    const end = bench.count();
    await through(subjects[0], arcus);
    if (run > 0) costs.push(end());
    await through(subjects[1], floor);
  }
  const counted = (values: readonly number[]): Summary => summarise(values.slice(1));
  const [up, down] = [counted(arcus.deployed), counted(arcus.undeployed)];
  const [floorUp, floorDown] = [counted(floor.deployed), counted(floor.undeployed)];
  bench.medians.set(name, up.median);
  const vms = services * roles.reduce((sum, { cardinality = 1 }) => sum + cardinality, 0);
  return {
    results: [
      { work, runs, measured: range(up), ...beside(up, floorUp), ...goalOf(bench, deployment, up, floorUp, vms) },
      {
        work: `${work}: undeploy`,
        runs,
        measured: range(down),
        ...beside(down, floorDown),
        goal: 'no slower than its deployment',
        met: down.median <= up.median,
      },
    ],
    notes: [
      costNote(`${name}: a VM deployed and undeployed`, costs.reduce(sum), vms * runs, bench.cores),
      `${name}: last run, ${await historyOf(subjects[0], arcus.last)}; floor, ${await historyOf(subjects[1], floor.last)}`,
    ],
  };

  async function through(subject: Subject, into: Runs): Promise<void> {
    const { deployed, undeployed, ids } = await onceThrough(subject, roles, services);
    into.deployed.push(deployed);
    into.undeployed.push(undeployed);
    into.last = ids.at(-1) ?? 0;
  }
}

const newRuns = (): Runs => ({ deployed: [], undeployed: [], last: 0 });

const beside = (arcus: Summary, floor: Summary): Pick<Result, 'floor' | 'ratio'> => ({
  floor: range(floor),
  ratio: times(arcus.median / floor.median),
});

function goalOf(
  { medians }: Bench,
  { below, timesFloor, linearTo }: Deployment,
  up: Summary,
  floorUp: Summary,
  vms: number,
): Pick<Result, 'goal' | 'met'> {
  const goals = [`< ${below / 1_000} s`];
  let met = up.median < below;
  if (timesFloor !== undefined) {
    goals.push(`≤ ${timesFloor} × floor`);
    met &&= up.median <= timesFloor * floorUp.median;
  }
  const smaller = linearTo && medians.get(linearTo.row);
  if (linearTo && smaller !== undefined) {
    const growth = up.median / vms / (smaller / linearTo.vms);
    goals.push(`linear (a VM: ${times(growth)} of ${linearTo.vms})`);
    met &&= growth <= 1.5;
  }
  return { goal: goals.join(', '), met };
}

const sum = (a: Cost, b: Cost): Cost => ({
  byProcess: Object.fromEntries(
    Object.entries(a.byProcess).map(([name, used]) => [name, used + (b.byProcess[name] ?? 0)]),
  ),
  others: a.others + b.others,
  seconds: a.seconds + b.seconds,
});

async function historyOf(subject: Subject, id: number): Promise<string> {
  const { localActivities, activities, events, bytes } = await subject.lastRun(id);
  return `${localActivities} local and ${activities} normal activities, ${events} events, ${bytes} bytes`;
}
