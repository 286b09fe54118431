import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Runs Node.js 24 with this script's arguments: a step of CI. The npm package `node` brings it, into the cache, because in
// node_modules/.bin it would be in front of the Node.js that everything else runs on.
const version = '24.21.0';
const directory = join(process.env.ARCUS_CACHE ?? join(homedir(), '.arcus', 'cache'), `node-${version}`);
const binary = join(directory, 'node_modules', 'node', 'bin', 'node');

if (!existsSync(binary)) {
  console.error(`arcus: installing Node.js ${version} with npm`);
  mkdirSync(directory, { recursive: true });
  const manifest = { private: true, dependencies: { node: version }, allowScripts: { node: true } };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: directory, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
// Everything is installed and built by then, with the other Node.js.
const environment = { ...process.env, ARCUS_PREPARED: '1' };
const { status } = spawnSync(binary, process.argv.slice(2), { stdio: 'inherit', env: environment });
process.exit(status ?? 1);
