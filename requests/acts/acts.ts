import { type Act, verdictOn } from '../../domain/acts/acts.js';
import type { ActionFacts, ResourceFacts } from '../../domain/acts/facts.js';
import { problemFor } from '../../domain/acts/verdict.js';
import { nameOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import type { ResourceRef } from '../../schemas/operations/operation.js';
import type { Store } from '../../store/store.js';
import { findResource, type Resource, resourceFacts } from './action-facts.js';

/** Refuses in the words of the table what it does not let happen. `is so`: there is nothing to do. */
export function demandAct(act: Act, facts: ActionFacts): 'may' | 'is so' {
  const verdict = verdictOn(act, facts);
  if (typeof verdict === 'string') return verdict;
  throw problemFor(verdict);
}

/** The same for what is asked of a resource, by somebody who has the right. Returns what it is like. */
export async function demandOn(store: Store, act: Act, resource: Resource): Promise<ResourceFacts> {
  const facts = await resourceFacts(store, resource);
  demandAct(act, about(facts));
  return facts;
}

/** Why an admission lost its guard although it had been let in: what the table says now. */
export async function whyLost(store: Store, act: Act, ref: ResourceRef): Promise<Problem> {
  const resource = await findResource(store, ref);
  if (!resource) return new Problem('not_found', `There is no ${nameOf(ref)}.`);
  const verdict = verdictOn(act, about(await resourceFacts(store, resource)));
  if (typeof verdict !== 'string') return problemFor(verdict);
  return new Problem('operation_in_progress', `Somebody else has changed ${nameOf(ref)} just now; try again.`);
}

const about = (resource: ResourceFacts): ActionFacts => ({
  about: 'resource',
  operation: null,
  after: null,
  resource,
  mayManage: true,
  mayAdmin: true,
});
