import { patched, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { CheckPlan, Looked } from '../../activities/consistency/consistency.js';
import type { Section } from '../../domain/consistency/flaw-kinds.js';
import type { Compared } from '../../schemas/consistency/consistency.js';
import { checks, datastoreChecks, hostChecks, local, marketChecks } from '../activity-options.js';
import { type OperationInput, runOperation, settle } from '../operations/operation.js';

/** A repair may bring to light what it could not be told from: rounds, at most. */
const mostRounds = 5;

/** Every section but those of hosts, datastores and marketplaces, which are asked on the queues of those who reach them. */
type OfDocuments = Exclude<Section, 'hosts' | 'datastores' | 'markets'>;
const before: readonly OfDocuments[] = ['counters', 'operations', 'runs', 'vms', 'services'];

/**
 * Compares documents, runs and hosts. What a first look suspects is looked at again a moment later: only what is then
 * unchanged is a finding. Repairs, when it is to, what can be repaired, and then looks whether something is left.
 */
export async function checkConsistency({ op }: OperationInput): Promise<void> {
  /** Both go when no check of before is open any more. */
  const images = patched('images-are-compared');
  const markets = patched('markets-are-compared');
  const ofDocuments: readonly OfDocuments[] = images ? [...before, 'images'] : before;
  await runOperation({ op }, local.beginCheck, async ({ repair, apart, behindReconciliation }: CheckPlan) => {
    const compared: Compared = {
      services: 0,
      vms: 0,
      hosts: 0,
      operations: 0,
      runs: 0,
      domains: 0,
      images: 0,
      datastores: 0,
      markets: 0,
    };
    for (let rounds = 1; rounds <= mostRounds; rounds++) {
      const doing = 'compares documents, runs, hosts, datastores and marketplaces';
      setCurrentDetails(doing);
      const round = await local.beginRound({ op, doing });
      const suspects = await lookAtAll(round, rounds === 1 ? compared : null);
      if (suspects.size === 0) break;
      await say(`looks again at ${[...suspects.values()].reduce((sum, count) => sum + count)} that do not fit`);
      await sleep(suspects.has('operations') ? behindReconciliation : apart);
      const repairable = await lookAgain(round, suspects);
      if (!repair || repairable.size === 0) break;
      await say('repairs what it has found');
      if ((await repairAll(round, repairable)) === 0) break;
    }
    await say(null);

    async function say(doing: string | null): Promise<void> {
      setCurrentDetails(doing ?? 'done');
      await local.noteCheck({ op, doing, compared });
    }
  });

  /** Returns how much does not fit in which section, and counts what it has looked at. */
  async function lookAtAll(round: number, compared: Compared | null): Promise<Map<Section, number>> {
    const suspects = new Map<Section, number>();
    const through = async (section: Section, look: (after: Looked['next']) => Promise<Looked>): Promise<void> => {
      for (let after: Looked['next'] = null, more = true; more; more = after !== null) {
        const looked = await look(after);
        if (compared) count(compared, looked.compared);
        if (looked.suspects > 0) suspects.set(section, (suspects.get(section) ?? 0) + looked.suspects);
        after = looked.next;
      }
    };
    await settle([
      ...ofDocuments.map((section) =>
        through(section, (after) =>
          checks.look.executeWithOptions({ summary: `look at ${section}` }, [{ op, round, section, after }]),
        ),
      ),
      through('hosts', (after) =>
        hostChecks.lookAtHosts.executeWithOptions({ summary: 'look at hosts' }, [
          { op, round, section: 'hosts', after },
        ]),
      ),
      ...(images
        ? [
            through('datastores', (after) =>
              datastoreChecks.lookAtDatastores.executeWithOptions({ summary: 'look at datastores' }, [
                { op, round, section: 'datastores', after },
              ]),
            ),
          ]
        : []),
      ...(markets
        ? [
            through('markets', (after) =>
              marketChecks.lookAtMarkets.executeWithOptions({ summary: 'look at marketplaces' }, [
                { op, round, section: 'markets', after },
              ]),
            ),
          ]
        : []),
    ]);
    return suspects;
  }

  /** Returns the sections where there is something to repair. */
  async function lookAgain(round: number, suspects: ReadonlyMap<Section, number>): Promise<Set<Section>> {
    const sections = new Set<Section>();
    const again = async (section: Section, look: () => Promise<{ repairable: number }>): Promise<void> => {
      if (suspects.has(section) && (await look()).repairable > 0) sections.add(section);
    };
    await settle([
      ...ofDocuments.map((section) => again(section, () => checks.lookAgain({ op, round, section }))),
      again('hosts', () => hostChecks.lookAgainAtHosts({ op, round, section: 'hosts' })),
      again('datastores', () => datastoreChecks.lookAgainAtDatastores({ op, round, section: 'datastores' })),
      again('markets', () => marketChecks.lookAgainAtMarkets({ op, round, section: 'markets' })),
    ]);
    return sections;
  }

  /** One section after the other, hosts, datastores and marketplaces last: what a repair of documents changes, they need not be judged by. */
  async function repairAll(round: number, sections: ReadonlySet<Section>): Promise<number> {
    let repaired = 0;
    for (const section of ofDocuments)
      if (sections.has(section)) repaired += await checks.repairFindings({ op, round, section });
    if (sections.has('hosts')) repaired += await hostChecks.repairHosts({ op, round, section: 'hosts' });
    if (sections.has('datastores'))
      repaired += await datastoreChecks.repairDatastores({ op, round, section: 'datastores' });
    if (sections.has('markets')) repaired += await marketChecks.repairMarkets({ op, round, section: 'markets' });
    return repaired;
  }
}

function count(sum: Compared, more: Partial<Compared>): void {
  sum.services += more.services ?? 0;
  sum.vms += more.vms ?? 0;
  sum.hosts += more.hosts ?? 0;
  sum.operations += more.operations ?? 0;
  sum.runs += more.runs ?? 0;
  sum.domains += more.domains ?? 0;
  sum.images += more.images ?? 0;
  sum.datastores += more.datastores ?? 0;
  sum.markets += more.markets ?? 0;
}
