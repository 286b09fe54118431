#!/usr/bin/env node
// Runs before anything is installed: plain JavaScript, and Node's own modules only.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (line) => console.error(`arcus: ${line}`);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  say(`Node.js 20.19 or newer is needed, and this is ${process.versions.node}`);
  process.exit(1);
}

/** Everything `npm run check` looks at, in this order. */
const checks = [
  { name: 'format and lint', command: ['node_modules/.bin/biome', 'ci', '.'] },
  { name: 'types', command: ['node_modules/.bin/tsc', '-p', '.'] },
  { name: 'lint with types', command: ['node_modules/.bin/oxlint', '--type-aware'] },
  { name: 'imports', command: ['node_modules/.bin/depcruise', '--config', '.dependency-cruiser.cjs', '.'] },
  { name: 'rules of imports', command: [process.execPath, '.ci/check-rooms.mjs'] },
  { name: 'patterns', command: [process.execPath, '.ci/check-patterns.mjs'] },
  { name: 'dead code', command: ['node_modules/.bin/knip'] },
];

function run(command, args, environment = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
    // Ctrl-C reaches the child by itself: it is in the same process group. This process waits for it to end.
    const wait = () => {};
    process.on('SIGINT', wait);
    const forward = () => child.kill('SIGTERM');
    process.on('SIGTERM', forward);
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('SIGINT', wait);
      process.off('SIGTERM', forward);
      resolve(code ?? 1);
    });
  });
}

async function prepare({ development }) {
  const { ensureDependencies } = await import('./build/dependencies.mjs');
  await ensureDependencies(root, { development }, say);
  const { build } = await import('./build/build.mjs');
  await build(root, { development }, say);
}

/** Passed and failed tests of a vitest run, by its JSON report; a file that cannot be loaded counts as one failure. */
function countTests(report) {
  if (!existsSync(report)) return { passed: 0, failed: 0 };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const unloadable = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  return { passed: numPassedTests, failed: numFailedTests + unloadable.length };
}

/** What is named, else all but the project `long`. */
async function test(args) {
  await prepare({ development: true });
  const which = args.length > 0 ? args : ['--project=pure', '--project=real'];
  const directory = mkdtempSync(join(tmpdir(), 'arcus-test-'));
  try {
    const report = join(directory, 'report.json');
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await run(process.execPath, [vitest, 'run', ...reporters, ...which], { ARCUS_PREPARED: '1' });
    const { passed, failed } = countTests(report);
    const failures = code !== 0 && failed === 0 ? 1 : failed;
    console.log(`${passed} passed, ${failures} failed`);
    return failures === 0 && passed > 0 ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function check() {
  await prepare({ development: true });
  const failed = [];
  for (const { name, command } of checks) {
    say(name);
    const [program, ...args] = command;
    if ((await run(resolve(root, program), args)) !== 0) failed.push(name);
  }
  say(failed.length === 0 ? 'all checks passed' : `failed: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

async function start(args) {
  await prepare({ development: false });
  process.setSourceMapsEnabled(true);
  const { start } = await import('../dist/runtime/start.js');
  return start(args);
}

/** Benchmarks print tables; they start what they measure. */
async function bench(args) {
  await prepare({ development: true });
  return run(process.execPath, [join(root, 'dist', 'bench', 'main.js'), ...args]);
}

/** Kills and breaks everything while work goes on; prints a table. */
async function chaos(args) {
  await prepare({ development: true });
  return run(process.execPath, ['--enable-source-maps', join(root, 'dist', 'test', 'chaos', 'main.js'), ...args]);
}

/** `build` is for those who develop, `compile` for those who only run: it installs and builds no more than that needs. */
const builds = (options) => async () => {
  await prepare(options);
  return 0;
};

const commands = {
  start,
  test,
  check,
  bench,
  chaos,
  build: builds({ development: true }),
  compile: builds({ development: false }),
};

const [name, ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, name ?? '')) {
  say(`unknown command ${name ?? ''}: it is one of ${Object.keys(commands).join(', ')}`);
  process.exit(2);
}
try {
  process.exitCode = await commands[name](args);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
