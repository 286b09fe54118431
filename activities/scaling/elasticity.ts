import { log } from '@temporalio/activity';
import { eachInSlices } from '../../adapters/process/in-slices.js';
import { brief, longest } from '../../domain/brief.js';
import { parseCondition, parseTarget } from '../../domain/expressions/policy-parse.js';
import { measuresOf } from '../../domain/expressions/policy-syntax.js';
import { pollEvery, staleAfter } from '../../domain/hosts/polls.js';
import { type Problem, problemOf, problems } from '../../domain/problems.js';
import { dueToScale } from '../../domain/scaling/due-policies.js';
import type { ScalingDecision } from '../../domain/scaling/elasticity.js';
import { hypervisorMetrics, type MeasuredVm, type Sample, toldOf } from '../../domain/scaling/measures.js';
import { becauseOf, lookAt, type RoleRecord, recordId } from '../../domain/scaling/role-record.js';
import { type MetricsRow, metricNames } from '../../schemas/hosts/metrics.js';
import type { DecidedBy } from '../../schemas/operations/inputs.js';
import type { ElasticityPolicy } from '../../schemas/services/service-template.js';
import type { ElasticService, ElasticVm } from '../../store/scaling/elasticity.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';

const pageSize = 500;
const atOnce = 10;
/** How long a tick begins new pages, in milliseconds: it has to end before the third after it is due. */
const lasts = 15_000;
/** Seconds between two looks, when nobody says. */
const defaultInterval = 10;
/** After a refusal that time alone does not mend, nothing is asked for again for so long. */
const pause = 60_000;

type Ports = Pick<StepPorts, 'store' | 'settings' | 'scaleByPolicy'>;
type Look = {
  service: ElasticService;
  before: RoleRecord | null;
  record: RoleRecord;
  decision: ScalingDecision | null;
};

/** Roles that are scaled by their policies, and have min_vms at least. */
export const elasticityActivities = ({ store, settings, scaleByPolicy }: Ports) => ({
  /**
   * Looks at every role with policies or min_vms, and asks for the scalings that they decide on. Where there are more services
   * than a tick has time for, the next goes on. Returns what it did.
   */
  async evaluatePolicies(): Promise<{ looked: number; decided: number; refused: number; failed: number }> {
    const told = { looked: 0, decided: 0, refused: 0, failed: 0 };
    if (!scaleByPolicy) return told;
    const until = performance.now() + lasts;
    const reached = await store.progress.reached('elasticity');
    for (let after = reached === '' ? -1 : Number(reached), more = true; more; ) {
      const services = await store.elasticity.servicesAfter(after, pageSize);
      const looks = await lookAll({ store, settings }, services);
      // A role that has nothing but min_vms, as most times, has nothing to be remembered.
      const worth = looks.filter(({ record, decision }) => record.policies.length > 0 || decision !== null);
      await store.elasticity.write(worth.map(({ before, record }) => ({ before, after: record })));
      const failures = await eachApart(looks, atOnce, async (one) => {
        if (!one.decision) return;
        const refusal = await carryOut({ store, scaleByPolicy }, one, one.decision);
        told[refusal ? 'refused' : 'decided']++;
      });
      for (const { item, error } of failures)
        log.warn('a decision of a policy could not be carried out', { role: item.record._id, error });
      told.looked += looks.length;
      told.failed += failures.length;
      const next = services.length === pageSize ? (services.at(-1)?._id ?? -1) : -1;
      // What all could be looked at in one page is not written down with each tick.
      if (after !== next) await store.progress.reach('elasticity', next < 0 ? '' : String(next));
      more = next >= 0 && performance.now() < until;
      after = next;
    }
    return told;
  },
});

/** What is asked for of some services at once: one question for VMs, one for what hosts measured, one for what was before. */
async function lookAll(
  { store, settings }: Pick<Ports, 'store' | 'settings'>,
  services: readonly ElasticService[],
): Promise<Look[]> {
  const now = new Date();
  const stale = staleAfter(settings);
  const roles = services.flatMap((service) =>
    service.roles.flatMap((role) => (isElastic(role) ? [{ service, role, id: recordId(service._id, role.name) }] : [])),
  );
  const withPolicies = roles.filter(({ role }) => (role.elasticity_policies ?? []).length > 0);
  const asked = new Map(
    await eachInSlices(
      withPolicies,
      ({ id, role }) => [id, (role.elasticity_policies ?? []).flatMap(namesIn)] as const,
    ),
  );
  const names = new Set([...asked.values()].flat());
  const ids = [...new Set(withPolicies.map(({ service }) => service._id))];
  const [vms, records] = await Promise.all([
    ids.length === 0 ? [] : store.elasticity.runningVms(ids, names),
    store.elasticity.recordsOf(roles.map(({ id }) => id)),
  ]);
  const asks = hypervisorMetrics.some((metric) => names.has(metric));
  const samples = asks
    ? await store.metrics.latest(
        vms.map(({ _id }) => _id),
        // Older ones, too: what is stale is said to be so.
        new Date(now.getTime() - 5 * stale),
      )
    : [];
  await keepTold({ store, settings }, { vms, asked, now });
  const sampleOf = new Map(samples.map((row) => [row.vm_id, sampleFrom(row)]));
  const vmsOf = new Map<string, MeasuredVm[]>();
  for (const vm of vms) {
    const id = recordId(vm.service?.id ?? -1, vm.service?.role ?? '');
    const its = vmsOf.get(id) ?? [];
    vmsOf.set(id, its);
    its.push(measuredVm(vm, sampleOf.get(vm._id) ?? null));
  }
  const before = new Map(records.map((record) => [record._id, record]));
  const early = (settings.elasticityInterval ?? defaultInterval) * 200;
  return eachInSlices(roles, ({ service, role, id }) => {
    const look = store.elasticity.newLook();
    const earlier = before.get(id) ?? null;
    const due = dueToScale(role, service.schedule?.of ?? [], now);
    const moment = { now, stale, early, cooldown: settings.cooldown ?? 0, due, look };
    return {
      service,
      before: earlier,
      ...lookAt({ service: service._id, role, vms: vmsOf.get(id) ?? [] }, earlier, moment),
    };
  });
}

