// Shows that the two checks of imports look at every module, and that their rules bite. A tool that finds no files, or
// whose rule matches nothing, passes just like one that is content.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { development, keepers, lintConfig, rooms as product, withRoomRules } from './lint-rules.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What no rule may let pass: where, what it imports, and which of the two tools must refuse it. */
const offences = [
  { folder: 'schemas', imports: "import { x } from '../domain/x.js'", oxlint: false, cruiser: true },
  { folder: 'domain', imports: "import { x } from '../store/x.js'", oxlint: false, cruiser: true },
  { folder: 'domain', imports: "import type { x } from '../activities/x.js'", oxlint: false, cruiser: true },
  { folder: 'domain', imports: "import { readFileSync as x } from 'node:fs'", oxlint: true, cruiser: false },
  { folder: 'workflows', imports: "import { x } from '../activities/x.js'", oxlint: true, cruiser: false },
  { folder: 'workflows/vms', imports: "import { x } from '../../schemas/x.js'", oxlint: true, cruiser: false },
  { folder: 'activities', imports: "import { x } from '../workflows/x.js'", oxlint: false, cruiser: true },
  { folder: 'adapters/kind', imports: "import { x } from '../../store/x.js'", oxlint: false, cruiser: true },
  { folder: 'store', imports: "import { x } from '../requests/x.js'", oxlint: false, cruiser: true },
  { folder: 'requests/vms', imports: "import { x } from '../../workflows/x.js'", oxlint: true, cruiser: false },
  { folder: 'api', imports: "import { x } from '../store/x.js'", oxlint: true, cruiser: false },
  { folder: 'api/native/vms', imports: "import { x } from '../../../domain/vms/x.js'", oxlint: true, cruiser: false },
  { folder: 'api', imports: "import { x } from '../domain/x.js'", oxlint: true, cruiser: false },
  { folder: 'api', imports: "import { x } from '../worker/x.js'", oxlint: true, cruiser: true },
  { folder: 'api/http', imports: "import { x } from '../native/x.js'", oxlint: false, cruiser: true },
  { folder: 'worker', imports: "import { x } from '../requests/x.js'", oxlint: false, cruiser: true },
  { folder: 'simulator', imports: "import { x } from '../domain/x.js'", oxlint: false, cruiser: true },
  { folder: 'client', imports: "import { x } from '../domain/x.js'", oxlint: false, cruiser: true },
  { folder: 'client', imports: "import { readFileSync as x } from 'node:fs'", oxlint: true, cruiser: false },
  { folder: 'cli', imports: "import { x } from '../requests/x.js'", oxlint: false, cruiser: true },
  { folder: 'runtime', imports: "import { x } from '../store/x.js'", oxlint: false, cruiser: true },
  { folder: 'api', imports: "import { x } from '../test/x.js'", oxlint: true, cruiser: true },
  { folder: 'domain', imports: "import { x } from './offence-22.js'", oxlint: false, cruiser: true },
  { folder: 'domain/hosts', imports: "import { x } from '../vms/x.js'", oxlint: false, cruiser: true },
  {
    folder: 'store/identity',
    imports: "import type { x } from '../../schemas/vms/x.js'",
    oxlint: false,
    cruiser: true,
  },
];

/** What no room but the store may know of MongoDB. */
const known = [
  { folder: 'requests', imports: "import { x } from 'mongoose'", oxlint: false, cruiser: true },
  { folder: 'activities/vms', imports: "import type { x } from 'mongoose'", oxlint: false, cruiser: true },
  { folder: 'api', imports: "import type { x } from 'mongodb'", oxlint: false, cruiser: true },
  { folder: 'runtime', imports: "import { x } from 'mongoose'", oxlint: false, cruiser: true },
  { folder: 'requests', imports: "import { x } from '../store/mongo/transaction.js'", oxlint: true, cruiser: false },
  { folder: 'activities', imports: "import { x } from '../store/mongo/transaction.js'", oxlint: true, cruiser: false },
  { folder: 'requests', imports: "import { x } from '../store/x.js'", use: 'x.model', oxlint: true, cruiser: false },
];
offences.push(...known);

/** What the rules must let pass. */
const lawful = [
  { folder: 'workflows', imports: "import type { x } from '../activities/x.js'" },
  { folder: 'workflows', imports: "import { x } from '../domain/x.js'" },
  { folder: 'activities', imports: "import { x } from '../store/x.js'" },
  { folder: 'requests', imports: "import type { x } from '../workflows/x.js'" },
  { folder: 'api', imports: "import { x } from '../requests/x.js'" },
  { folder: 'api/native/vms', imports: "import type { x } from '../../../domain/vms/x.js'" },
  { folder: 'client/node', imports: "import { readFileSync as x } from 'node:fs'" },
  { folder: 'cli', imports: "import { x } from '../client/x.js'" },
  { folder: 'domain/vms', imports: "import { x } from '../hosts/x.js'" },
  { folder: 'domain', imports: "import { x } from './vms/x.js'" },
];

/** What rooms import of others by single files. */
const single = product.flatMap(({ room, files = {} }) =>
  Object.entries(files).map(([file, importers]) => ({ room, file, importers })),
);
const passingOn = (file, from, at) =>
  `export { x as x${at} } from '${relative(dirname(from), file).replace(/\.ts$/, '.js')}'`;

