// No regular expression of the sources may backtrack: each is given to recheck, which finds those whose work grows faster
// than the text that they look at, and a text that shows it. Also shows that it bites: a check that finds no expressions,
// or lets all pass, is content just like one that has looked.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'rolldown/experimental';

// Its checker in JavaScript; those in Java and native code are options that nobody has to have.
process.env.RECHECK_BACKEND = 'pure';
const { checkSync } = await import('recheck');

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const patience = 120_000;

/** What makes expressions of texts, and why that is all right. */
const makers = {
  'domain/glob.ts': 'a star takes what it finds for good: test/domain/glob.test.ts',
};

/** Sources that cannot be meant. */
const notOurs = /^(?:test|dist|docs)\//;

const offences = [
  'const a = /^(?:[a-z]{3}|\\d+|[*,/-])+$/i;',
  'const a = /"(?:[^"\\\\]|\\\\.)*"|[[{]|[\\]}]/gs;',
  'const a = text.replace(/\\/+$/, "");',
  'const a = z.string().regex(/^(\\w+\\s?)*$/);',
  'const a = new RegExp("^(a+)+$");',
  'const a: RegExp = new RegExp("^" + name);',
  'const a = RegExp(name);',
];
const lawful = [
  'const a = /^[a-z]{1,9}$/;',
  'const a = /^(?:[a-z]{3}|[\\d*,/-])+$/i;',
  'const a = new RegExp("^a+$");',
  'const a = b / c / d;',
];

/** Every expression of a source, where it stands; `source` is undefined where it is made when the program runs. */
function patternsIn(path, text) {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} cannot be read: ${errors[0].message}`);
  const found = [];
  const at = (node) => `${path}:${text.slice(0, node.start).split('\n').length}`;
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    if (node.regex) found.push({ at: at(node), source: node.regex.pattern, flags: node.regex.flags });
    if (/^(?:New|Call)Expression$/.test(node.type) && node.callee.name === 'RegExp') {
      const [source, flags] = node.arguments.map((one) => (typeof one.value === 'string' ? one.value : undefined));
      found.push({ at: at(node), source, flags: flags ?? '' });
    }
    for (const value of Object.values(node)) visit(value);
  };
  visit(program);
  return found;
}

const judged = new Map();
/** What is wrong with an expression, or undefined. */
function faultOf(path, { source, flags }) {
  if (source === undefined)
    return Object.hasOwn(makers, path)
      ? undefined
      : 'is made when the program runs: write it out, or say in .ci/check-patterns.mjs why not';
  const key = `/${source}/${flags}`;
  if (!judged.has(key)) {
    const { status, complexity, attack, error } = checkSync(source, flags, { timeout: patience });
    judged.set(
      key,
      status === 'safe'
        ? undefined
        : `${key} is ${status}: ${complexity?.summary ?? error?.kind}${attack ? `, as with ${attack.pattern}` : ''}`,
    );
  }
  return judged.get(key);
}

const faultsIn = (path, text) =>
  patternsIn(path, text).flatMap((pattern) => {
    const fault = faultOf(path, pattern);
    return fault === undefined ? [] : [`${pattern.at} ${fault}`];
  });

const sources = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.ts', '*.mjs', '*.js'],
  {
    cwd: root,
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((path) => path !== '' && path !== '.ci/check-patterns.mjs' && !path.endsWith('.d.ts') && !notOurs.test(path));

const seen = sources.flatMap((path) => patternsIn(path, readFileSync(join(root, path), 'utf8')));
const faults = sources.flatMap((path) => faultsIn(path, readFileSync(join(root, path), 'utf8')));
if (seen.length < 50) faults.push(`only ${seen.length} expressions were found`);
for (const text of offences) if (faultsIn('domain/offence.ts', text).length === 0) faults.push(`this passes: ${text}`);
for (const text of lawful) faults.push(...faultsIn('domain/lawful.ts', text));
for (const fault of faults) console.error(fault);
console.log(
  `${seen.length} regular expressions seen, ${offences.length + lawful.length} tried, ${faults.length} faults`,
);
process.exitCode = faults.length === 0 ? 0 : 1;
