import { told } from '../../domain/consistency/flaws.js';
import type { Caller } from '../../domain/identity/caller.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { Problem } from '../../domain/problems.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import {
  type CheckConsistency,
  type Compared,
  type ConsistencyCheckRecord,
  type ConsistencyCheckResource,
  type ConsistencyCheckSummary,
  type ConsistencyFinding,
  mostFindings,
} from '../../schemas/consistency/consistency.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { StoredFinding } from '../../store/consistency/consistency.js';
import { whyLost } from '../acts/acts.js';
import { administrator } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { admit, repeatedRequest } from '../operations/admit.js';

const nothing: Compared = {
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
const zone = { type: 'zone', id: 0 } as const;

// Checks of the whole zone: its documents, its runs and its hosts. They belong to administrators.

/** `again`: the check that this one tries again, and what was asked for in place of it. */
export async function startConsistencyCheck(
  context: OperationsContext,
  caller: Caller,
  { repair }: CheckConsistency,
  admission: Admission,
  again?: { retryOf: string; request: unknown },
): Promise<OperationResource> {
  const { store } = context;
  const { consistency } = store;
  administrator(caller, 'check consistency');
  const asked = again?.request ?? { deed: 'check consistency', repair };
  const repeated = await repeatedRequest(context, caller, admission, asked);
  if (repeated) return repeated;
  const holder = await consistency.holderOfZone(zone.id);
  const owner = { uid: caller.id, gid: caller.gid, permissions: permissionsOfNew(caller) };
  const isFree = holder === null || (await store.operations.ended([holder])).has(holder);
  return admit(context, caller, admission, {
    kind: 'checkConsistency',
    resource: zone,
    name: 'zone 0',
    owner,
    ...(again && { retryOf: again.retryOf }),
    input: { repair },
    request: asked,
    claim: async (op, transaction) => {
      if (!isFree || !(await consistency.claimZone(zone.id, holder, op, transaction))) return null;
      const record = { _id: op, repair, doing: null, compared: nothing, created_at: new Date() };
      await consistency.insert(record, transaction);
      return owner;
    },
    refusal: () => whyLost(store, { do: 'check' }, zone),
  });
}

export async function showConsistencyCheck(
  context: OperationsContext,
  caller: Caller,
  id: string,
): Promise<ConsistencyCheckResource> {
  const { store } = context;
  const { consistency } = store;
  administrator(caller, 'see checks of consistency');
  const [check, operation] = await Promise.all([consistency.find(id), store.operations.find(id)]);
  if (!check || !operation) throw new Problem('not_found', `There is no check of consistency ${id}.`);
  const [counts, findings] = await Promise.all([consistency.counts([id]), consistency.shown(id, mostFindings)]);
  return { ...summaryOf(check, operation, counts.get(id)), findings: findings.flatMap(findingOf) };
}

export async function listConsistencyChecks(
  context: OperationsContext,
  caller: Caller,
  query: ListQuery,
): Promise<Page<ConsistencyCheckSummary>> {
  const { consistency } = context.store;
  administrator(caller, 'see checks of consistency');
  const page = await consistency.list(query);
  const ids = page.items.map(({ _id }) => _id);
  const [operations, counts] = await Promise.all([consistency.reads.operations(ids), consistency.counts(ids)]);
  const byId = new Map(operations.map((operation) => [operation._id, operation]));
  return {
    ...page,
    items: page.items.flatMap((check) => {
      const operation = byId.get(check._id);
      return operation ? [summaryOf(check, operation, counts.get(check._id))] : [];
    }),
  };
}

const iso = (date: Date | null): string | null => (date === null ? null : date.toISOString());

const summaryOf = (
  { _id: id, repair, doing, compared, created_at }: ConsistencyCheckRecord,
  { state, started_at, ended_at }: Operation,
  counts: { found: number; left: number } = { found: 0, left: 0 },
): ConsistencyCheckSummary => ({
  id,
  state,
  repair,
  doing: ended_at === null ? doing : null,
  // Those of before images were compared say nothing of them.
  compared: { ...nothing, ...compared },
  ...counts,
  created_at: created_at.toISOString(),
  started_at: iso(started_at),
  ended_at: iso(ended_at),
});

function findingOf({ flaw, outcome, reason }: StoredFinding): ConsistencyFinding[] {
  return outcome === 'candidate' ? [] : [{ code: flaw.code, ...told(flaw), outcome, reason }];
}
