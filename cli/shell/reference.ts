import type { Command, Option } from 'commander';
import { createProgram } from '../program.js';
import { exitMeanings } from './complaint.js';

/** docs/cli.md: every command of the tree, as its help tells it. */
export function reference(): string {
  const program = quietProgram();
  const commands = visible(program);
  return `# The command line

<!-- Generated from the commands themselves by: node dist/cli/write-reference.js -->

\`arcus\` asks the HTTP API. Data goes to standard output, everything else to standard error; colours only to terminals,
and none with \`NO_COLOR\`. Commands, and names of objects, may be cut short where they stay unique (\`arcus serv li\`);
what ends or removes something takes an id or a whole name. Scripts should write everything out: what is unique today may
not be tomorrow.

\`97\` is an id, and so is \`'#97'\`, in quotation marks for the shell: no name is accepted that reads like one.

On a terminal, tables are no wider than it is: long names are cut and, where that is not enough, columns left out, from the
right. \`-o wide\` and pipes have every word.

## Exit codes

| Code | Meaning |
| ---- | ------- |
${exitMeanings.map(([code, , meaning]) => `| ${code} | ${cell(meaning)} |`).join('\n')}

## Which server, and as whom

An option (\`--context\`, \`--endpoint\`) goes before the environment (\`ARCUS_ENDPOINT\`, \`ARCUS_AUTH\`, \`ARCUS_HOME\`), that
before the current context of \`~/.config/arcus/config.yaml\` (or below \`XDG_CONFIG_HOME\`), and that before the Arcus of this
machine. \`arcus context current\` tells where each value comes from. The file must be readable to its owner alone.
Over \`https:\`, the authorities in the file \`ARCUS_CA\`, else in that of the context (\`--ca\`), are believed besides those
that Node.js knows. Who names a home in \`ARCUS_HOME\` and signs in there by \`arcus login\` is that user there.
Secrets are asked for or read from standard input, never given as arguments, and never shown. The credentials of the
current context are sent to its own server only.

## Questions

Before something is ended or removed, whoever sits at a terminal is asked; \`--yes\` answers beforehand. \`--no-input\` never
asks: without \`--yes\` such a command is then refused with code 2. Without a terminal nobody can be asked, and what the
command says is done: it names one object, by its id or its whole name.

## What others change meanwhile

What a command has read before it writes, it writes only when nobody has changed that since. Else it ends with code 4, and
the change of the other stays.

- \`arcus apply\` refuses when somebody has changed what the file speaks of, after it has looked: it names the object, the
  line and what was changed. What came before in the files is done, what comes after is left; see what is there, and apply
  again. Whatever else changes of an object, such as what is used of a host or a quota, is no reason to refuse.
- \`arcus vm-template update\` with a file without a name keeps the name, and refuses when the template has changed since that
  was read.
- What a question was about must still be as it was when it was asked: a template that somebody has just changed is not
  removed by a late \`y\`. Services and VMs change by themselves, and tokens by being used: they are ended all the same.

All else says what is to be and reads nothing first: \`arcus vm chmod 7 640\`, \`arcus host update host-1 --memory 8192\` or
\`arcus service-template update shop -f shop.json\` do so whatever is there.

## Options of every command

${optionTable(program.options)}

${commands.map((command) => section(command)).join('\n\n')}
`;
}

/** The tree alone: nothing of it is run. */
function quietProgram(): Command {
  const nothing = (): void => {};
  return createProgram({
    environment: {},
    out: nothing,
    err: nothing,
    width: () => null,
    terminal: null,
    screen: null,
    person: null,
    now: () => new Date(0),
  });
}

const visible = (command: Command): Command[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');

function section(command: Command): string {
  const children = visible(command);
  const summary = `## arcus ${command.name()}\n\n${sentence(command.description())}`;
  if (children.length === 0) return `${summary}\n\n${body(command, `arcus ${command.name()}`)}`;
  const parts = children.map((child) => {
    const path = `arcus ${command.name()} ${child.name()}`;
    return `### ${path}\n\n${sentence(child.description())}\n\n${body(child, path)}`;
  });
  return [summary, ...parts].join('\n\n');
}

function body(command: Command, path: string): string {
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? ` <${name}>` : ` [${name}]`;
  });
  const examples = examplesOf(command);
  const options = command.options.filter(({ hidden }) => !hidden);
  return [
    `\`\`\`\n${path}${words.join('')}${options.length > 0 ? ' [options]' : ''}\n\`\`\``,
    ...(options.length > 0 ? [optionTable(options)] : []),
    `\`\`\`\n${examples.map((example) => `$ ${example}`).join('\n')}\n\`\`\``,
  ].join('\n\n');
}

/** What the help of a command says after its options. */
function examplesOf(command: Command): string[] {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  const [, examples = ''] = text.split('Examples:\n');
  return examples
    .split('\n')
    .map((line) => line.replace(/^ {2}\$ /, ''))
    .filter((line) => line !== '');
}

const optionTable = (options: readonly Option[]): string =>
  [
    '| Option | Meaning |',
    '| ------ | ------- |',
    ...options.map(({ flags, description }) => `| \`${flags}\` | ${cell(description)} |`),
  ].join('\n');

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
const sentence = (text: string): string => `${cell(text)}.`;
