import { Command, CommanderError, Option } from 'commander';
import { createApiClient } from './api-client.js';
import { addLeaf, addNoun, type Context, type Leaf } from './command.js';
import { clusterCommands } from './commands/cluster.js';
import { doctorCommand } from './commands/doctor.js';
import { fsckCommand } from './commands/fsck.js';
import { hostCommands } from './commands/host.js';
import { operationCommands } from './commands/operation.js';
import { quotaCommands } from './commands/quota.js';
import { serviceCommands } from './commands/service.js';
import { serviceTemplateCommands } from './commands/service-template.js';
import { vmCommands } from './commands/vm.js';
import { vmTemplateCommands } from './commands/vm-template.js';
import { Complaint, exitCodes } from './complaint.js';
import { connectionOf } from './connection.js';
import { type Format, formats } from './output.js';
import { version } from './version.js';

export type Surroundings = {
  environment: Readonly<Record<string, string | undefined>>;
  out: (text: string) => void;
  err: (text: string) => void;
  width: Context['width'];
  terminal: Context['terminal'];
  now: () => Date;
};

const nouns: readonly (readonly [noun: string, summary: string, leaves: readonly Leaf[]])[] = [
  ['service', 'Services: applications made of many VMs', serviceCommands],
  ['service-template', 'Descriptions from which services are deployed', serviceTemplateCommands],
  ['vm', 'Virtual machines', vmCommands],
  ['vm-template', 'Descriptions from which VMs are made', vmTemplateCommands],
  ['host', 'Hosts that VMs run on', hostCommands],
  ['cluster', 'Hosts that belong together', clusterCommands],
  ['operation', 'What is being done, and what has been', operationCommands],
  ['quota', 'How much users and groups may have, and have', quotaCommands],
];

/** The whole command line. Leaves throw Complaints; `exitCodeOf` says what becomes of them. */
export function createProgram({ environment, out, err, width, terminal, now }: Surroundings): Command {
  const program = new Command('arcus')
    .description('Runs applications made of many virtual machines.')
    .version(`arcus ${version()}`, '-V, --version', 'print the version')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default('table'))
    .option('--endpoint <url>', 'the server (default: ARCUS_ENDPOINT, else the Arcus of this machine)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => out(text.trimEnd()), writeErr: (text) => err(text.trimEnd()) })
    .showHelpAfterError('Add --help to see how it is used.')
    .exitOverride()
    .addHelpText('after', help);

  const run = async (leaf: Leaf, command: Command): Promise<void> => {
    const { endpoint } = program.opts<{ endpoint?: string }>();
    const { output } = program.opts<{ output: Format }>();
    let client: ReturnType<typeof createApiClient> | undefined;
    const context: Context = {
      client: () => {
        client ??= createApiClient(connectionOf(environment, endpoint));
        return client;
      },
      format: output,
      out,
      err,
      width,
      terminal,
      now,
    };
    await leaf.run(context, command.args, command.opts());
  };
  for (const [noun, summary, leaves] of nouns) addNoun(program, noun, summary, leaves, run);
  addLeaf(program, doctorCommand, run);
  addLeaf(program, fsckCommand, run);
  return program;
}

const help = `
Environment:
  ARCUS_ENDPOINT  the server, such as http://127.0.0.1:9869
  ARCUS_AUTH      name:password, or a file that holds it (default: auth in ARCUS_HOME)
  ARCUS_HOME      home of an Arcus on this machine (default: ~/.arcus)
  NO_COLOR        set: no colours

Exit codes:
  0 done   1 failed   2 wrong use or invalid input   3 no such object   4 not possible now
  5 not allowed   6 no answer from the server   7 it waits for you: answer it   130 detached by Ctrl-C

Examples:
  $ arcus service list
  $ arcus service show my_service
  $ arcus service-template instantiate my_service --wait`;

/** Prints what a command ended with, and returns the code to exit with. A fault of this program is named as one. */
export function exitCodeOf(error: unknown, err: (text: string) => void): number {
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
  err(complaint.lines().join('\n'));
  return exitCodes[complaint.exit];
}
