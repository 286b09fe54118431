import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { temporal } from '../../runtime/servers/downloads.js';
import { findBinary } from '../../runtime/servers/find-binary.js';
import { findMongod } from '../../runtime/servers/find-mongod.js';
import { cases, nameOf } from './cases.js';
import { measureDelay } from './measure-delay.js';
import { playMixed } from './mixed/play-mixed.js';
import { playRounds } from './play-rounds.js';
import { roundsOf } from './rounds.js';
import type { Machine } from './shapes.js';
import { tableOf, violationsOf } from './table.js';

const usage = `npm run chaos -- [options]
  --seed N       the same random moments again; else they are others each time
  --runs N       about so many runs, in the proportions of a full round
  --only TEXT    only cases whose name contains it; may be given several times
  --lanes N      clusters side by side (2)
  --pairs N      pairs of deployments that show what the loss of one of two workers costs (15; 0 with --only)
  --mixed        instead: clients that ask for everything of the same services and VMs, while everything is killed
  --minutes N    how long clients ask, with --mixed (10)
  --clients N    how many of them (6)
  --keep         leave the data of a cluster with a violation
  --list         name the cases and end`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      runs: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      lanes: { type: 'string', default: '2' },
      pairs: { type: 'string' },
      mixed: { type: 'boolean', default: false },
      minutes: { type: 'string', default: '10' },
      clients: { type: 'string', default: '6' },
      keep: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const say = (line: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  if (values.mixed) {
    say(`seed ${seed}`);
    const { binaries } = await machineHere(say);
    const [seconds, clients] = [Number(values.minutes) * 60, Number(values.clients)];
    const violations = await playMixed({ seed, seconds, clients, binaries, keep: values.keep, say });
    for (const violation of violations) console.log(violation);
    console.log(`seed ${seed}, ${values.minutes} min of mixed requests, ${violations.length} violations`);
    return violations.length === 0 ? 0 : 1;
  }
  const chosen = cases.filter((each) => values.only.every((part) => nameOf(each).includes(part)));
  if (values.list || (chosen.length === 0 && values.pairs === undefined)) {
    console.log(cases.map(nameOf).join('\n'));
    return values.list ? 0 : 2;
  }
  const rounds = roundsOf(chosen, seed, values.runs === undefined ? undefined : Number(values.runs));
  const runs = rounds.reduce((sum, { turns }) => sum + turns.length, 0);
  say(`seed ${seed}: ${runs} runs of ${chosen.length} cases`);
  const begin = Date.now();
  const machine = await machineHere(say);
  const played = await playRounds(rounds, {
    machine,
    lanes: Number(values.lanes),
    keep: values.keep,
    say,
  });
  if (chosen.length > 0) console.log(tableOf(chosen, played));
  const pairs = Number(values.pairs ?? (values.only.length === 0 ? 15 : 0));
  for (const how of ['killed', 'frozen'] as const)
    if (pairs > 0) console.log(await measureDelay(machine, { seed, pairs, how, say }));
  const violations = violationsOf(played);
  console.log(
    `seed ${seed}, ${runs} runs in ${Math.round((Date.now() - begin) / 60_000)} min, ${violations} violations`,
  );
  return violations === 0 ? 0 : 1;
}

async function machineHere(progress: (line: string) => void): Promise<Machine> {
  const cache = process.env.ARCUS_CACHE ?? join(homedir(), '.arcus', 'cache');
  const options = {
    cache,
    platform: `${process.platform}-${process.arch}`,
    mirror: process.env.ARCUS_MIRROR ?? null,
    progress,
  };
  const [ofMongodb, ofTemporal] = [await findMongod(null, options), await findBinary(temporal, options)];
  return { cache, binaries: { mongod: ofMongodb.path, temporal: ofTemporal.path } };
}

process.exitCode = await main();
