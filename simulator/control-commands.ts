import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { type CounterName, eachCounter } from '../schemas/hosts/metrics.js';
import {
  JournalPage,
  LoadRule,
  LoadRules,
  SimulatedDomain,
  SimulatedHost,
  SimulatedHosts,
  SimulatorSettings,
} from '../schemas/hosts/simulator.js';
import type { CommandContext } from './command-context.js';
import { CommandFailure } from './control-client.js';
import { duration, percent, span, wholeNumber } from './option-parsers.js';
import { domainsTable, hostsTable, journalTable, loadTable, settingsTable } from './tables.js';

const HostWithDomains = SimulatedHost.extend({ domains: z.array(SimulatedDomain) });

/** The commands that look at hosts and guests, and the journal. */
export function addHostCommands(program: Command, { client, show }: CommandContext): void {
  program
    .command('hosts')
    .description('Lists the hosts with what they have, what is used, how many calls wait and what is wrong.')
    .action(async () => {
      const { items } = await client().ask(SimulatedHosts, 'GET', '/hosts');
      show(items, hostsTable(items));
    });
  program
    .command('vms')
    .description('Lists the VMs of a host with their state and what they use.')
    .argument('<host>', 'name of the host')
    .action(async (name: string) => {
      const { domains } = await client().ask(HostWithDomains, 'GET', `/hosts/${encodeURIComponent(name)}`);
      show(domains, domainsTable(domains));
    });
  program
    .command('guest')
    .summary('make a guest stop by itself, crash or run again')
    .description('Makes a guest stop by itself (stopped), crash (failed) or run again (running).')
    .argument('<host>', 'name of the host')
    .argument('<vm>', 'id of the VM', wholeNumber)
    .addArgument(new Argument('<state>', 'what becomes of it').choices(['running', 'stopped', 'failed']))
    .addHelpText('after', '\nExample:\n  arcus-sim guest host-1 34 failed')
    .action(async (name: string, vm: number, state: string) => {
      const path = `/hosts/${encodeURIComponent(name)}/vms/${vm}`;
      const domain = await client().ask(SimulatedDomain, 'PUT', path, { state });
      show(domain, `VM ${vm} on ${name}: ${domain.state}`);
    });
  program
    .command('journal')
    .description('Shows the calls that hosts were given, oldest first, and what became of each.')
    .option('--vm <id>', 'only of this VM', wholeNumber)
    .option('--host <name>', 'only of this host')
    .option('--after <n>', 'only calls numbered above this', wholeNumber)
    .option('--limit <n>', 'at most so many', wholeNumber)
    .addHelpText(
      'after',
      '\nExamples:\n  arcus-sim journal --vm 34\n  arcus-sim journal --after 1200 --limit 50 -o json',
    )
    .action(async (options: Record<string, string | number>) => {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(options)) query.set(name, String(value));
      const page = await client().ask(JournalPage, 'GET', `/journal?${query.toString()}`);
      const more = page.next_after === null ? '' : `\n\nThere are more: --after ${page.next_after}`;
      show(page, journalTable(page.items) + more);
    });
}

type LoadOptions = {
  role?: string;
  service?: number;
  vm?: number;
  host?: string;
  memory?: number;
  for?: number;
  remove?: number;
  clear?: true;
} & Partial<Record<CounterName, number>>;

