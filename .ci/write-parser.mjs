#!/usr/bin/env node
// Makes the parser of requirement and rank expressions from its grammar. An argument names another folder to write to.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join('domain', 'expressions', 'grammar.peggy');
const target = resolve(process.argv[2] ?? join(root, dirname(source)));

mkdirSync(target, { recursive: true });
if (target !== join(root, dirname(source))) copyFileSync(join(root, source), join(target, 'grammar.peggy'));
const types = {
  Requirement: `import('./syntax.js').Chain | null`,
  Rank: `import('./syntax.js').Rank | null`,
};
execFileSync(
  process.execPath,
  [
    join(root, 'node_modules', 'peggy', 'bin', 'peggy.js'),
    ...['--format', 'es', '--dts', '--return-types', JSON.stringify(types)],
    ...['--allowed-start-rules', Object.keys(types).join(',')],
    ...['--output', join(relative(root, target), 'grammar.js'), join(relative(root, target), 'grammar.peggy')],
  ],
  { cwd: root, stdio: 'inherit' },
);
