import { ApplicationFailure, patched, workflowInfo } from '@temporalio/workflow';
import type { Begun, StepInput } from '../../activities/operations/begin.js';
import type { DeploymentPlan, PlannedRole, RoleFinish } from '../../activities/services/deployment.js';
import type { RoundAsked } from '../../activities/services/failed-roles.js';
import type { Hosted } from '../../activities/services/find-hosts.js';
import type { RoleStart, RoleWork } from '../../activities/services/start-roles.js';
import { amongOf, amongText } from '../../domain/among.js';
import { brief, longest } from '../../domain/brief.js';
import { noRounds, type Rounds } from '../../domain/services/failure-policy.js';
import type { FailedVms } from '../../domain/services/role-start.js';
import { breaker } from '../../domain/vms/breaker.js';
import type { FailurePolicy } from '../../schemas/services/service-template.js';
import { compute, local } from '../activity-options.js';
import { gather } from '../operations/gather.js';
import { inTurn } from '../operations/in-turn.js';
import { lookTogether } from '../operations/look-together.js';
import { attempt, type OperationInput, Parked, runOperation, settle } from '../operations/operation.js';
import { pauses } from '../operations/pauses.js';
import { roleProgress } from '../operations/progress.js';
import { listenFor, listenForCapacity, renewing, roomForMore, type Turn, vmReported } from '../signals.js';
import { booted } from '../vms/booted.js';
import { inSlices, outcomes } from '../vms/in-slices.js';
import { type BatchStep, vmBatches } from '../vms/vm-batches.js';
import { inOrder } from './role-order.js';

/** `rounds`: by role, what the run before this one has used up of failure policies. */
export type DeploymentInput = OperationInput & { rounds?: Record<string, Rounds> };

/**
 * Deploys what a plan says of a service, role by role, parents first where it says `straight`; each step takes all roles that
 * are ready for it at the time. VMs that fail are tried again and replaced as their role's policy says; in the end it may
 * wait for a person.
 */
