import type { Capacity } from '../../../schemas/common/capacity.js';
import type { DomainState } from '../../../schemas/hosts/domain-state.js';
import { type CounterName, eachCounter } from '../../../schemas/hosts/metrics.js';
import { type DomainMark, markIn } from './domain-title.js';

/** A domain as libvirt lists it. `mark`: null: it is not of Arcus. */
export type Listed = {
  name: string;
  uuid: string;
  state: DomainState;
  /** There is a process of it. One that is suspended so is paused, and nothing of it is saved. */
  isUp: boolean;
  mark: DomainMark | null;
  capacity: Capacity;
  /** Nanoseconds of processors since it was started; null: it is down. */
  cpuTime: number | null;
  /** KB, of what it was given. */
  memory: number;
  counters: Record<CounterName, number>;
};

/** virsh's words for what a domain does (virsh list, with --managed-save). */
const words = {
  running: 'running',
  idle: 'running',
  paused: 'suspended',
  'in shutdown': 'running',
  'shut off': 'stopped',
  crashed: 'failed',
  pmsuspended: 'running',
  saved: 'suspended',
  'no state': 'failed',
} as const satisfies Record<string, DomainState>;
const isWord = (text: string): text is keyof typeof words => Object.hasOwn(words, text);

/** A line of the table: id, name, one of those words, title, with two spaces and more between them. Names that have such themselves are looked for first. */
function rowIn(line: string, names: ReadonlySet<string>, odd: readonly string[]) {
  const rest = line.trim().split(' ').slice(1).join(' ').trimStart();
  const name = odd.find((one) => rest.startsWith(`${one}  `)) ?? rest.split('  ')[0] ?? '';
  if (!names.has(name)) return null;
  const said = rest.slice(name.length).trimStart();
  const state = said.split('  ')[0] ?? '';
  return isWord(state) ? { name, state, title: said.slice(state.length).trim() } : null;
}

/** `virDomainPausedReason`: an error of its disks, a crash, and one that is being started. */
const paused: Readonly<Record<number, DomainState>> = { 5: 'failed', 10: 'failed', 11: 'booting' };
/** `virDomainShutoffReason`: it crashed. One that could not be started is as it was. */
const off: Readonly<Record<number, DomainState>> = { 3: 'failed' };

/**
 * What a host has, of three answers: `list --all --title --managed-save`, `list --all --uuid --name`, and
 * `domstats --raw --nowait`. A domain that came or went between two of them is left out.
 */
export function listedIn(table: string, uuids: string, stats: string): Listed[] {
  const uuidOf = new Map(
    uuids.split('\n').flatMap((line): [string, string][] => {
      const [uuid = '', ...rest] = line.trim().split(' ');
      return /^[0-9a-f-]{36}$/.test(uuid) ? [[rest.join(' ').trim(), uuid]] : [];
    }),
  );
  const statsOf = statistics(stats);
  const names = new Set(uuidOf.keys());
  const odd = [...names].filter((name) => name.includes('  '));
  return table.split('\n').flatMap((line): Listed[] => {
    const found = rowIn(line, names, odd);
    const uuid = found && uuidOf.get(found.name);
    if (!found || uuid === undefined || uuid === null) return [];
    const { name, state, title } = found;
    const said = statsOf.get(name) ?? new Map<string, number>();
    const is = (field: string): number => said.get(field) ?? 0;
    const mark = markIn(title);
    const down = words[state] !== 'running';
    const exact = { paused, 'shut off': off }[state === 'paused' ? 'paused' : 'shut off'];
    const reason = state === 'paused' || state === 'shut off' ? exact[is('state.reason')] : undefined;
    const given = is('balloon.maximum');
    return [
      {
        ...{ name, uuid, mark, state: reason ?? words[state], isUp: state !== 'shut off' && state !== 'saved' },
        capacity: mark?.capacity ?? { cpu: 100 * is('vcpu.maximum'), memory: Math.round(given / 1_024) },
        cpuTime: down ? null : is('cpu.time'),
        memory: down ? 0 : usedOf(said, given),
        counters: eachCounter((counter) => (down ? 0 : sumOf(said, counter))),
      },
    ];
  });
}

/** Of what a guest's balloon says of itself, or what its process has of it. */
function usedOf(said: ReadonlyMap<string, number>, given: number): number {
  const [current, unused, rss] = ['current', 'unused', 'rss'].map((field) => said.get(`balloon.${field}`));
  const used = unused === undefined ? rss : (current ?? given) - unused;
  return Math.max(0, Math.min(given, Math.round(used ?? given)));
}

/** By what libvirt calls it, of each of its cards or disks. */
const fields: Record<CounterName, [string, string]> = {
  nettx: ['net', 'tx.bytes'],
  netrx: ['net', 'rx.bytes'],
  diskrdbytes: ['block', 'rd.bytes'],
  diskrdiops: ['block', 'rd.reqs'],
  diskwrbytes: ['block', 'wr.bytes'],
  diskwriops: ['block', 'wr.reqs'],
};

function sumOf(said: ReadonlyMap<string, number>, counter: CounterName): number {
  const [kind, field] = fields[counter];
  let sum = 0;
  for (let at = 0; at < (said.get(`${kind}.count`) ?? 0); at += 1) sum += said.get(`${kind}.${at}.${field}`) ?? 0;
  return sum;
}

/** The numbers of each domain, by its name. */
function statistics(text: string): Map<string, Map<string, number>> {
  const all = new Map<string, Map<string, number>>();
  let fieldsOf = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line.startsWith("Domain: '") && line.endsWith("'")) {
      const name = line.slice("Domain: '".length, -1);
      fieldsOf = new Map();
      all.set(name, fieldsOf);
      continue;
    }
    const [, field, value] = /^ {2}([a-z0-9.-]{1,60})=(\d{1,20})$/.exec(line) ?? [];
    if (field !== undefined) fieldsOf.set(field, Number(value));
  }
  return all;
}