/** `arcus-sim load`: what VMs report of themselves. */
export function addLoadCommand(program: Command, { client, show }: CommandContext): void {
  program
    .command('load')
    .summary('script what VMs use')
    .description(
      'Sets how busy VMs are, in per cent of what each has, and what the counters of their networks and disks show; without arguments, lists what is set.',
    )
    .argument('[cpu]', 'CPU, 0 to 100', percent)
    .option('--role <name>', 'VMs of this role')
    .option('--service <id>', 'VMs of this service', wholeNumber)
    .option('--vm <id>', 'this VM', wholeNumber)
    .option('--host <name>', 'VMs on this host')
    .option('--memory <percent>', 'memory in use, 0 to 100', percent)
    .option('--nettx <bytes>', 'bytes sent', wholeNumber)
    .option('--netrx <bytes>', 'bytes received', wholeNumber)
    .option('--diskrdbytes <bytes>', 'bytes read from disks', wholeNumber)
    .option('--diskrdiops <count>', 'reads from disks', wholeNumber)
    .option('--diskwrbytes <bytes>', 'bytes written to disks', wholeNumber)
    .option('--diskwriops <count>', 'writes to disks', wholeNumber)
    .option('--for <time>', 'only for so long', duration)
    .option('--remove <id>', 'remove this rule', wholeNumber)
    .option('--clear', 'remove all rules')
    .addHelpText(
      'after',
      `
Of several rules that match a VM, the newest wins; one for the same VMs takes the place of the one before.

Examples:
  arcus-sim load --role worker 95
  arcus-sim load --service 12 --role worker 95 --memory 60 --for 5m
  arcus-sim load --vm 34 --netrx 1000000
  arcus-sim load --clear`,
    )
    .action(async (cpu: number | undefined, options: LoadOptions) => {
      const { memory, for: time, remove, clear, role, service, vm, host } = options;
      const given = (values: object): [string, unknown][] =>
        Object.entries(values).filter(([, value]) => value !== undefined);
      const selector = given({ role, service, vm, host });
      const counters = eachCounter((name) => options[name]);
      const scripted = given({ cpu_percent: cpu, memory_percent: memory, ...counters });
      if (scripted.length > 0) {
        if (clear || remove !== undefined) throw new CommandFailure('--clear and --remove go with no load.');
        await client().ask(LoadRule, 'PUT', '/load', {
          ...Object.fromEntries([...selector, ...scripted]),
          ...(time === undefined ? {} : { for_seconds: time / 1000 }),
        });
      } else if (clear || remove !== undefined) {
        await client().ask(z.undefined(), 'DELETE', clear ? '/load' : `/load/${remove}`);
      } else if (time !== undefined || selector.length > 0) {
        throw new CommandFailure(
          'How busy? Give the CPU in per cent, --memory, or what a counter shows, such as --netrx.',
        );
      }
      const { items } = await client().ask(LoadRules, 'GET', '/load');
      show(items, items.length === 0 ? 'No load is scripted.' : loadTable(items));
    });
}

type SettingsOptions = {
  boot?: SimulatorSettings['boot_ms'];
  shutdown?: SimulatorSettings['boot_ms'];
  seed?: number;
  role?: string;
  host?: string;
};

/** `arcus-sim settings`: how long boots and shutdowns take. */
export function addSettingsCommand(program: Command, { client, show }: CommandContext): void {
  program
    .command('settings')
    .summary('how long boots and shutdowns take')
    .description('Shows the settings, after changing what is named.')
    .option('--boot <time>', 'time that a boot takes, such as 2s or 500ms-2s', span)
    .option('--shutdown <time>', 'time that a shutdown takes that is not hard', span)
    .option('--seed <number>', 'what chooses within a range', wholeNumber)
    .option('--role <name>', 'these times only for VMs of this role')
    .option('--host <name>', 'these times only for VMs on this host')
    .addHelpText(
      'after',
      '\nExamples:\n  arcus-sim settings --boot 2s\n  arcus-sim settings --role database --boot 10s-20s',
    )
    .action(async ({ boot, shutdown, seed, role, host }: SettingsOptions) => {
      const before = await client().ask(SimulatorSettings, 'GET', '/settings');
      const times = {
        ...(boot === undefined ? {} : { boot_ms: boot }),
        ...(shutdown === undefined ? {} : { shutdown_ms: shutdown }),
      };
      const given = Object.keys(times).length > 0;
      if (!given && (role ?? host) !== undefined)
        throw new CommandFailure('--role and --host go with --boot or --shutdown.');
      if (role !== undefined && host !== undefined) throw new CommandFailure('Choose one of --role and --host.');
      const change = {
        ...(seed === undefined ? {} : { seed }),
        ...(role === undefined && host === undefined ? times : {}),
        ...(role === undefined ? {} : { roles: { ...before.roles, [role]: { ...before.roles[role], ...times } } }),
        ...(host === undefined ? {} : { hosts: { ...before.hosts, [host]: { ...before.hosts[host], ...times } } }),
      };
      const settings =
        Object.keys(change).length === 0 ? before : await client().ask(SimulatorSettings, 'PUT', '/settings', change);
      show(settings, settingsTable(settings));
    });
}