export async function deployRoles(
  { op, rounds = {} }: DeploymentInput,
  begin: (input: StepInput) => Promise<Begun<DeploymentPlan>>,
): Promise<void> {
  const capacity = listenForCapacity();
  const reports = listenFor(vmReported);
  const inBatches = vmBatches();

  await runOperation({ op }, begin, async ({ service, gate, roles, networks }: DeploymentPlan) => {
    const progress = roleProgress(roles);
    const turn = inTurn();
    const pause = pauses();
    const open: string[] = [];

    // The steps, each for as many roles as wait for it.
    const startAll = async (some: RoleStart[]) =>
      local.startRoles.executeWithOptions({ summary: titleOf('start', some) }, [{ op, service, roles: some }]);
    const begins = gather(turn, async (some: RoleStart[]) => {
      await roomForMore();
      return startAll(some);
    });
    // A round of the failure policy that has begun is used up, and goes on.
    const goesOn = gather(turn, startAll);
    const unready = gather(turn, (some: string[]) => local.countUnready({ op, service, roles: some }));
    const nextRound = gather(turn, (some: RoundAsked[]) => local.planRounds({ op, service, roles: some }));
    const finish = gather(turn, (some: RoleFinish[]) => local.finishRoles({ op, service, roles: some }));
    const came = outcomes();
    const boot = inBatches(async ({ input, what }) => came.hear(await booted({ op, ...input }, what)));
    /** Roles of which so many VMs may fail in a row that no more are booted. */
    const breaks = new Set(roles.flatMap(({ name, vms }) => (vms > breaker ? [name] : [])));
    const isCareful = breaks.size > 0 && patched('breaker-counts');
    const bootsOf = (role: string): BatchStep => (isCareful && breaks.has(role) ? inSlices(boot, came) : boot);
    const remove = inBatches(({ input, what }) =>
      compute.destroyVms.executeWithOptions({ summary: `remove failed: ${what}` }, [{ op, ...input, hard: true }]),
    );
    const forCapacity = lookTogether<Turn, Hosted>(capacity, (some, vms) =>
      turn(() => local.placeRoles({ op, service, roles: some, ...(vms && { vms }) })),
    );
    const forReports = lookTogether<null, { unready: number }>(reports, async (some) => {
      const counts = await turn(() => local.countUnready({ op, service, roles: some }));
      return counts.map((count, at) => ({ at, unready: count }));
    });

    if (networks) await local.makeNetworks.executeWithOptions({ summary: 'make its networks' }, [{ op, service }]);
    await renewing({ op, rounds }, () =>
      inOrder(
        roles,
        (role) => role.parents,
        async (role) => {
          if (role.held) {
            progress(role.name, 'is on hold');
            return false;
          }
          const runs = role.up || (role.failed !== true && (await (role.skip ? skipRole(role) : deployRole(role))));
          if (!runs && role.policy?.finally === 'wait') open.push(role.name);
          return runs;
        },
      ),
    );
    if (open.length > 0) await ask(open);

    async function deployRole({ name: role, vms, step: reached = 0, policy, lost }: PlannedRole): Promise<boolean> {
      let step = reached;
      const start: Start = async (failed) => {
        step += 1;
        const asked = { role, step, ...(failed && { failed }) };
        const started = await (failed === undefined || failed === 'keep' ? begins : goesOn)(asked, vms);
        if (started === null || !('failure' in started)) return started;
        throw ApplicationFailure.nonRetryable(started.failure.detail, started.failure.code);
      };
      progress(role, 'starts');
      const first = await attempt(async () => {
        if (lost) {
          step += 1;
          await lookForLost(role, step);
        }
        await work(role, vms, start, rounds[role] && 'keep');
      });
      const failure = policy ? await tryAgain(role, vms, policy, first, start) : first;
      const running = await finish({ role, step: step + 1, failure }, vms);
      progress(role, running ? 'runs' : `failed${failure === null ? '' : `: ${failure}`}`);
      return running;
    }

    /** As many rounds as the policy has; returns why a batch of the last one failed as a whole. */
    async function tryAgain(
      role: string,
      vms: number,
      policy: FailurePolicy,
      first: string | null,
      start: Start,
    ): Promise<string | null> {
      for (let failure = first; ; ) {
        await roomForMore();
        const used = rounds[role] ?? noRounds;
        const round = await nextRound({ role, policy, used, failure }, vms);
        if (round.do === 'finish') return failure;
        rounds[role] = round.used;
        progress(role, `${round.do === 'retry' ? 'retries' : 'replaces'} its failed VMs in ${round.seconds} s`);
        await pause(round.seconds);
        failure = await attempt(() =>
          round.do === 'retry' ? work(role, vms, start, 'retry') : replace(role, vms, start),
        );
      }
    }

    /** What failed goes first, so that its place is free for what replaces it. */
    async function replace(role: string, vms: number, start: Start): Promise<void> {
      const leaving = await start('remove');
      if (leaving === null) return;
      await remove(role, leaving.remove);
      await work(role, vms, start, 'replace');
    }

    async function work(role: string, vms: number, start: Start, failed?: FailedVms): Promise<void> {
      const boots = bootsOf(role);
      let waits = Number.POSITIVE_INFINITY;
      // What waited for the removal of others is begun once these are gone; where that does not get on, the role has failed.
      for (let now = failed; ; now = failed === 'retry' ? 'keep' : failed) {
        const hosts = forCapacity(role);
        const started = await start(now);
        if (started === null) return;
        await settle([remove(role, started.remove), bootAll(role, started, { hosts, boots })]);
        const before = waits;
        waits = started.waits ?? 0;
        if (waits === 0 || waits >= before) break;
        progress(role, `goes on with ${waits} VMs that waited for the removal of others`);
      }
      if (!gate) return;
      const report = forReports(role);
      for (let left = await unready(role, vms); left > 0; { unready: left } = await report())
        progress(role, `${left} VMs have not reported READY=YES`);
    }

    async function bootAll(
      role: string,
      started: Hosted,
      { hosts, boots }: { hosts: () => Promise<Hosted>; boots: BatchStep },
    ): Promise<void> {
      for (let { boot: vms, pending } = started; vms.length + pending > 0; { boot: vms, pending } = await hosts()) {
        if (vms.length > 0) progress(role, `boots ${vms.length} VMs`);
        await boots(role, vms);
        if (pending === 0) break;
        progress(role, `${pending} VMs wait for capacity`);
      }
    }

    /** VMs whose state is not known: some may run, and of others the host may not answer for long. */
    async function lookForLost(role: string, step: number): Promise<void> {
      const batches = await turn(() => local.takeLost({ op, service, role, step }));
      progress(role, 'looks for VMs whose state is not known');
      const silent: number[] = [];
      await settle(
        (batches ?? []).map(async (vms) => {
          const summary = `look for ${vms.length} VMs of role ${role}`;
          silent.push(...(await compute.findVms.executeWithOptions({ summary }, [{ op, role, vms }])).silent);
        }),
      );
      if (silent.length > 0) await turn(() => local.leaveBehind({ op, role, vms: silent }));
    }

    /** A person has said that the role goes on without what failed of it. */
    async function skipRole({ name: role, step = 0 }: PlannedRole): Promise<boolean> {
      progress(role, 'goes on without its failed VMs');
      const failure = await attempt(async () => {
        const leaving = await turn(() => local.startSkip({ op, service, role, step: step + 1 }));
        await remove(role, leaving ?? []);
      });
      const running = await turn(() => local.finishSkip({ op, service, role, step: step + 2, failure }));
      progress(role, running ? 'runs' : `failed${failure === null ? '' : `: ${failure}`}`);
      return running;
    }

    async function ask(of: string[]): Promise<void> {
      const run = workflowInfo().firstExecutionRunId;
      const asked = await local.askPerson.executeWithOptions(
        { summary: brief(`ask about ${of.join(', ')}`, longest.summary) },
        [{ op, run, roles: of }],
      );
      if (asked) throw new Parked();
    }
  });
}

type Start = (failed?: FailedVms) => Promise<RoleWork | null>;

const titleOf = (verb: string, some: readonly { role: string }[]): string =>
  `${verb} ${amongText(amongOf(some.map(({ role }) => role)))}`;
