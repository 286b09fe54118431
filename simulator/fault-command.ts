import { type Command, Option } from 'commander';
import { PutFaults, SimulatedHost } from '../schemas/hosts/simulator.js';
import type { CommandContext } from './command-context.js';
import { CommandFailure } from './control-client.js';
import { duration, ids, share, wholeNumber } from './option-parsers.js';
import { faultsText } from './tables.js';

type FaultOptions = {
  dead?: true;
  hang?: true;
  latency?: number;
  errorRate?: number;
  errorWhen?: 'before' | 'after' | 'either';
  seed?: number;
  failDeploys?: number | true;
  refuseDeploys?: number | true;
  lose?: number[];
  heal?: true;
  running?: true;
};

/** `arcus-sim fault HOST …`: what is named is what the host suffers from then on. */
export function addFaultCommand(program: Command, context: CommandContext): void {
  program
    .command('fault')
    .summary('make a host slow, faulty, hanging or dead, and heal it')
    .description('What is named is all that is wrong with the host from now on; without options, shows its faults.')
    .argument('<host>', 'name of the host')
    .option('--dead', 'calls fail and its VMs stop')
    .option('--hang', 'calls are not answered until it is healed')
    .option('--latency <time>', 'every call takes this much longer', duration)
    .option('--error-rate <share>', 'share of calls that fail, 0 to 1; the same calls each time, by --seed', share)
    .addOption(
      new Option('--error-when <when>', 'failing calls did nothing, or their work and only the answer is lost').choices(
        ['before', 'after', 'either'],
      ),
    )
    .option('--seed <number>', 'what chooses the calls that fail', wholeNumber)
    .option('--fail-deploys [times]', 'deploys fail in a way worth another try', wholeNumber)
    .option('--refuse-deploys [times]', 'deploys are refused for good', wholeNumber)
    .option('--lose <ids>', 'these VMs vanish now, without a trace', ids)
    .option('--heal', 'nothing is wrong any more; VMs of a dead host stay stopped')
    .option('--running', 'with --heal: VMs of a dead host run again')
    .addHelpText(
      'after',
      `
Examples:
  arcus-sim fault host-1 --dead
  arcus-sim fault host-1 --latency 200ms --error-rate 0.3
  arcus-sim fault host-1 --lose 12,13
  arcus-sim fault host-1 --heal --running`,
    )
    .action(async (name: string, options: FaultOptions) => {
      const path = `/hosts/${encodeURIComponent(name)}`;
      const asked = Object.keys(options).length > 0;
      const host = asked
        ? await context.client().ask(SimulatedHost, 'PUT', `${path}/faults`, faultsOf(options))
        : await context.client().ask(SimulatedHost.omit({ domains: true }), 'GET', path);
      context.show(host.faults, `${host.name}: ${faultsText(host.faults).replace(/^none$/, 'nothing is wrong')}`);
    });
}

function faultsOf(options: FaultOptions): PutFaults {
  const { heal, running, ...wanted } = options;
  if (heal && Object.keys(wanted).length > 0) throw new CommandFailure('--heal goes with no other fault.');
  if (running && !heal) throw new CommandFailure('--running goes with --heal only.');
  if (wanted.failDeploys !== undefined && wanted.refuseDeploys !== undefined) {
    throw new CommandFailure('Choose one of --fail-deploys and --refuse-deploys.');
  }
  const deployError = wanted.failDeploys ?? wanted.refuseDeploys;
  return PutFaults.parse({
    dead: wanted.dead,
    hang: wanted.hang,
    latency_ms: wanted.latency,
    error_rate: wanted.errorRate,
    error_when: wanted.errorWhen,
    seed: wanted.seed,
    lose: wanted.lose,
    revive: running ? 'running' : 'stopped',
    deploy_error:
      deployError === undefined
        ? undefined
        : {
            retryable: wanted.refuseDeploys === undefined,
            ...(typeof deployError === 'number' ? { times: Math.max(1, deployError) } : {}),
          },
  });
}
