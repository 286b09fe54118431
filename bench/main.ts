import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { startArcus } from './arcus.js';
import { type Bench, benchOf } from './bench.js';
import { conditions, load } from './conditions.js';
import { populationOf } from './population.js';
import type { Measured, Result } from './result.js';
import { type Row, rows } from './rows/rows.js';

const help = `Usage: npm run bench -- [--only ROW]...

Starts an Arcus of its own (home and ports of its own, simulated hypervisor, boot time 0), measures it beside its floor
(the same steps as bare Temporal activities with the same MongoDB writes on the same servers), prints a table, and ends.
Times are min / median / max. All rows take about eight minutes.

  --only ROW   this row only; may be given several times: ${rows.map(({ name }) => name).join(', ')}
  --help       this text

The floor is described in bench/floor/steps.ts, the goals and what bounds each row in docs/performance.md.`;

function chosen(): readonly Row[] | null {
  const { values } = parseArgs({
    options: { only: { type: 'string', multiple: true }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return null;
  for (const name of values.only ?? [])
    if (!rows.some((row) => row.name === name))
      throw new Error(`there is no row ${name}: they are ${rows.map((row) => row.name).join(', ')}`);
  return values.only === undefined ? rows : rows.filter(({ name }) => values.only?.includes(name));
}

async function measure(bench: Bench, wanted: readonly Row[]): Promise<void> {
  const { arcus } = bench;
  console.log(await conditions(arcus.temporal, arcus.mongodbUri()));
  const population = populationOf(arcus);
  const all: Measured[] = [];
  for (const { name, measure } of wanted) {
    console.error(`bench: ${name}, load ${load()}`);
    all.push(await measure(bench, population));
  }
  print(all.flatMap(({ results }) => results));
  for (const note of all.flatMap(({ notes }) => notes)) console.log(note);
  console.log(`load at the end ${load()}`);
}

function print(results: readonly Result[]): void {
  const table = new Table({
    head: ['work', 'runs', 'Arcus', 'floor', 'ratio', 'goal', 'met'],
    style: { head: [], border: [] },
  });
  for (const { work, runs, measured, floor, ratio, goal, met } of results)
    table.push([
      work,
      runs,
      measured,
      floor ?? '–',
      ratio ?? '–',
      goal ?? '–',
      met === null ? '–' : met ? 'yes' : 'NO',
    ]);
  console.log(table.toString());
}

async function main(): Promise<void> {
  const wanted = chosen();
  if (!wanted) return console.log(help);
  const arcus = await startArcus();
  const bench = benchOf(arcus);
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
  });
  try {
    await Promise.race([measure(bench, wanted), interrupted]);
  } finally {
    await bench.stopFloor();
    await arcus.stop();
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
