import { setCurrentDetails, sleep } from '@temporalio/workflow';
import type { CheckPlan, Looked } from '../activities/consistency.js';
import type { Section } from '../domain/consistency/flaws.js';
import type { Compared } from '../schemas/consistency.js';
import { checks, hostChecks, local } from './activity-options.js';
import { type OperationInput, runOperation, settle } from './operation.js';

/** A repair may bring to light what it could not be told from; rounds after the first, at most. */
const furtherRounds = 4;

/** Every section but that of the hosts, which are asked on the queue of those who reach them. */
const ofDocuments = ['counters', 'operations', 'runs', 'vms', 'services'] as const satisfies readonly Section[];

/**
 * Compares documents, runs and hosts. What a first look suspects is looked at again a moment later: only what is then
 * unchanged is a finding. Repairs, when it is to, what can be repaired, and then looks whether something is left.
 */
export async function checkConsistency({ op }: OperationInput): Promise<void> {
  await runOperation({ op }, local.beginCheck, async ({ repair, apart, behindReconciliation }: CheckPlan) => {
    let compared: Compared | undefined;
    for (let further = 0; further <= furtherRounds; further++) {
      const round = await local.beginRound({ op });
      await say('compares documents, runs and hosts');
      const looked = await lookAtAll(round);
      compared ??= looked.compared;
      if (looked.suspects === 0) break;
      await say(`looks again at ${looked.suspects} that do not fit`);
      await sleep(looked.orphans === 0 ? apart : behindReconciliation);
      const sections = await lookAgain(round);
      if (!repair || sections.length === 0) break;
      await say('repairs what it has found');
      if ((await repairAll(round, sections)) === 0) break;
    }
    await say(null);

    async function say(doing: string | null): Promise<void> {
      setCurrentDetails(doing ?? 'done');
      await local.noteCheck({ op, doing, ...(compared && { compared }) });
    }
  });

  async function lookAtAll(round: number): Promise<{ compared: Compared; suspects: number; orphans: number }> {
    const compared: Compared = { services: 0, vms: 0, hosts: 0, operations: 0, runs: 0, domains: 0 };
    let [suspects, orphans] = [0, 0];
    const through = async (section: Section, look: (after: Looked['next']) => Promise<Looked>): Promise<void> => {
      for (let after: Looked['next'] = null, more = true; more; more = after !== null) {
        const looked = await look(after);
        for (const [name, count] of Object.entries(looked.compared)) if (isCompared(name)) compared[name] += count;
        suspects += looked.suspects;
        if (section === 'operations') orphans += looked.suspects;
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
    ]);
    return { compared, suspects, orphans };

    function isCompared(name: string): name is keyof Compared {
      return Object.hasOwn(compared, name);
    }
  }

  /** Returns the sections where there is something to repair. */
  async function lookAgain(round: number): Promise<Section[]> {
    const sections: Section[] = [];
    await settle([
      ...ofDocuments.map(async (section) => {
        if ((await checks.lookAgain({ op, round, section })).repairable > 0) sections.push(section);
      }),
      hostChecks.lookAgainAtHosts({ op, round, section: 'hosts' }).then(({ repairable }) => {
        if (repairable > 0) sections.push('hosts');
      }),
    ]);
    return sections;
  }

  /** One section after the other: what a repair changes, another need not be judged by. */
  async function repairAll(round: number, sections: readonly Section[]): Promise<number> {
    let repaired = 0;
    for (const section of ofDocuments.filter((one) => sections.includes(one)))
      repaired += await checks.repairFindings({ op, round, section });
    if (sections.includes('hosts')) repaired += await hostChecks.repairHosts({ op, round, section: 'hosts' });
    return repaired;
  }
}
