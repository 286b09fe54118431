import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Runs a Node.js of the major version that is its first argument with the others: a step of CI. The npm package `node` brings it, into the cache, because in
// node_modules/.bin it would be in front of the Node.js that everything else runs on.
const versions = { 22: '22.23.3', 24: '24.21.0' };
const [, , major, ...rest] = process.argv;
const version = versions[major];
if (version === undefined) throw new Error(`the first argument is one of ${Object.keys(versions).join(', ')}`);
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
const { status } = spawnSync(binary, rest, { stdio: 'inherit', env: environment });
process.exit(status ?? 1);
