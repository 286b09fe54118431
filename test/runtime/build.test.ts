import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkout } from '../../adapters/process/checkout.js';
import { ownDirectory } from '../support/directories.js';
import { launch } from '../support/processes.js';

const buildModule = join(checkout, 'runtime', 'build', 'build.mjs');

/** A checkout with one source file. */
function newCheckout(): { root: string; write: (path: string, source: string) => void } {
  const root = ownDirectory();
  for (const folder of ['runtime/build', 'schemas', 'domain']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(buildModule, join(root, 'runtime', 'build', 'build.mjs'));
  copyFileSync(join(checkout, 'package-lock.json'), join(root, 'package-lock.json'));
  const write = (path: string, source: string) => writeFileSync(join(root, path), source);
  write('schemas/one.ts', 'export const one: number = 1;\n');
  return { root, write };
}

async function build(root: string): Promise<string> {
  const script = `import { build } from ${JSON.stringify(pathToFileURL(buildModule).href)};
    await build(${JSON.stringify(root)}, { development: true }, console.log);`;
  const { exit, text } = launch(process.execPath, ['--input-type=module', '-e', script]);
  expect(await exit, text()).toBe(0);
  return text();
}

const outputOf = (root: string, path: string) => readFileSync(join(root, 'dist', path), 'utf8');

describe('the build', () => {
  it('takes the types away, keeps modules, and does nothing while nothing has changed', async () => {
    const { root, write } = newCheckout();
    write(
      'domain/two.ts',
      "import type { Nothing } from './nothing.js';\nimport { one } from '../schemas/one.js';\nexport const two: number | Nothing = one + 1;\n",
    );
    expect(await build(root)).toMatch(/^building\nbuilt in /);
    expect(outputOf(root, 'domain/two.js')).toContain("import { one } from '../schemas/one.js'");
    expect(outputOf(root, 'domain/two.js')).not.toContain('nothing');
    expect(await build(root)).toBe('');
  });

  it('builds again what has changed, and removes what has gone', async () => {
    const { root, write } = newCheckout();
    write('domain/two.ts', 'export const two = 2;\n');
    await build(root);
    write('schemas/one.ts', 'export const one: number = 11;\n');
    rmSync(join(root, 'domain', 'two.ts'));
    await build(root);
    expect(outputOf(root, 'schemas/one.js')).toContain('11');
    expect(existsSync(join(root, 'dist', 'domain', 'two.js'))).toBe(false);
  });

  it('may run twice at once', async () => {
    const { root, write } = newCheckout();
    for (let number = 0; number < 40; number++)
      write(`domain/file-${number}.ts`, `export const value: number = ${number};\n`);
    await Promise.all([build(root), build(root), build(root)]);
    for (let number = 0; number < 40; number++)
      expect(outputOf(root, `domain/file-${number}.js`)).toContain(`value = ${number}`);
    expect(await build(root)).toBe('');
  });

  it('goes on where a killed build has left its lock', async () => {
    const { root } = newCheckout();
    mkdirSync(join(root, 'node_modules'));
    writeFileSync(join(root, 'node_modules', '.arcus-lock'), '4194305');
    await build(root);
    expect(outputOf(root, 'schemas/one.js')).toContain('one = 1');
  });
});
