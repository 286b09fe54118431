import { sleep, workflowInfo } from '@temporalio/workflow';
import type { Begun, StepInput } from '../activities/begin.js';
import type { DeploymentPlan, FailedVms, PlannedRole, RoleWork } from '../activities/deployment.js';
import { brief, longest } from '../domain/brief.js';
import { noRounds, type Rounds } from '../domain/failure-policy.js';
import type { FailurePolicy } from '../schemas/service-template.js';
import { compute, local } from './activity-options.js';
import { inTurn } from './in-turn.js';
import { attempt, type OperationInput, Parked, runOperation, settle } from './operation.js';
import { roleProgress } from './progress.js';
import { inOrder } from './role-order.js';
import { capacityAppeared, listenFor, renewing, roomForMore, vmReported } from './signals.js';

/** `rounds`: by role, what the run before this one has used up of failure policies. */
export type DeploymentInput = OperationInput & { rounds?: Record<string, Rounds> };

/**
 * Deploys what a plan says of a service, role by role, parents first where it says `straight`. VMs that fail are tried again
 * and replaced as their role's policy says; in the end it may wait for a person.
 */
export async function deployRoles(
  { op, rounds = {} }: DeploymentInput,
  begin: (input: StepInput) => Promise<Begun<DeploymentPlan>>,
): Promise<void> {
  const listenForCapacity = listenFor(capacityAppeared);
  const listenForReports = listenFor(vmReported);

  await runOperation({ op }, begin, async ({ service, gate, roles }: DeploymentPlan) => {
    const progress = roleProgress(roles);
    const turn = inTurn();
    const open: string[] = [];
    await renewing({ op, rounds }, () =>
      inOrder(
        roles,
        (role) => role.parents,
        async (role) => {
          const runs = role.up || (role.failed !== true && (await (role.skip ? skipRole(role) : deployRole(role))));
          if (!runs && role.policy?.finally === 'wait') open.push(role.name);
          return runs;
        },
      ),
    );
    if (open.length > 0) await ask(open);

    async function deployRole({ name: role, step: reached = 0, policy, lost }: PlannedRole): Promise<boolean> {
      let step = reached;
      const start: Start = (failed) => {
        step += 1;
        const input = { op, service, role, step, ...(failed && { failed }) };
        return turn(async () => {
          // A round of the failure policy that has begun is used up, and goes on.
          if (failed === undefined || failed === 'keep') await roomForMore();
          return local.startRole.executeWithOptions({ summary: `start role ${role}` }, [input]);
        });
      };
      progress(role, 'starts');
      const first = await attempt(async () => {
        if (lost) {
          step += 1;
          await lookForLost(role, step);
        }
        await work(role, () => start(rounds[role] && 'keep'));
      });
      const failure = policy ? await tryAgain(role, policy, first, start) : first;
      const running = await turn(() => local.finishRole({ op, service, role, step: step + 1, failure }));
      progress(role, running ? 'runs' : `failed${failure === null ? '' : `: ${failure}`}`);
      return running;
    }

    /** As many rounds as the policy has; returns why a batch of the last one failed as a whole. */
    async function tryAgain(
      role: string,
      policy: FailurePolicy,
      first: string | null,
      start: Start,
    ): Promise<string | null> {
      for (let failure = first; ; ) {
        await roomForMore();
        const used = rounds[role] ?? noRounds;
        const round = await turn(() => local.planRound({ op, service, role, policy, used, failure }));
        if (round.do === 'finish') return failure;
        rounds[role] = round.used;
        progress(role, `${round.do === 'retry' ? 'retries' : 'replaces'} its failed VMs in ${round.seconds} s`);
        await sleep(`${round.seconds}s`);
        failure = await attempt(() => (round.do === 'retry' ? work(role, () => start('retry')) : replace(role, start)));
      }
    }

    /** What failed goes first, so that its place is free for what replaces it. */
    async function replace(role: string, start: Start): Promise<void> {
      const leaving = await start('remove');
      if (leaving === null) return;
      await settle(leaving.remove.map((vms) => remove(role, vms)));
      await work(role, () => start('replace'));
    }

    async function work(role: string, start: () => Promise<RoleWork | null>): Promise<void> {
      const started = await start();
      if (started === null) return;
      await settle([...started.remove.map((vms) => remove(role, vms)), bootAll(role, started)]);
      const report = listenForReports();
      while (gate) {
        const unready = await turn(() => local.countUnready({ op, service, role }));
        if (unready === 0) break;
        progress(role, `${unready} VMs have not reported READY=YES`);
        await report();
      }
    }

    async function bootAll(role: string, started: RoleWork): Promise<void> {
      const capacity = listenForCapacity();
      for (let { boot, pending } = started; boot.length + pending > 0; ) {
        await settle(boot.map((vms) => bootBatch(role, vms)));
        if (pending === 0) break;
        progress(role, `${pending} VMs wait for capacity`);
        await capacity();
        ({ boot, pending } = await turn(() => local.placeRole({ op, service, role })));
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

    async function bootBatch(role: string, vms: number[]): Promise<void> {
      progress(role, `boots ${vms.length} VMs`);
      await compute.bootVms.executeWithOptions({ summary: `boot ${vms.length} VMs of role ${role}` }, [
        { op, role, vms },
      ]);
    }

    function remove(role: string, vms: number[]): Promise<unknown> {
      const summary = `remove ${vms.length} failed VMs of role ${role}`;
      return compute.destroyVms.executeWithOptions({ summary }, [{ op, role, vms, hard: true }]);
    }

    /** A person has said that the role goes on without what failed of it. */
    async function skipRole({ name: role, step = 0 }: PlannedRole): Promise<boolean> {
      progress(role, 'goes on without its failed VMs');
      const failure = await attempt(async () => {
        const leaving = await turn(() => local.startSkip({ op, service, role, step: step + 1 }));
        await settle((leaving ?? []).map((vms) => remove(role, vms)));
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
