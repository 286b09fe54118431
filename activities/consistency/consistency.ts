import { Context } from '@temporalio/activity';
import { type Flaw, isSame } from '../../domain/consistency/evidence.js';
import type { Section } from '../../domain/consistency/flaw-kinds.js';
import { portionsOf } from '../../domain/portions.js';
import type { Compared } from '../../schemas/consistency/consistency.js';
import { isCheck } from '../../schemas/operations/operation.js';
import { isRepairable, type StoredFinding } from '../../store/consistency/consistency.js';
import { begin, type StepInput } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { type Cursor, type LookPorts, looksOf } from './consistency-looks.js';
import { looksFirst, repair } from './consistency-repairs.js';
import { imageLooks } from './image-looks.js';
import { marketLooks } from './market-looks.js';

/**
 * `apart`: milliseconds between the two looks; `behindReconciliation`: the same where an operation seems to have lost its
 * run, which reconciliation is about to notice.
 */
export type CheckPlan = { repair: boolean; apart: number; behindReconciliation: number };
export type Round = { op: string; round: number };
export type SectionOf<S extends Section> = Round & { section: S };

/** What a step has looked at, and where the next goes on; null: it was the last. */
export type Looked = { compared: Partial<Compared>; suspects: number; next: Cursor };

const apart = 3_000;
/** Two of its ticks, and the age below which it leaves an operation alone. */
const behindReconciliation = 25_000;
/** Pages that one step looks at: so many that the history of a large cloud stays short. */
const pagesPerStep = 20;
const findingsPerPage = 200;
const repairsAtOnce = 20;

/** What became of a finding. */
type Repaired = Pick<StoredFinding, '_id' | 'outcome' | 'reason'>;

/** The sections that hypervisors, datastores and marketplaces are asked for, and the others: each is served where it can be. */
type Remote = 'hosts' | 'datastores' | 'markets';
type Local = Exclude<Section, Remote>;

/** Steps of a check that touch MongoDB alone. */
export const checkActivities = ({ store }: Pick<StepPorts, 'store'>) => ({
  beginCheck: (input: StepInput) =>
    begin(store, input, async (operation): Promise<CheckPlan | null> => {
      if (!isCheck(operation) || (await store.consistency.holderOfZone(operation.resource.id)) !== operation._id)
        return null;
      return { repair: operation.input.repair, apart, behindReconciliation };
    }),

  /** Forgets what the last round, or a run before this one, has found and not repaired. Returns the number of the round. */
  async beginRound({ op, doing }: { op: string; doing: string }): Promise<number> {
    await store.consistency.note(op, { doing });
    return store.consistency.nextRound(op);
  },

  /** For whoever looks on. */
  async noteCheck({ op, doing, compared }: { op: string; doing: string | null; compared: Compared }): Promise<void> {
    await store.consistency.note(op, { doing, compared });
  },
});

