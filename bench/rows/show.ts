import { type Bench, tenVms } from '../bench.js';
import { type Load, openLoop } from '../open-loop.js';
import type { Cost } from '../process-cost.js';
import { costNote, type Measured, type Result } from '../result.js';
import { percentile } from '../summary.js';

const goal = 25;
const rate = 300;
const seconds = 10;

/** A service of ten VMs is shown 300 times a second. */
export async function measureShow(bench: Bench): Promise<Measured> {
  const { arcus } = bench;
  const id = await arcus.deploy(tenVms);
  await arcus.reach([id], 'RUNNING');
  const load = { rate, headers: basic(bench), url: () => `${arcus.api}/services/${id}`, seed: 1 };
  const measured = await readUnderLoad(bench, 'show', `GET /services/:id, 10 VMs, ${rate} a second`, goal, {
    ...load,
    seconds,
  });
  await arcus.undeploy(id);
  await arcus.reach([id], 'DONE');
  return measured;
}

export const basic = ({ arcus: { credentials } }: Bench): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${credentials.name}:${credentials.password}`).toString('base64')}`,
});

/** Warms the route up for ten seconds, until V8 has compiled what it runs, then asks for as long as the load says. */
export async function readUnderLoad(
  bench: Bench,
  name: string,
  work: string,
  p99Below: number,
  load: Load,
): Promise<Measured> {
  await openLoop({ ...load, seconds: 10, seed: load.seed + 1 });
  const end = bench.count();
  const { latencies, failures, lateness } = await openLoop(load);
  const cost: Cost = end();
  const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  const bad = [...failures].map(([status, count]) => `${count} × ${status === 0 ? 'no answer' : status}`);
  const result: Result = {
    work,
    runs: latencies.length,
    measured: `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${Math.max(...latencies).toFixed(0)} ms${bad.length > 0 ? `; ${bad.join(', ')}` : ''}`,
    floor: null,
    ratio: null,
    goal: `p99 < ${p99Below} ms`,
    met: p99 < p99Below && bad.length === 0,
  };
  const share = (process: string) => Math.round(((cost.byProcess[process] ?? 0) / cost.seconds) * 100);
  return {
    results: [result],
    notes: [
      costNote(`${name}: a request`, cost, latencies.length, bench.cores),
      `${name}: the api had ${share('api')} % of a core, the generator ${share('generator')} %; it sent ${percentile(lateness, 0.99).toFixed(1)} ms late at its p99`,
    ],
  };
}
