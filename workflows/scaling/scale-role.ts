import { ApplicationFailure, patched } from '@temporalio/workflow';
import type { RoleScalingPlan } from '../../activities/scaling/scaling.js';
import type { VictimsTaken } from '../../activities/scaling/staff-role.js';
import type { Hosted } from '../../activities/services/find-hosts.js';
import { compute, local } from '../activity-options.js';
import { inTurn } from '../operations/in-turn.js';
import { lookTogether, WaitedInVain } from '../operations/look-together.js';
import { attempt, type OperationInput, runOperation, settle } from '../operations/operation.js';
import { pauses } from '../operations/pauses.js';
import { roleProgress } from '../operations/progress.js';
import { listenFor, listenForCapacity, renewing, roomForMore, type Turn, vmReported } from '../signals.js';
import { booted } from '../vms/booted.js';
import { inSlices, inTwo, outcomes } from '../vms/in-slices.js';
import { vmBatches } from '../vms/vm-batches.js';

/** `waiting`: since when nothing has come of its wait (milliseconds since 1970); absent: it does not wait. */
export type ScalingInput = OperationInput & { waiting?: number };

/** How often VMs that are too many may be found in others' hands, a second apart. */
const lookedForBusy = 60;

/** Seconds, unless the plan says how many. */
const usualPatience = 1_800;

/**
 * Gives a role as many VMs as it is to have: makes those that it lacks, and boots them as a deployment does; removes those
 * that are too many, as its shutdown action says. Other roles of the service go on meanwhile, or are scaled by runs of their own.
 */
export async function scaleRole(input: ScalingInput): Promise<void> {
  const { op } = input;
  const capacity = listenForCapacity();
  const reports = listenFor(vmReported);
  const inBatches = vmBatches();

  await runOperation({ op }, local.beginScaling, async (plan: RoleScalingPlan) => {
    const { service, role, named, gate, rest = null, hard, step: reached, patience = usualPatience } = plan;
    let step = reached + 1;
    const isCareful = patched('breaker-counts');
    const progress = roleProgress([{ name: role }]);
    const turn = inTurn();
    const pause = pauses();
    const came = outcomes();
    const boot = inBatches(async ({ input, what }) => came.hear(await booted({ op, ...input }, what)));
    const boots = isCareful ? inSlices(boot, came) : inTwo(boot, came);
    const removeFailed = inBatches(({ input, what }) =>
      compute.destroyVms.executeWithOptions({ summary: `remove failed: ${what}` }, [{ op, ...input, hard: true }]),
    );
    const kind = hard ? 'terminate-hard' : 'terminate';
    /** VMs that somebody else was about to terminate when their turn came. */
    let lost = 0;
    const remove = inBatches(async ({ input, what }) => {
      const asked = [{ op, ...input, hard }] as const;
      const { taken } = await compute.destroyVms.executeWithOptions({ summary: `${kind} ${what}` }, [...asked]);
      lost += taken.length;
    });
    const forCapacity = lookTogether<Turn, Hosted>(capacity, (some, vms) =>
      turn(() => local.placeRoles({ op, service, roles: some, ...(vms && { vms }) })),
    );
    const forReports = lookTogether<null, { unready: number }>(reports, async (some) => {
      const counts = await turn(() => local.countUnready({ op, service, roles: some }));
      return counts.map((count, at) => ({ at, unready: count }));
    });

    await renewing(input, async () => {
      progress(role, 'starts');
      const failure = await attempt(work);
      const scaled = await turn(() => local.finishScaling({ op, service, role, step: step + 1, failure, gate, rest }));
      progress(role, scaled ? 'is as wished' : `failed${failure === null ? '' : `: ${failure}`}`);
    });

    async function work(): Promise<void> {
      let held = Number.POSITIVE_INFINITY;
      // What waited for the removal of others is begun once these are gone; where that does not get on, the role has failed.
      for (; ; step += 1) {
        await roomForMore();
        const hosts = forCapacity(role);
        const staffed = await turn(() => local.staffRole({ op, service, role, step, ...(named && { named }) }));
        if (staffed === null) return;
        if ('failure' in staffed) throw ApplicationFailure.nonRetryable(staffed.failure.detail, staffed.failure.code);
        await settle([removeFailed(role, staffed.remove), bootAll(staffed, hosts), removeAll(staffed)]);
        const before = held;
        held = staffed.waits ?? 0;
        if (held === 0 || held >= before) break;
        progress(role, `goes on with ${held} VMs that waited for the removal of others`);
      }
      if (!gate) return;
      const report = forReports(role);
      const [unready = 0] = await turn(() => local.countUnready({ op, service, roles: [role] }));
      const waited = waits('for its VMs to report READY=YES');
      for (let left = unready, before = unready; left > 0; before = left, { unready: left } = await waited(report)) {
        progress(role, `${left} VMs have not reported READY=YES`);
        if (left < before) delete input.waiting;
      }
    }

    /** Waits for as long as it may since something has come last; then what waits has failed. */
    function waits(forWhat: string): <Found>(news: (until: number) => Promise<Found>) => Promise<Found> {
      const inVain = () => ApplicationFailure.nonRetryable(`it has waited ${patience} s ${forWhat}`);
      return async (news) => {
        input.waiting ??= Date.now();
        const until = input.waiting + patience * 1_000;
        if (Date.now() >= until) throw inVain();
        try {
          return await news(until);
        } catch (error) {
          throw error instanceof WaitedInVain ? inVain() : error;
        }
      };
    }

    async function bootAll(staffed: Hosted, hosts: (until: number) => Promise<Hosted>): Promise<void> {
      const waited = waits('for capacity');
      for (
        let { boot: vms, pending } = staffed;
        vms.length + pending > 0;
        { boot: vms, pending } = await waited(hosts)
      ) {
        if (vms.length > 0) {
          delete input.waiting;
          progress(role, `boots ${vms.length} VMs`);
        }
        await boots(role, vms);
        if (pending === 0) break;
        progress(role, `${pending} VMs wait for capacity`);
      }
    }

    async function removeAll(first: VictimsTaken): Promise<void> {
      for (let left = first, looked = 1; ; looked++) {
        lost = 0;
        if (left.victims.length > 0) progress(role, `${kind} ${left.victims.length} VMs`);
        await remove(role, left.victims);
        if ((left.busy === 0 && lost === 0) || looked > lookedForBusy) return;
        progress(role, `${left.busy + lost} VMs that are too many are at work for others`);
        await pause(1);
        await roomForMore();
        left = await turn(() => local.retakeVictims({ op, service, role, step, ...(named && { named }) }));
      }
    }
  });
}
