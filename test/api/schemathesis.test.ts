import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { choosePort } from '../../runtime/processes/ports.js';
import { eventually, launchBuilt } from '../support/processes.js';
import { temporalSettings } from '../support/servers.js';
import { type Population, populate } from './schemathesis/population.js';
import { schemathesisPython } from './schemathesis/program.js';
import { neverDone, reachedBy, reachedTable } from './schemathesis/reached.js';
import { createWorld, type World } from './world.js';

let world: World;
let directory: string;
beforeAll(async () => {
  world = await createWorld({ withTemporal: true });
  directory = mkdtempSync(join(tmpdir(), 'arcus-schemathesis-'));
});
afterAll(async () => {
  await world.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** The settings of the repository, with the ids that there are. */
function settingsFor(population: Population): string {
  const path = join(directory, 'schemathesis.toml');
  const settings = readFileSync(fileURLToPath(new URL('schemathesis/schemathesis.toml', import.meta.url)), 'utf8');
  const dictionaries = Object.entries(population).map(
    ([name, ids]) => `[dictionaries.${name}]\nvalues = ${JSON.stringify(ids)}\n`,
  );
  writeFileSync(path, [settings, ...dictionaries].join('\n'));
  return path;
}

async function startedApi(): Promise<{ url: string; log: () => string }> {
  const port = await choosePort();
  const api = launchBuilt('api/main.js', [], {
    ARCUS_MONGODB_URI: world.addresses.mongodb,
    ...temporalSettings(world.addresses.temporal),
    ARCUS_PORT: String(port),
    // Keys of secrets are made there.
    ARCUS_HOME: directory,
    ARCUS_LOG_LEVEL: 'error',
    // Wrong credentials are among what is tried.
    ARCUS_FAILED_LOGINS: '1000000',
  });
  const url = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(`${url}/healthz`)
      .then(({ ok }) => ok)
      .catch(() => false);
  await eventually(answers);
  return { url, log: api.text };
}

/** Its whole report, and whether it found nothing. */
function tried(python: string, settings: string, url: string): Promise<{ report: string; passed: boolean }> {
  const args = ['-m', 'schemathesis.cli', '--config-file', settings, 'run', `${url}/openapi.json`, '--no-color'];
  return new Promise((resolve) => {
    execFile(python, args, { cwd: directory, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ report: stdout + stderr, passed: error === null });
    });
  });
}

/**
 * They need what no schema tells from others: a host that takes the VM (hold-vm and migrate-vm of workflows/vms have them succeed), a
 * domain on its host (terminate-vm has one), a disk in a datastore (save-disk and restore-disk have one), an image, or a size and a kind, of a disk (vm-disks has
 * them), more than an image has, or snapshots of one (images and image-snapshots of workflows/storage ask for that), an address that the network has (the examples say one), a network that is there by its name
 * (change-devices of workflows/vms has one), a guest that has a screen (vm-screen), a host that does not answer (failover-host), or one
 * that can be turned off (test-fencing).
 */
const byHand = new Set([
  'askForScreen',
  'deployVm',
  'migrateVm',
  'importWild',
  'attachNic',
  'attachDisk',
  'resizeImage',
  'saveDisk',
  'restoreDisk',
  ...['revertImageSnapshot', 'deleteImageSnapshot', 'flattenImageSnapshot'],
  'holdAddress',
  'releaseAddress',
  ...['failoverHost', 'callHostFenced', 'testHostFencing'],
  ...['publishApp', 'exportApp'],
]);

it('answers whatever Schemathesis makes of the OpenAPI document as that says', async () => {
  const python = await schemathesisPython();
  const settings = settingsFor(await populate(world));
  const { url, log } = await startedApi();
  const began = performance.now();
  const { report, passed } = await tried(python, settings, url);
  const seconds = (performance.now() - began) / 1000;
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const reached = reachedBy(metrics);
  console.log(reachedTable(reached));
  expect(passed, `${failuresIn(report)}\n${log()}`).toBe(true);
  const [cases, cpu] = [/\d+ generated/.exec(report)?.[0], /^process_cpu_seconds_total (\S+)/m.exec(metrics)?.[1]];
  console.log(`${cases} in ${seconds.toFixed(0)} s, of which the api was at work for ${Number(cpu).toFixed(0)} s`);
  expect(
    neverDone(reached).filter((id) => !byHand.has(id)),
    'operations that Schemathesis has never brought to succeed',
  ).toEqual([]);
}, 1_800_000);

it('says what to install where Python is missing', async () => {
  const { PATH = '' } = process.env;
  process.env.PATH = '/nonexistent';
  try {
    await expect(schemathesisPython()).rejects.toThrow(
      /^Schemathesis cannot be installed: there is no python3\. .*apt-get/,
    );
  } finally {
    process.env.PATH = PATH;
  }
});

/** From the failures on; progress comes before them. */
const failuresIn = (report: string): string => report.slice(Math.max(0, report.search(/^=+ (FAILURES|ERRORS) =/m)));
