import { Command, CommanderError, Option } from 'commander';
import { z } from 'zod';
import { version } from '../adapters/process/checkout.js';
import type { Client } from '../client/client.js';
import { printableLines } from '../schemas/common/printable.js';
import { applyCommand } from './apply/apply.js';
import { fsckCommand } from './consistency/fsck.js';
import { loginCommand, logoutCommand } from './identity/login.js';
import type { Person } from './identity/person.js';
import { whoamiCommand } from './identity/whoami.js';
import { nouns } from './kinds.js';
import { writtenOut } from './shell/abbreviation.js';
import { createApiClient, whileRestarted } from './shell/api-client.js';
import { asking } from './shell/asking.js';
import { addLeaf, addNoun, type Context, complained, type Leaf } from './shell/command.js';
import { Complaint, exitCodes, exitMeanings, Interrupted } from './shell/complaint.js';
import { completeCommand, completionCommand } from './shell/completion.js';
import { connectionOf } from './shell/connection.js';
import { doctorCommand } from './shell/doctor.js';
import { outputs } from './shell/output.js';

export type Surroundings = Pick<Context, 'environment' | 'out' | 'err' | 'width' | 'terminal' | 'screen' | 'now'> & {
  person: Person | null;
  /** All that is piped in; by default what standard input says. */
  piped?: () => string;
};

const Options = z.object({
  output: z.enum(outputs),
  endpoint: z.string().optional(),
  context: z.string().optional(),
  yes: z.boolean().default(false),
  input: z.boolean(),
});

/** The whole command line. Leaves throw Complaints; `exitCodeOf` says what becomes of them. */
export function createProgram(given: Surroundings): Command {
  // Whatever a command prints, and did not think of.
  const out = (text: string): void => given.out(printableLines(text));
  const err = (text: string): void => given.err(printableLines(text));
  const surroundings: Surroundings = { ...given, out, err };
  const program = new Command('arcus')
    .description('Runs applications made of many virtual machines.')
    .version(`arcus ${version()}`, '-V, --version', 'print the version')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(outputs).default('table'))
    .option('--context <name>', 'the context to use (default: the current one)')
    .option('--endpoint <url>', 'the server (default: ARCUS_ENDPOINT, else of the context, else of this machine)')
    .option('-y, --yes', 'do not ask before something is ended or removed')
    .option('--no-input', 'ask nothing: refuse where a question would be asked')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => out(text.trimEnd()),
      writeErr: (text) => err(text.trimEnd()),
      outputError: complained,
    })
    .showHelpAfterError('Add --help to see how it is used.')
    .exitOverride()
    .addHelpText('after', help);

  const run = async (leaf: Leaf, command: Command): Promise<void> => {
    const { output, endpoint, context: named, yes, input } = Options.parse(program.opts());
    const options = { endpoint, context: named };
    let client: Client | undefined;
    const context: Context = {
      ...surroundings,
      ...asking({ ...surroundings, yes, input }),
      client: () => {
        client ??= createApiClient(connectionOf(surroundings.environment, options), whileRestarted);
        return client;
      },
      format: output === 'wide' ? 'table' : output,
      wide: output === 'wide',
      options,
    };
    await leaf.run(context, command.args, command.opts());
  };
  for (const { noun, summary, leaves } of nouns) addNoun(program, noun, summary, leaves, run);
  addLeaf(program, applyCommand, run);
  addLeaf(program, completionCommand, run);
  addLeaf(program, completeCommand(program), run);
  addLeaf(program, loginCommand, run);
  addLeaf(program, logoutCommand, run);
  addLeaf(program, whoamiCommand, run);
  addLeaf(program, doctorCommand, run);
  addLeaf(program, fsckCommand, run);
  return program;
}

/** Runs one command line; its words may be abbreviated. */
export async function runProgram(words: readonly string[], surroundings: Surroundings): Promise<void> {
  const program = createProgram(surroundings);
  await program.parseAsync(writtenOut(program, words), { from: 'user' });
}

/** Exit codes in two columns. */
function codesText(): string {
  const codes = exitMeanings.map(([code, meaning]) => `${code} ${meaning}`);
  const half = Math.ceil(codes.length / 2);
  const width = Math.max(...codes.slice(0, half).map((text) => text.length));
  const lines = codes.slice(0, half).map((text, at) => `  ${text.padEnd(width)}   ${codes[half + at] ?? ''}`);
  return lines.map((line) => line.trimEnd()).join('\n');
}

const help = `
Environment:
  ARCUS_ENDPOINT  the server, such as http://127.0.0.1:9869
  ARCUS_AUTH      name:password, a token, or a file that holds one
                  (default: auth in ARCUS_HOME)
  ARCUS_HOME      home of an Arcus on this machine (default: ~/.arcus)
  ARCUS_CA        file with authorities to believe over https, besides the known
  NO_COLOR        set: no colours

They go before the contexts of ~/.config/arcus/config.yaml, and options before
them; what counts is told by: arcus context current
Commands and names may be cut short where they stay unique: arcus serv li

Exit codes:
${codesText()}

Examples:
  $ arcus service list
  $ arcus service show my_service
  $ arcus service-template instantiate my_service --wait`;

/** Prints what a command ended with, and returns the code to exit with. A fault of this program is named as one. */
export function exitCodeOf(error: unknown, err: (text: string) => void): number {
  if (error instanceof Interrupted) return exitCodes.detached;
  // Commander has printed its message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const complaint =
    error instanceof Complaint
      ? error
      : new Complaint(
          'failure',
          `This is a fault in arcus: ${error instanceof Error ? error.message : String(error)}.`,
          { next: 'Please report it, with the command that you gave.' },
        );
  err(printableLines(complaint.lines().join('\n')));
  return exitCodes[complaint.exit];
}