/** Steps of a check that may take long: those of the sections given. */
const sectionActivities = <S extends Section>(ports: Omit<StepPorts, 'settings'>) => {
  const surroundings = (): LookPorts => ({ ...ports, signal: Context.current().cancellationSignal });
  const { consistency } = ports.store;

  /** Findings page by page; each page is read after the one before has been worked on. */
  async function eachPage(
    { op: check, round, section }: SectionOf<S>,
    outcome: 'candidate' | 'found',
    work: (page: StoredFinding[]) => Promise<void>,
  ): Promise<void> {
    const signal = Context.current().cancellationSignal;
    for (let after = '', more = true; more; ) {
      signal.throwIfAborted();
      const page = await consistency.some({ check, round, section, outcome }, after, findingsPerPage);
      if (page.length > 0) await work(page);
      after = page.at(-1)?._id ?? '';
      more = page.length === findingsPerPage;
    }
  }

  return {
    /** The first look at a part of a section. */
    async look({ op, round, section, after }: SectionOf<S> & { after: Cursor }): Promise<Looked> {
      const looked: Looked = { compared: {}, suspects: 0, next: after };
      const at = surroundings();
      for (let page = 0; page < pagesPerStep; page++) {
        at.signal.throwIfAborted();
        const { flaws, compared, next } = await allLooks(at)[section].page(looked.next);
        await consistency.suspect(op, round, flaws);
        looked.compared = added(looked.compared, compared);
        looked.suspects += flaws.length;
        looked.next = next;
        if (next === null) break;
      }
      return looked;
    },

    /** The second look at what the first has seen: what is unchanged is a finding. */
    async lookAgain(input: SectionOf<S>): Promise<{ repairable: number }> {
      let repairable = 0;
      await eachPage(input, 'candidate', async (page) => {
        await consistency.confirm(page, await againAt(surroundings(), input.section, page));
      });
      // Counted from what is kept: an earlier try of this step may have confirmed some.
      await eachPage(input, 'found', async (page) => {
        repairable += page.filter(isRepairable).length;
      });
      return { repairable };
    },

    /** Repairs what was found. Returns how many are repaired, also by an earlier try of this step. */
    async repairFindings(input: SectionOf<S>): Promise<number> {
      await eachPage(input, 'found', async (page) => {
        for (const some of portionsOf(page.filter(isRepairable), repairsAtOnce)) {
          const at = surroundings();
          at.signal.throwIfAborted();
          const lookedAt = await stillThere(at, input.section, some);
          await consistency.beginRepairs(some.map(({ _id }) => _id));
          const ends: Repaired[] = [];
          // Those of one host or service change one document: side by side they would only be in each other's way.
          const inOrder = async (findings: readonly StoredFinding[]) => {
            for (const finding of findings) ends.push(await repairOne(at, finding, lookedAt));
          };
          await Promise.all([...bySubject(some).values()].map(inOrder));
          await consistency.endRepairs(ends);
        }
      });
      const repaired = await consistency.repaired(input.op, input.round, input.section);
      // Capacity that came free may be what somebody waits for.
      if (repaired > 0 && (await ports.store.vms.anyWaiting())) await ports.engine.signalPlacement();
      return repaired;
    },
  };

  /** What is seen of those findings that are looked at once more immediately before. */
  async function stillThere(at: LookPorts, section: S, findings: readonly StoredFinding[]): Promise<Flaw[]> {
    const doubtful = findings.filter(({ flaw }) => looksFirst.has(flaw.code));
    return doubtful.length === 0 ? [] : againAt(at, section, doubtful);
  }

  async function repairOne(
    at: LookPorts,
    { _id, flaw, tried }: StoredFinding,
    seen: readonly Flaw[],
  ): Promise<Repaired> {
    const gone: Repaired = tried
      ? { _id, outcome: 'repaired', reason: 'an earlier try of this step seems to have repaired it' }
      : { _id, outcome: 'gone', reason: null };
    if (looksFirst.has(flaw.code) && !seen.some((one) => isSame(one, flaw))) return gone;
    const result = await repair(flaw, at);
    return result.outcome === 'gone' && result.reason === null ? gone : { _id, ...result };
  }
};

/** Steps of a check on the queue of workflows. */
export const localCheckSteps = (ports: Omit<StepPorts, 'settings'>) => sectionActivities<Local>(ports);

/** The same for the hosts, on the queue of those who reach hypervisors. */
export function hostCheckSteps(ports: Omit<StepPorts, 'settings'>) {
  const { look, lookAgain, repairFindings } = sectionActivities<'hosts'>(ports);
  return { lookAtHosts: look, lookAgainAtHosts: lookAgain, repairHosts: repairFindings };
}

/** The same for the datastores, on the queue of those who reach them. */
export function datastoreCheckSteps(ports: Omit<StepPorts, 'settings'>) {
  const { look, lookAgain, repairFindings } = sectionActivities<'datastores'>(ports);
  return { lookAtDatastores: look, lookAgainAtDatastores: lookAgain, repairDatastores: repairFindings };
}

/** The same for the marketplaces. */
export function marketCheckSteps(ports: Omit<StepPorts, 'settings'>) {
  const { look, lookAgain, repairFindings } = sectionActivities<'markets'>(ports);
  return { lookAtMarkets: look, lookAgainAtMarkets: lookAgain, repairMarkets: repairFindings };
}

const allLooks = (ports: LookPorts) => ({ ...looksOf(ports), ...imageLooks(ports), ...marketLooks(ports) });

function bySubject(findings: readonly StoredFinding[]): Map<number | string, StoredFinding[]> {
  const groups = new Map<number | string, StoredFinding[]>();
  for (const finding of findings) groups.set(finding.subject, [...(groups.get(finding.subject) ?? []), finding]);
  return groups;
}

function againAt(at: LookPorts, section: Section, findings: readonly Pick<StoredFinding, 'subject'>[]) {
  const ids = [...new Set(findings.map(({ subject }) => subject))];
  return allLooks(at)[section].again(ids);
}

function added(one: Partial<Compared>, other: Partial<Compared>): Partial<Compared> {
  const sum: Partial<Compared> = { ...one };
  for (const name of [
    'services',
    'vms',
    'hosts',
    'operations',
    'runs',
    'domains',
    'images',
    'datastores',
    'markets',
  ] as const)
    if (other[name] !== undefined) sum[name] = (sum[name] ?? 0) + other[name];
  return sum;
}
