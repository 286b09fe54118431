import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a compiled program of this checkout, with this process's arguments; installs and builds first when nothing is built. */
export async function launch(module) {
  const program = join(root, 'dist', module);
  if (!existsSync(program)) {
    // What that says goes to stderr: the program's own output may be read by another program.
    const bootstrap = join(root, 'runtime', 'bootstrap.mjs');
    const { status } = spawnSync(process.execPath, [bootstrap, 'compile'], { stdio: ['ignore', 2, 2] });
    if (status !== 0) process.exit(status ?? 1);
  }
  process.setSourceMapsEnabled(true);
  await import(program);
}
