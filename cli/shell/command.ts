import type { Command } from 'commander';
import type { z } from 'zod';
import type { Client } from '../../client/client.js';
import { Complaint } from './complaint.js';
import type { ConnectionOptions } from './connection.js';
import type { Environment } from './environment.js';
import type { Format } from './output.js';
import type { Screen } from './screen.js';
import type { Terminal } from './terminal.js';

/** What a command works with. Data goes to `out`, all else to `err`. */
export type Context = {
  /** Made at first use: a command that asks no server needs no credentials. */
  client: () => Client;
  /** `-o wide` is a table too, with the columns that are marked so. */
  format: Format;
  wide: boolean;
  out: (text: string) => void;
  err: (text: string) => void;
  /** Columns of the terminal that `out` writes to; null: it is none, and nothing is wrapped. */
  width: () => number | null;
  /** The terminal that `err` writes to; null: it is none, and nothing is drawn over. */
  terminal: Terminal | null;
  /** The whole terminal that `out` writes to, to be drawn over; null: it is none. */
  screen: Screen | null;
  /** Before what ends or removes something: asks whoever sits at a terminal. Throws a Complaint when it is not to be done. */
  confirm: (question: () => Promise<string>) => Promise<void>;
  /** What a person at a terminal types; null: nobody is there, or is to be asked. */
  ask: ((question: string) => Promise<string>) | null;
  /** What is secret comes from a prompt or, where nobody can be asked, from standard input; never from the arguments. */
  secret: (question: string) => Promise<string>;
  /** The same for what is to be remembered: people type it twice. */
  newSecret: (question: string) => Promise<string>;
  environment: Environment;
  /** Which server is asked, as far as options say so. */
  options: ConnectionOptions;
  now: () => Date;
};

/** One command of the tree: `arcus <noun> <usage>`. Its help shows the examples. */
export type Leaf = {
  usage: string;
  summary: string;
  examples: readonly string[];
  options: readonly (readonly [flags: string, description: string])[];
  /** Other names under which people look for it. */
  aliases?: readonly string[];
  /** Used by shells, not by people: the help does not show it. */
  hidden?: boolean;
  run: (context: Context, args: readonly string[], options: unknown) => Promise<void>;
};

/** Makes a leaf whose options are checked by a schema before it runs. */
export function leaf<S extends z.ZodType>(
  spec: Omit<Leaf, 'run' | 'options'> & {
    options?: Leaf['options'];
    schema: S;
    run: (context: Context, args: readonly string[], options: z.output<S>) => Promise<void>;
  },
): Leaf {
  return {
    ...spec,
    options: spec.options ?? [],
    run: async (context, args, options) => {
      const parsed = spec.schema.safeParse(options);
      if (parsed.success) return spec.run(context, args, parsed.data);
      const [issue] = parsed.error.issues;
      throw new Complaint('usage', `--${flagOf(issue?.path[0])}: ${issue?.message ?? 'is not valid'}.`, {
        next: 'Add --help to see how it is used.',
      });
    },
  };
}

const flagOf = (name: PropertyKey | undefined): string =>
  String(name).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Adds a noun with its commands. */
export function addNoun(
  program: Command,
  noun: string,
  summary: string,
  leaves: readonly Leaf[],
  run: (leaf: Leaf, command: Command) => Promise<void>,
): void {
  const group = program.command(noun).description(summary);
  for (const item of leaves) addLeaf(group, item, run);
}

/** What commander says of a command line, as this program says it. */
export const complained = (text: string, write: (text: string) => void): void =>
  write(text.replace(/^error: /, 'arcus: '));

/** Adds one command below another. */
export function addLeaf(parent: Command, item: Leaf, run: (leaf: Leaf, command: Command) => Promise<void>): void {
  const command = parent.command(item.usage, { hidden: item.hidden ?? false }).description(item.summary);
  command.aliases(item.aliases ?? []);
  if (item.options.some(([flags]) => flags.startsWith('-f, --file')))
    command.configureOutput({
      outputError: (text, write) =>
        complained(text.includes('too many arguments') ? `${text}A file is named with -f.\n` : text, write),
    });
  for (const [flags, description] of item.options) command.option(flags, description);
  command.addHelpText('after', `\nExamples:\n${item.examples.map((example) => `  $ ${example}`).join('\n')}`);
  command.action(() => run(item, command));
}
