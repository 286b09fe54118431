import { homedir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { checkout } from '../../adapters/process/checkout.js';
import { type Home, homeAt } from '../../runtime/home/home.js';
import { readChildren } from '../../runtime/processes/children.js';
import { endLeftovers, findLeftovers } from '../../runtime/processes/leftovers.js';
import { isAlive } from '../../runtime/processes/process-identity.js';
import { eventually, launch, type Output } from './processes.js';

/** A start of Arcus as an operator types it, on a home of its own and a port that is chosen. */
export type StartedArcus = Output & {
  home: Home;
  /** Resolves when everything serves and the report has been printed; rejects when the start has failed. */
  up: Promise<void>;
  /** The processes that it has started and that live. */
  children: () => { name: string; pid: number }[];
};

/** The programs come from the cache that the test run has filled. */
const environment = { ARCUS_PORT: '0', ARCUS_CACHE: process.env.ARCUS_CACHE ?? join(homedir(), '.arcus', 'cache') };

/** Runs what `npm start` runs. Whatever is left of it when the test has finished is ended. */
export function startArcus(
  directory: string,
  args: readonly string[] = [],
  over: Record<string, string> = {},
): StartedArcus {
  const home = homeAt(directory);
  const bootstrap = join(checkout, 'runtime', 'bootstrap.mjs');
  return watch(
    home,
    launch(process.execPath, [bootstrap, 'start', '--home', directory, ...args], { ...environment, ...over }),
  );
}

/** The same through npm. */
export function startArcusWithNpm(directory: string): StartedArcus {
  const command = ['--prefix', checkout, 'start', '--', '--home', directory, '--no-sample'];
  return watch(homeAt(directory), launch('npm', command, environment));
}

function watch(home: Home, output: Output): StartedArcus {
  onTestFinished(async () => {
    output.process.kill('SIGKILL');
    await endLeftovers(home, () => {});
  });
  let ended = false;
  void output.exit.then(() => {
    ended = true;
  });
  const up = eventually(() => {
    if (ended) throw new Error(`the start failed: ${output.text()}`);
    return output.text().includes('Ctrl-C stops everything');
  }).then(() => {});
  up.catch(() => {});
  const children = () => readChildren(home.children).filter(({ pid }) => isAlive(pid));
  return { ...output, home, up, children };
}

/** What is left of a home's processes, by what is written down and by the data that they have open. */
export const leftOf = (home: Home): string[] => findLeftovers(home).map(({ name, pid }) => `${name} (${pid})`);
