import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exclusively } from './exclusively.mjs';

const stampIn = (root) => join(root, 'node_modules', '.arcus-dependencies.json');

/** Changes with everything that decides what an installation holds. */
function fingerprint(root) {
  const { dependencies, devDependencies, allowScripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return createHash('sha256')
    .update(JSON.stringify([process.version, process.platform, process.arch]))
    .update(JSON.stringify([dependencies, devDependencies, allowScripts]))
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** What was installed last, by the stamp in node_modules; file times would lie after a copy or a checkout. */
function installed(root) {
  try {
    const { of, development } = JSON.parse(readFileSync(stampIn(root), 'utf8'));
    return of === fingerprint(root) ? { development } : null;
  } catch {
    return null;
  }
}

function runNpm(root, args) {
  // npm tells its scripts which npm runs them: the same one then serves, on Windows-like PATHs too.
  const cli = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const [command, ...before] = cli;
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...before, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', () => reject(new Error('npm was not found on PATH: install it, it comes with Node.js')));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`npm ${args.join(' ')} failed (${code}):\n${Buffer.concat(output).toString().trim()}`));
    });
  });
}

/**
 * Installs what package.json names, unless the stamp says that it is there. `npm install`, not `npm ci`: a lock file made
 * where a registry lacks some platforms' binaries is refused by the latter.
 */
export async function ensureDependencies(root, { development }, say) {
  const enough = () => {
    const present = installed(root);
    return present !== null && (present.development || !development);
  };
  if (enough()) return;
  await exclusively(join(root, 'node_modules', '.arcus-lock'), say, async () => {
    if (enough()) return;
    const begin = Date.now();
    say(development ? 'installing dependencies, with those for development' : 'installing dependencies');
    const args = ['install', '--no-audit', '--no-fund', '--no-save'];
    await runNpm(root, development ? [...args, '--include=dev'] : [...args, '--omit=dev']);
    writeFileSync(stampIn(root), JSON.stringify({ of: fingerprint(root), development }));
    say(`dependencies installed in ${Math.round((Date.now() - begin) / 1000)} s`);
  });
}
