import Table from 'cli-table3';
import { printable } from '../schemas/common/printable.js';
import { counterNames } from '../schemas/hosts/metrics.js';
import type {
  Faults,
  JournalEntry,
  LoadRule,
  SimulatedDomain,
  SimulatedHost,
  SimulatorSettings,
} from '../schemas/hosts/simulator.js';
import { spanText } from './durations.js';

const bare = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

function table(head: string[], rows: (string | number)[][]): string {
  const made = new Table({ head, chars: bare, style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 } });
  made.push(...rows.map((row) => row.map((cell) => (typeof cell === 'string' ? printable(cell) : cell))));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const orDash = (value: string | number | null | undefined): string | number => value ?? '-';

export const hostsTable = (hosts: readonly SimulatedHost[]): string =>
  table(
    ['HOST', 'CORES', 'USED', 'MEMORY MB', 'USED', 'VMS', 'CALLS WAITING', 'FAULTS'],
    hosts.map(({ name, cpu, memory, used, domains, waiting, faults }) => [
      name,
      cpu / 100,
      used.cpu / 100,
      memory,
      used.memory,
      domains,
      waiting,
      faultsText(faults),
    ]),
  );

export function faultsText(faults: Faults): string {
  const { dead, hang, latency_ms, error_rate, error_when, deploy_error } = faults;
  const times =
    deploy_error?.times === undefined ? '' : deploy_error.times === 1 ? ' once' : ` ${deploy_error.times} times`;
  const words = [
    dead ? 'dead' : '',
    hang ? 'hangs' : '',
    latency_ms > 0 ? `latency ${latency_ms} ms` : '',
    error_rate > 0 ? `errors ${Math.round(error_rate * 100)} % (${error_when})` : '',
    deploy_error ? `deploys ${deploy_error.retryable ? 'fail' : 'are refused'}${times}` : '',
  ];
  return words.filter((word) => word !== '').join(', ') || 'none';
}

const title = (name: string): string => name.toUpperCase();

export const domainsTable = (domains: readonly SimulatedDomain[]): string =>
  table(
    ['VM', 'DOMAIN', 'STATE', 'EPOCH', 'CPU %', 'MEMORY MB', ...counterNames.map(title), 'DEPLOY ID'],
    domains.map((one) => [
      ...[one.vm, one.domain, one.state, one.epoch, one.cpu, Math.round(one.memory / 1_024)],
      ...[...counterNames.map((name) => one[name]), one.deploy_id],
    ]),
  );

/** Of counters those that a rule sets. */
export function loadTable(rules: readonly LoadRule[]): string {
  const counters = counterNames.filter((name) => rules.some((rule) => rule[name] !== null));
  return table(
    ['ID', 'HOST', 'SERVICE', 'ROLE', 'VM', 'CPU %', 'MEMORY %', ...counters.map(title), 'UNTIL'],
    rules.map((rule) => [
      rule.id,
      ...[rule.host, rule.service, rule.role, rule.vm].map(orDash),
      ...[rule.cpu_percent, rule.memory_percent, ...counters.map((name) => rule[name]), rule.until].map(orDash),
    ]),
  );
}

export const journalTable = (entries: readonly JournalEntry[]): string =>
  table(
    ['N', 'TIME', 'CALL', 'HOST', 'VM', 'EPOCH', 'OUTCOME', 'FAULT'],
    entries.map((one) => [one.n, one.time, one.call, one.host, one.vm, one.epoch, one.outcome, orDash(one.fault)]),
  );

export function settingsTable({ boot_ms, shutdown_ms, seed, hosts, roles }: SimulatorSettings): string {
  const own = (kind: string, times: SimulatorSettings['hosts']): (string | number)[][] =>
    Object.entries(times).map(([name, time]) => [
      `${kind} ${name}`,
      time.boot_ms === undefined ? '-' : spanText(time.boot_ms),
      time.shutdown_ms === undefined ? '-' : spanText(time.shutdown_ms),
    ]);
  const everyone = ['every VM', spanText(boot_ms), spanText(shutdown_ms)];
  const times = table(['OF', 'BOOT', 'SHUTDOWN'], [everyone, ...own('host', hosts), ...own('role', roles)]);
  return `${times}\n\nSeed of what is random: ${seed}`;
}
