import { Command, CommanderError, Option } from 'commander';
import { printableJson, printableLines } from '../schemas/common/printable.js';
import type { CommandContext } from './command-context.js';
import { CommandFailure, controlClient } from './control-client.js';
import { addHostCommands, addLoadCommand, addSettingsCommand } from './control-commands.js';
import { addFaultCommand } from './fault-command.js';
import { accessOf } from './kept-address.js';
import { port, span } from './option-parsers.js';
import { type RunOptions, run } from './run.js';

type ServeCommandOptions = Omit<RunOptions, 'boot'> & { boot?: RunOptions['boot'] };

function commandLine(): Command {
  const program = new Command('arcus-sim')
    .description('A simulated hypervisor: hosts and VMs that boot, work, stop and fail as they are told.')
    .addOption(
      new Option('--url <url>', 'address of the simulator (default: the one that the Arcus of this machine runs)').env(
        'ARCUS_SIMULATOR_URL',
      ),
    )
    .addOption(new Option('-o, --output <format>', 'how answers are shown').choices(['table', 'json']).default('table'))
    .addHelpText(
      'after',
      `
Examples:
  arcus-sim serve --port 9870 --directory ./simulator --boot 2s
  arcus-sim load --role worker 95
  arcus-sim fault host-1 --dead
  arcus-sim journal --vm 34

The token of the Arcus of this machine is found in its home (ARCUS_HOME); another simulator's is given in
ARCUS_SIMULATOR_TOKEN, or in a file that ARCUS_SIMULATOR_TOKEN_FILE names.

Exit codes: 0 done; 1 the simulator refused or does not answer; 2 the command is not valid.`,
    )
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    // It repeats what was typed, or pasted.
    .configureOutput({
      writeOut: (text) => process.stdout.write(printableLines(text)),
      writeErr: (text) => process.stderr.write(printableLines(text)),
    })
    .exitOverride();
  const context: CommandContext = {
    client: () => controlClient(accessOf(program.opts<{ url?: string }>().url, process.env)),
    show: (value, text) => {
      const json = program.opts<{ output: string }>().output === 'json';
      process.stdout.write(`${json ? printableJson(JSON.stringify(value, null, 2)) : printableLines(text)}\n`);
    },
  };
  program
    .command('serve')
    .summary('serve simulated hosts, until SIGTERM')
    .description(
      'What it simulates is kept in the directory, across restarts and crashes; and so is the token that everybody has to bring, in the file token, unless ARCUS_SIMULATOR_TOKEN or ARCUS_SIMULATOR_TOKEN_FILE gives one.',
    )
    .option('--port <port>', 'port to listen on; 0: a free one', port, 9870)
    .option('--listen <address>', 'address to listen on; nothing is encrypted', '127.0.0.1')
    .option('--directory <dir>', 'where everything is kept; one simulator a directory', './arcus-simulator')
    .option('--boot <time>', 'time that a boot takes from now on, such as 2s or 500ms-2s', span)
    .addOption(
      new Option('--log-level <level>', 'how much is logged')
        .choices(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .default('info')
        .env('ARCUS_LOG_LEVEL'),
    )
    .action((options: ServeCommandOptions) => run({ boot: undefined, ...options }));
  addHostCommands(program, context);
  addLoadCommand(program, context);
  addFaultCommand(program, context);
  addSettingsCommand(program, context);
  return program;
}

// `arcus-sim journal | head` is no error.
process.stdout.on('error', () => process.exit(0));

try {
  await commandLine().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof CommandFailure) {
    process.stderr.write(`arcus-sim: ${printableLines(error.message)}\n`);
    process.exitCode = 1;
  } else {
    process.stderr.write(
      `arcus-sim: something went wrong: ${printableLines(error instanceof Error ? error.message : String(error))}\n`,
    );
    process.exitCode = 1;
  }
}