/** What guests and users say of VMs now, of what the policies of their roles ask for; about as often as hosts are asked. */
async function keepTold(
  { store, settings }: Pick<Ports, 'store' | 'settings'>,
  { vms, asked, now }: { vms: readonly ElasticVm[]; asked: ReadonlyMap<string, readonly string[]>; now: Date },
): Promise<void> {
  const nth = (at: number): number => Math.floor(at / (pollEvery(settings) * 1_000));
  const interval = (settings.elasticityInterval ?? defaultInterval) * 1_000;
  if (nth(now.getTime()) === nth(now.getTime() - interval)) return;
  const told = await eachInSlices(vms, (vm) => {
    const names = asked.get(recordId(vm.service?.id ?? -1, vm.service?.role ?? '')) ?? [];
    const values = toldOf({ user_template: vm.user_template ?? {} }, new Set(names));
    return values ? [{ vm: vm._id, at: now, values }] : [];
  });
  await store.toldValues.add(told.flat());
}

const isElastic = ({ min_vms, elasticity_policies = [] }: ElasticService['roles'][number]): boolean =>
  min_vms !== undefined || elasticity_policies.length > 0;

/** The attributes that a policy asks for. */
function namesIn({ expression, target }: ElasticityPolicy): string[] {
  if (target !== undefined) {
    const parsed = parseTarget(target);
    return parsed.ok ? [parsed.value.measure.name] : [];
  }
  const parsed = parseCondition(expression ?? '');
  return parsed.ok ? measuresOf(parsed.value).map(({ name }) => name) : [];
}

const sampleFrom = (row: MetricsRow): Sample => ({
  at: row.at,
  ...Object.fromEntries(metricNames.map((name) => [name.toUpperCase(), row[name]])),
});

const measuredVm = (vm: ElasticVm, sample: Sample | null): MeasuredVm => ({
  ...{ id: vm._id, name: vm.name, since: vm.since, sample },
  ...{ user_template: vm.user_template ?? {}, template: vm.template ?? {} },
  // It runs: OpenNebula's numbers of ACTIVE and RUNNING.
  own: { ID: vm._id, UID: vm.uid, GID: vm.gid, STATE: 3, LCM_STATE: 3 },
});

/** Asks for what was decided, as the owner of the service. Returns why that was refused, which the policy then says; null: it was not. */
async function carryOut(
  { store, scaleByPolicy }: Pick<Ports, 'store'> & Required<Pick<Ports, 'scaleByPolicy'>>,
  { service: { _id: service }, record }: Look,
  decision: ScalingDecision,
): Promise<Problem | null> {
  const { policy, from, to, cooldown } = decision;
  const { _id, role, look, evaluation, at } = record;
  const decided = { role: _id, look, policy, at };
  try {
    await scaleByPolicy({
      ...{
        service,
        role,
        cardinality: to,
        policy: { from, because: becauseOf(decision), by: decidedBy(policy), rest: cooldown },
      },
      // Evaluations count anew once the record of a role is forgotten, and operations are kept for longer: the look is never again.
      key: `elasticity ${_id} ${policy ?? 'min_vms'} ${evaluation} ${look}`,
      claim: (operation, transaction) => store.elasticity.claim(decided, operation, transaction),
    });
    return null;
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || problems[problem.code].retryable) throw error;
    const passes = problem.code === 'operation_in_progress' || problem.code === 'wrong_state';
    const why = `from ${from} to ${to}: ${[problem.message, ...problem.findings.map(({ pointer, detail }) => `${pointer} ${detail}`)].join(' ')}`;
    await store.elasticity.refused(
      decided,
      { verdict: 'refused', why: brief(why, longest.vm), found: null },
      passes ? null : new Date(at.getTime() + pause),
    );
    return problem;
  }
}

const decidedBy = (policy: number | null): DecidedBy =>
  policy === null ? { kind: 'min_vms' } : { kind: 'elasticity', policy };
