import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exclusively } from './exclusively.mjs';

const layout = JSON.parse(readFileSync(new URL('../../rooms.json', import.meta.url), 'utf8'));
/** The rooms that run. Tests and benchmarks are built only for those who develop: some of their files are started as processes. */
const rooms = layout.rooms.map(({ room }) => room);
const developmentRooms = layout.development;

/** Of the workflow bundle: what workflow code may import. */
const bundledRooms = ['workflows', 'domain', 'schemas'];

/** Left to be loaded when a command asks for them, which hardly any does: they are larger than all the rest together. */
const serverClients = [/^mongoose/, /^mongodb/, /^@temporalio\//, /^@grpc\//];

const hash = (...parts) => {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(part).update('\0');
  return sum.digest('hex');
};

function sourcesIn(root, names) {
  const found = new Map();
  for (const name of names) {
    if (!existsSync(join(root, name))) continue;
    for (const entry of readdirSync(join(root, name), { recursive: true })) {
      const path = join(name, String(entry));
      // What is JavaScript already is a parser that its grammar makes.
      if (/\.[jt]s$/.test(path) && !path.endsWith('.d.ts')) found.set(path, readFileSync(join(root, path), 'utf8'));
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Readers see the old file or the new one, never half of it. */
function replaceFile(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, content);
  renameSync(part, path);
}

function readManifest(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { tools: '', files: {}, bundle: '', commands: '' };
  }
}

/** Compiles one module: types go, ECMAScript modules stay. */
async function compile(swc, path, source) {
  const { code, map } = await swc.transform(source, {
    filename: path,
    sourceFileName: join(
      ...dirname(path)
        .split('/')
        .map(() => '..'),
      '..',
      path,
    ),
    sourceMaps: true,
    swcrc: false,
    configFile: false,
    module: { type: 'es6' },
    jsc: { target: 'es2022', parser: { syntax: 'typescript' }, transform: { verbatimModuleSyntax: true } },
  });
  const file = path.slice(path.lastIndexOf('/') + 1).replace(/\.ts$/, '.js');
  return { code: `${code}//# sourceMappingURL=${file}.map\n`, map };
}

async function bundleWorkflows(dist) {
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const quiet = () => {};
  const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: console.error, error: console.error };
  const workflows = (name) => join(dist, 'workflows', name);
  const { code } = await bundleWorkflowCode({
    workflowsPath: workflows('index.js'),
    preloadModules: [workflows('stack-depth.js')],
    logger,
  });
  return code;
}

/** `arcus` in few files: the two hundred that it is made of take as long to load as all that a command does. */
async function bundleCommands(dist) {
  const { build: bundle } = await import('rolldown');
  const { output } = await bundle({
    input: { main: join(dist, 'cli', 'main.js') },
    platform: 'node',
    external: serverClients,
    // Its other form asks for its parts when it runs, and they would not be there.
    resolve: { alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' } },
    logLevel: 'warn',
    write: false,
    output: { format: 'esm' },
  });
  const directory = join(dist, 'arcus');
  // The entry last: whoever starts it finds all that it loads.
  for (const { fileName, code } of output.toSorted((one, other) => Number(one.isEntry) - Number(other.isEntry)))
    replaceFile(join(directory, fileName), code);
  const current = new Set(output.map(({ fileName }) => fileName));
  for (const name of readdirSync(directory)) if (!current.has(name)) rmSync(join(directory, name));
}

/** What the sources ask for, and what of it `dist/` does not have yet. */
function look(root, dist, development) {
  const wanted = sourcesIn(root, development ? [...rooms, ...developmentRooms] : rooms);
  const tools = hash(
    readFileSync(join(root, 'package-lock.json')),
    readFileSync(join(root, 'runtime', 'build', 'build.mjs')),
  );
  const bundled = [...wanted].filter(([path]) => bundledRooms.includes(path.split('/')[0]));
  const bundleOf = wanted.has('workflows/index.ts') ? hash(tools, ...bundled.flat()) : '';
  const running = [...wanted].filter(([path]) => rooms.includes(path.split('/')[0]));
  const commandsOf = wanted.has('cli/main.ts') ? hash(tools, ...running.flat()) : '';
  const manifest = readManifest(join(dist, '.manifest.json'));
  const fresh = manifest.tools === tools;
  return {
    tools,
    bundleOf,
    commandsOf,
    manifest,
    files: fresh ? { ...manifest.files } : {},
    outdated: [...wanted].filter(([path, source]) => !fresh || manifest.files[path] !== hash(source)),
    gone: Object.keys(manifest.files).filter((path) => !wanted.has(path) && !existsSync(join(root, path))),
    isBundled: manifest.bundle === bundleOf,
    hasCommands: manifest.commands === commandsOf,
  };
}

const isCurrent = ({ outdated, gone, isBundled, hasCommands }) =>
  outdated.length === 0 && gone.length === 0 && isBundled && hasCommands;

/**
 * Brings `dist/` up to the sources: what has not changed is left alone, so that processes running from it are not disturbed.
 * `dist/workflow-bundle.js` is what workers run and `dist/build-id` its hash, once there are workflows; `dist/arcus/` is
 * what `arcus` runs.
 */
export async function build(root, { development }, say) {
  const dist = join(root, 'dist');
  if (isCurrent(look(root, dist, development))) return;
  await exclusively(join(root, 'node_modules', '.arcus-lock'), say, async () => {
    // Looked at again: while this one waited, another has built, perhaps from newer sources.
    const seen = look(root, dist, development);
    if (isCurrent(seen)) return;
    const { tools, bundleOf, commandsOf, manifest, files, outdated, gone, isBundled, hasCommands } = seen;
    const begin = Date.now();
    say('building');
    const swc = await import('@swc/core');
    const compiled = await Promise.all(
      outdated.map(async ([path, source]) => ({ path, source, output: await compile(swc, path, source) })),
    );
    for (const { path, source, output } of compiled) {
      const target = join(dist, path.replace(/\.ts$/, '.js'));
      replaceFile(`${target}.map`, output.map);
      replaceFile(target, output.code);
      files[path] = hash(source);
    }
    for (const path of gone) {
      const target = join(dist, path.replace(/\.ts$/, '.js'));
      rmSync(target, { force: true });
      rmSync(`${target}.map`, { force: true });
      delete files[path];
    }
    const kept = { tools, files, bundle: manifest.bundle, commands: manifest.commands };
    const keep = (made) => {
      Object.assign(kept, made);
      replaceFile(join(dist, '.manifest.json'), JSON.stringify(kept));
    };
    keep({});
    if (!isBundled) {
      const code = await bundleWorkflows(dist);
      replaceFile(join(dist, 'workflow-bundle.js'), code);
      replaceFile(join(dist, 'build-id'), hash(code).slice(0, 16));
      keep({ bundle: bundleOf });
    }
    if (!hasCommands) {
      await bundleCommands(dist);
      keep({ commands: commandsOf });
    }
    say(`built in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  });
}