const rooms = [...product.map(({ room }) => room), ...development];
/** With these of their shelves. */
const shelved = ['domain/vms', 'domain/hosts', 'schemas/vms', 'api/native'];

const tool = (name) => join(root, 'node_modules', '.bin', name);

/** The report of a tool as JSON; it ends with 1 when it has found something, which is not our business here. */
function report(directory, name, args) {
  const { stdout, stderr, error } = spawnSync(tool(name), args, {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (error) throw error;
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`${name} gave no report: ${stderr || stdout}`);
  }
}

const oxlint = (directory) => report(directory, 'oxlint', ['--format', 'json', '.']);
const cruise = (directory) =>
  report(directory, 'depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', '.']);

function checkCounts() {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.ts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const modules = listed.split('\n').filter((path) => rooms.some((room) => path.startsWith(`${room}/`)));
  const seen = new Set(cruise(root).modules.map(({ source }) => source));
  const unseen = modules.filter((path) => !seen.has(path));
  const { number_of_files: linted } = oxlint(root);
  const faults = [];
  if (modules.length === 0) faults.push('there are no modules to check');
  if (unseen.length > 0) faults.push(`dependency-cruiser has not seen ${unseen.join(', ')}`);
  if (linted < modules.length) faults.push(`oxlint has seen ${linted} files of ${modules.length}`);
  return { faults, count: modules.length };
}

/** Which tools refuse which of these imports, in a little tree of their own under the same rules. */
function refusals(files) {
  const directory = mkdtempSync(join(tmpdir(), 'arcus-rooms-'));
  try {
    for (const path of ['.oxlintrc.json', '.dependency-cruiser.cjs', 'rooms.json', 'package.json', 'tsconfig.json'])
      copyFileSync(join(root, path), join(directory, path));
    const write = (path, text) => {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    };
    for (const room of [...rooms, ...shelved]) write(`${room}/x.ts`, 'export const x = 1;\n');
    for (const name of keepers.flatMap(({ packages }) => packages)) {
      write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
      write(`node_modules/${name}/index.js`, 'exports.x = 1;\n');
    }
    for (const { file } of single) write(file, 'export const x = 1;\n');
    const texts = new Map();
    for (const { path, imports: statement, use = 'x' } of files) {
      const isType = statement.startsWith('import type');
      const used = isType ? 'export type Y = typeof x;' : `export const y = ${use};`;
      texts.set(path, `${texts.get(path) ?? ''}${statement};\n${statement.startsWith('export') ? '' : used}\n`);
    }
    for (const [path, text] of texts) write(path, text);
    const linted = oxlint(directory).diagnostics.filter(({ code }) =>
      /no-restricted-(imports|properties)/.test(code ?? ''),
    );
    const cruised = cruise(directory).summary.violations.filter(({ rule }) => rule.severity === 'error');
    return {
      oxlint: new Set(linted.map(({ filename }) => filename)),
      cruiser: new Set(cruised.map(({ from }) => from)),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function checkRules() {
  const all = [
    ...offences.map((offence, at) => ({ ...offence, path: `${offence.folder}/offence-${at}.ts` })),
    ...lawful.map((law, at) => ({ ...law, oxlint: false, cruiser: false, path: `${law.folder}/lawful-${at}.ts` })),
    ...single.flatMap(triedOnFile),
  ];
  const refused = refusals(all);
  const faults = all.flatMap(({ path, imports, ...expected }) =>
    ['oxlint', 'cruiser']
      .filter((name) => refused[name].has(path) !== expected[name])
      .map((name) => `${name} ${expected[name] ? 'lets' : 'forbids'} ${path} ${imports}`),
  );
  return { faults, count: all.length };
}

/** A file that one room imports of another: those who are named may, others of the room may not. */
function triedOnFile({ file, importers, room }, at) {
  const lawful = importers.map((by) => (by.endsWith('/') ? `${by}lawful-${at}.ts` : by));
  const unlawful = importers.includes(`${room}/`) ? [] : [`${room}/offence-of-file-${at}.ts`];
  return [
    ...lawful.map((path) => ({ path, imports: passingOn(file, path, at), oxlint: false, cruiser: false })),
    ...unlawful.map((path) => ({ path, imports: passingOn(file, path, at), oxlint: false, cruiser: true })),
  ];
}

const { faults, count } = checkCounts();
if (JSON.stringify(withRoomRules(lintConfig())) !== JSON.stringify(lintConfig()))
  faults.push('.oxlintrc.json is not what rooms.json makes of it: run node .ci/lint-rules.mjs');
// A face that is not named is no face to any rule: its shelves keep to no order, and others may import it.
const { faces } = JSON.parse(readFileSync(join(root, 'rooms.json'), 'utf8'));
for (const { name } of readdirSync(join(root, 'api'), { withFileTypes: true }).filter((entry) => entry.isDirectory()))
  if (name !== 'http' && !faces.includes(name)) faults.push(`api/${name} is not among the faces of rooms.json`);
const rules = checkRules();
faults.push(...rules.faults);
for (const fault of faults) console.error(fault);
console.log(`${count} modules seen, ${rules.count} imports tried, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
