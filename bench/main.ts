import { parseArgs } from 'node:util';
import { startArcus } from './arcus.js';
import { type Bench, benchOf } from './bench.js';
import { conditions, load } from './conditions.js';
import { WatchedLoops } from './hostile/watched-loops.js';
import { populationOf } from './population.js';
import type { Measured, Result } from './result.js';
import { type Row, rows } from './rows/rows.js';

const help = `Usage: npm run bench -- [--only ROW]...

Starts an Arcus of its own (home and ports of its own, simulated hypervisor, boot time 0), measures it beside its floor
(the same steps as bare Temporal activities with the same MongoDB writes on the same servers), prints a table, and ends.
Times are min / median / max. All rows take about half an hour, of which actions take 17 minutes.

  --only ROW   this row only; may be given several times: ${rows.map(({ name }) => name).join(', ')}
  --case TEXT  of the row hostile, the cases alone whose name has this text
  --help       this text

The floor is described in bench/floor/steps.ts, the goals and what bounds each row in docs/performance.md.`;

function chosen(): { rows: readonly Row[]; cases: string } | null {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      case: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  for (const name of values.only ?? [])
    if (!rows.some((row) => row.name === name))
      throw new Error(`there is no row ${name}: they are ${rows.map((row) => row.name).join(', ')}`);
  return { rows: rows.filter(({ name }) => values.only?.includes(name) ?? true), cases: values.case };
}

async function measure(bench: Bench, wanted: readonly Row[]): Promise<void> {
  const { arcus } = bench;
  console.log(`${await conditions(arcus.temporal, arcus.mongodbUri())}\n`);
  const population = populationOf(arcus);
  const all: Measured[] = [];
  for (const { name, measure } of wanted) {
    console.error(`bench: ${name}, load ${load()}`);
    const row = await measure(bench, population);
    for (const { work, measured, floor } of row.results)
      console.error(`  ${work}: ${measured}${floor === null ? '' : `; floor ${floor}`}`);
    all.push(row);
  }
  for (const { table } of all) if (table) print(table);
  const results = all.flatMap(({ table, results }) => (table ? [] : results));
  if (results.length > 0) print(tableOf(results));
  console.log();
  for (const note of all.flatMap(({ notes }) => notes)) console.log(`- ${note}`);
  console.log(`- load at the end ${load()}`);
}

const tableOf = (results: readonly Result[]): string[][] => [
  ['Work', 'Runs', 'Arcus', 'Floor', 'Ratio', 'Goal', 'Met'],
  ...results.map(({ work, runs, measured, floor, ratio, goal, met }) => [
    ...[work, String(runs), measured, floor ?? '–', ratio ?? '–', goal ?? '–'],
    met === null ? '–' : met ? 'yes' : '**no**',
  ]),
];

/** In Markdown, so that docs/performance.md can take it as it is. */
function print(lines: readonly (readonly string[])[]): void {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const row = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = lines;
  console.log(['', row(head), row(widths.map((width) => '-'.repeat(width))), ...body.map(row)].join('\n'));
}

async function main(): Promise<void> {
  const wanted = chosen();
  if (!wanted) return console.log(help);
  const loops = wanted.rows.some(({ name }) => name === 'hostile') ? new WatchedLoops() : null;
  const arcus = await startArcus(loops?.environment);
  const bench = benchOf(arcus, loops, wanted.cases);
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
  });
  try {
    await Promise.race([measure(bench, wanted.rows), interrupted]);
  } finally {
    await bench.stopFloor();
    await arcus.stop();
    loops?.release();
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
