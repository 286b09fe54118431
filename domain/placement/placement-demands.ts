import type { PlacementPolicy, PlacementRecord } from '../../schemas/placement/placement.js';
import { evaluateRank, judge, namesIn } from '../expressions/evaluate.js';
import { type Parsed, parseRank, parseRequirement } from '../expressions/parse.js';
import type { Rank, Requirement } from '../expressions/syntax.js';
import { attributeOf, type DescribedHost, isMoving, isPublic } from '../hosts/host-attributes.js';
import type { Refusal } from './placement-refusals.js';

/** A host as a plan changes it: `at` is its place in the plan, `version` rises with each VM that is planned for it. */
export type PlannedHost = DescribedHost & { at: number; version: number };

/** What a VM's texts ask of hosts. Each is compiled once and asked of a host once, again only where the answer can move. */
export type Demand = {
  /** null: the host does. */
  refuses(host: PlannedHost): Refusal | null;
  meets(host: PlannedHost): boolean;
  /** Whether a host that does not meet it may do so when it has taken other VMs. */
  moves: boolean;
  /** The higher, the better. */
  rank(host: PlannedHost): number;
  rankBy: string;
};

export type RankSettings = { policy: PlacementPolicy; rank?: string | undefined };

const policies: Readonly<Record<Exclude<PlacementPolicy, 'custom'>, (host: DescribedHost) => number>> = {
  stripe: ({ vms }) => -vms,
  pack: ({ vms }) => vms,
  load_aware: ({ free }) => free.cpu,
  fixed: (host) => evaluateRank({ kind: 'name', name: 'PRIORITY' }, (name) => attributeOf(host, name)),
};

/** Whether whoever reads a reason may USE the host, and so know the values of its attributes. */
export type Sees = (host: number) => boolean;
/** What is written down is read by people with different rights, so it holds no values. */
const seesNone: Sees = () => false;

/** Demands by their texts, for one plan; `sees`: who reads why a host refuses. */
export function createDemands(settings: RankSettings, sees: Sees = seesNone) {
  const known = new Map<string, Demand>();
  return {
    of({ requirements = '', rank = '' }: { requirements?: string | undefined; rank?: string | undefined }): Demand {
      const key = `${requirements}\0${rank}`;
      const demand = known.get(key) ?? compile(requirements, rank, settings, sees);
      known.set(key, demand);
      return demand;
    },
  };
}

function compile(requirements: string, rank: string, settings: RankSettings, sees: Sees): Demand {
  const parsed = parseRequirement(requirements);
  return { ...refusing(parsed, sees), ...ranking(rank, settings) };
}

function refusing(parsed: Parsed<Requirement>, sees: Sees): Pick<Demand, 'refuses' | 'meets' | 'moves'> {
  if (!parsed.ok) {
    const { line, column, detail } = parsed.fault;
    const refusal = {
      text: `SCHED_REQUIREMENTS cannot be read, line ${line}, column ${column}: ${detail}`,
      note: null,
    };
    return { refuses: () => refusal, meets: () => false, moves: false };
  }
  const { value: requirement } = parsed;
  const moves = namesIn(requirement).some(isMoving);
  const meets = remembered(moves, (host) => judge(requirement, (name) => attributeOf(host, name)).verdict === true);
  return { moves, meets, refuses: remembered(moves, (host) => (meets(host) ? null : why(requirement, host, sees))) };
}

function why(requirement: Requirement, host: DescribedHost, sees: Sees): Refusal {
  const { deciders } = judge(requirement, (name) => attributeOf(host, name));
  const [first, ...more] = deciders;
  if (first && more.length === 0)
    return {
      text: first.text,
      note: first.value !== null && (isPublic(first.name) || sees(host.id)) ? `it is ${first.value}` : null,
    };
  return {
    text: deciders
      .slice(0, 3)
      .map(({ text }) => text)
      .join(', '),
    note: null,
  };
}

function ranking(text: string, { policy, rank: custom = '' }: RankSettings): Pick<Demand, 'rank' | 'rankBy'> {
  const own = text.trim() === '' ? null : parseRank(text);
  if (own?.ok) return { rank: expressed(own.value), rankBy: `SCHED_RANK ${text.trim()}` };
  if (policy !== 'custom') return { rank: policies[policy], rankBy: policy };
  const parsed = parseRank(custom);
  if (!parsed.ok) return { rank: policies.stripe, rankBy: 'stripe' };
  return { rank: expressed(parsed.value), rankBy: `custom ${custom.trim()}` };
}

const expressed = (rank: Rank): ((host: PlannedHost) => number) =>
  remembered(namesIn(rank).some(isMoving), (host) => evaluateRank(rank, (name) => attributeOf(host, name)));

/** Asked of a host once, or once for each of its versions. */
function remembered<T>(moves: boolean, ask: (host: PlannedHost) => T): (host: PlannedHost) => T {
  const answers: { version: number; answer: T }[] = [];
  return (host) => {
    const before = answers[host.at];
    if (before && (!moves || before.version === host.version)) return before.answer;
    const answer = ask(host);
    answers[host.at] = { version: host.version, answer };
    return answer;
  };
}

/**
 * A record as somebody may read it: ranks by what he wrote himself, or by attributes of operators, tell the values of
 * these, so they are those of hosts that he sees. Ranks by what everybody may know are everybody's.
 */
export function recordFor(record: PlacementRecord, chosen: number | null, sees: Sees): PlacementRecord {
  if (isRankPublic(record.rank_by)) return record;
  return {
    ...record,
    rank: chosen !== null && sees(chosen) ? record.rank : null,
    others: record.others.filter(({ host }) => sees(host)),
  };
}

function isRankPublic(rankBy: string): boolean {
  if (rankBy === 'fixed') return false;
  const [, text] = /^(?:SCHED_RANK|custom) (.*)$/s.exec(rankBy) ?? [];
  if (text === undefined) return true;
  const parsed = parseRank(text);
  return parsed.ok && namesIn(parsed.value).every(isPublic);
}
